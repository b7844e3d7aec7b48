"""`mailer suppress`: stop lists as files, over standard input, and what a bad line or another key costs."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from mailer import wiring
from mailer.cli import exits, suppress
from mailer.cli.output import Commands
from mailer.core.exits import ExitKind
from mailer.core.reasons import Reason
from mailer.services import Services
from mailer.suppression import files, registry
from mailer.suppression.files import Means, Plain
from tests.builders import World
from tests.people.test_exits import lines_of

MAIN = Commands(commands={"suppress": suppress.suppress, "exits": exits.exits})
WHOLE = "SELECT reason, list_id, topic_id, day, until FROM suppression"
DANA, ELI = "dana@example.org", "eli@example.com"


@pytest.fixture
def world(services: Services) -> World:
    return World(services)


def run(services: Services, *arguments: str, typed: str | bytes = "", **env: str) -> Result:
    chosen = services.settings
    return CliRunner().invoke(MAIN, list(arguments), input=typed, env={
        "MAILER_DATA_DIR": str(chosen.data_dir), "DATABASE_URL": chosen.database_url, "REDIS_URL": "redis://localhost",
        "MAILER_KEY_FILE": str(chosen.key_file), **env})


def imported(services: Services, typed: str | bytes, *more: str) -> dict[str, object]:
    return json.loads(run(services, "suppress", "import", *more, "--json", typed=typed).stdout)  # type: ignore[no-any-return] # JSON.


def sql(world: World, statement: str) -> list[tuple[object, ...]]:
    with world.unit() as ctx:
        answer = ctx.db.execute(text(statement))
        return [tuple(row) for row in answer] if answer.returns_rows else []


def count(world: World, query: str = "SELECT count(*) FROM suppression") -> int:
    return int(str(sql(world, query)[0][0]))


def line(world: World, n: int, **says: object) -> str:
    """A line of a file of this key."""
    with world.unit() as ctx:
        return json.dumps({
            "fingerprint": ctx.sealer.fingerprint("email", f"p{n}@example.org").hex(), "reason": "unsubscribed",
            "channel": "email", "list_id": 0, "topic_id": 0, "day": "2026-01-05", "until": "",
            "key": files.mark_of(ctx.sealer)} | says)


def test_addresses_are_added_and_asked_for_over_standard_input(services: Services, world: World) -> None:
    """Item 4: hashed at once; nothing of them stands in the database, the exits file or the audit log."""
    added = run(services, "suppress", "add", "--json", typed=f"{DANA}\n\nnot an address\nELI@example.com\n")
    assert (added.exit_code, json.loads(added.stdout)["new"]) == (1, 2)
    assert json.loads(added.stdout)["bad_lines"] == [{"line": 3, "why": "no address of this channel"}]
    asked = json.loads(run(services, "suppress", "ask", "--json", typed=f" {DANA.upper()}\n").stdout)
    today = datetime.now(UTC).date().isoformat()
    assert asked == {"on": True, "entries": [
        {"reason": "staff_stop", "list": None, "topic": None, "day": today, "until": None}]}
    assert not json.loads(run(services, "suppress", "ask", "--json", typed="nobody@example.org\n").stdout)["on"]
    assert "Not on the stop list." in run(services, "suppress", "ask", typed="nobody@example.org\n").stdout
    kept = "".join(path.read_text() for path in Path(services.settings.data_dir, "exits").iterdir())
    assert count(world, "SELECT count(*) FROM audit_entry WHERE detail::text LIKE '%@%'") == 0
    assert DANA not in kept and "eli@" not in kept.lower()


def test_what_is_written_out_is_read_in_again_after_everything_was_lost(services: Services, world: World) -> None:
    """Items 4 and 14: reason, scope, day and end travel; a second reading adds nothing."""
    news = world.a_list()
    with world.unit() as ctx:
        for reason, list_id, topic_id, until in (
                (Reason.ERASED, 0, 0, None), (Reason.UNSUBSCRIBED, news.id, 0, None),
                (Reason.STAFF_STOP, news.id, news.topics["Events"], None),
                (Reason.NOT_ME, 0, 0, date(2099, 1, 1))):
            registry.suppress(ctx, channel="email", fingerprint=ctx.sealer.fingerprint("email", DANA), reason=reason,
                              list_id=list_id, topic_id=topic_id, until=until)
        registry.suppress(ctx, channel="email", fingerprint=ctx.sealer.fingerprint("email", ELI), reason=Reason.NOT_ME,
                          until=date(2026, 3, 2))
    for form in files.FORMATS:
        out = run(services, "suppress", "export", "--format", form)
        assert out.exit_code == 0 and "Wrote 4 entries. Entry" in out.stderr and "@" not in out.stdout
        before = sql(world, WHOLE + " WHERE until IS NULL OR until > '2026-03-02' ORDER BY reason")
        sql(world, "TRUNCATE suppression")
        assert imported(services, out.stdout)["new"] == 4
        assert sql(world, WHOLE + " ORDER BY reason") == before
        assert (imported(services, out.stdout)["new"], imported(services, out.stdout)["known"]) == (0, 4)
    assert sql(world, "SELECT kind, reason, people, categories[1] FROM disclosure") == [
        ("export", "own_records", 2, "address fingerprint"), ("export", "own_records", 1, "address fingerprint")]


def test_a_bad_line_in_the_middle_is_named_and_loses_nothing_else(services: Services, world: World) -> None:
    """Bad input of the stop list: cut, of another key, not JSON, not text, from tomorrow, without a list."""
    bad: list[str] = ['{"fingerprint": "zz"', "{}", "[1]", line(world, 90, day="2099-01-01"),
                      line(world, 91, topic_id=4), line(world, 92, key="1-0123456789abcdef"),
                      line(world, 93, reason="paused"),
                      line(world, 94, fingerprint="00ff"), line(world, 95, channel="smoke"), "x" * 5000,
                      line(world, 96, list_id=1 << 70), line(world, 97, until="soon")]
    lines = [line(world, 1), *[each for n, wrong in enumerate(bad) for each in (wrong, line(world, n + 2))]]
    answer = imported(services, "\n".join(lines).encode() + b"\n\xff\xfe\n" + line(world, 50).encode())
    assert (answer["new"], answer["bad"], answer["lines"]) == (len(bad) + 2, len(bad) + 1, len(lines) + 2)
    assert [each["line"] for each in answer["bad_lines"]] == [  # type: ignore[attr-defined] # JSON.
        *range(2, len(lines) + 1, 2), len(lines) + 1]
    assert count(world) == len(bad) + 2


def test_a_file_of_another_key_is_refused_before_anything_is_taken_in(services: Services, world: World) -> None:
    foreign = line(world, 1, key="1-0123456789abcdef")
    for typed in (foreign, "nonsense here", f"{foreign}\n{line(world, 2)}"):
        answer = run(services, "suppress", "import", typed=f"{typed}\n")
        assert answer.exit_code == 1 and count(world) == 0
    assert "made with another key" in run(services, "suppress", "import", typed=foreign).stderr
    head = ",".join(files.COLUMNS)
    foreign = f"{'0' * 64},erased,email,0,0,2026-01-01,,1-{'0' * 16}"
    answer = run(services, "suppress", "import", typed=f"{head}\n{foreign}\n")
    assert answer.exit_code == 1 and "made with another key" in answer.stderr


def test_an_import_ends_the_consents_that_it_covers_and_lifts_nothing(services: Services, world: World) -> None:
    """Item 14, T13: an import can only add, and confirming later revives nothing but what is confirmed."""
    news = world.a_list()
    world.a_form(news)
    sheet = news.topics["Sheet music"]
    world.subscribed(DANA, list(news.topics.values()))
    world.subscribed(ELI, list(news.topics.values()))
    with world.unit() as ctx:
        hashed = ctx.sealer.fingerprint("email", ELI).hex()
    assert imported(services, line(world, 0, fingerprint=hashed, list_id=news.id, topic_id=sheet))["ended"] == 1
    assert world.stands(ELI)[sheet, "own_offers"] == "ended"
    assert world.stands(ELI)[news.topics["Events"], "own_offers"] == "live"

    answer = imported(services, f"{DANA}\n", "--list", news.name, "--reason", "law")
    assert (answer["new"], answer["ended"]) == (1, 3)
    assert set(world.stands(DANA).values()) == {"ended"} and world.stopped(DANA) == {("law", news.id)}
    assert imported(services, f"{DANA}\n", "--list", news.name, "--reason", "law")["known"] == 1
    assert run(services, "suppress", "import", "--topic", "Events", typed=DANA).exit_code == 2
    assert run(services, "suppress", "import", "--list", news.name, "--topic", "Nothing", typed=DANA).exit_code == 1


def test_many_that_were_stopped_are_stopped_again_after_the_database_was_put_back(
        services: Services, world: World) -> None:
    """Items 4 and 20: a file taken in is in the exits file too, a thousand fingerprints to the line."""
    imported(services, "\n".join(line(world, n) for n in range(2500)))
    assert [(each.kind, len(each.detail["fingerprints"])) for each in lines_of(services)] == [
        (ExitKind.EXIT, 1000), (ExitKind.EXIT, 1000), (ExitKind.EXIT, 500)]
    sql(world, "TRUNCATE suppression")
    sql(world, "DELETE FROM exit_mark")
    assert json.loads(run(services, "exits", "status", "--json").stdout)["behind"] == 3
    assert json.loads(run(services, "exits", "apply", "--json").stdout) == {"applied": 3}
    assert count(world) == 2500
    assert count(world, "SELECT count(*) FROM suppression WHERE reason = 'unsubscribed' AND list_id = 0") == 2500


class Endless:
    """Twenty thousand lines, made when they are read; one in the middle is cut."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.lines = iter(lines)

    def readline(self, _size: int) -> bytes:
        return next(self.lines, b"")


def test_a_large_file_is_read_in_parts_of_the_same_size(services: Services, world: World) -> None:
    """A hundredth of the two million lines that `make prove` reads (bench/stop_list.py)."""
    made = wiring.build(services.settings, services.engine, services.jobs)
    means = Means(made.sealer, made.channels, services.clock.now().date())
    with world.unit() as ctx:
        mark = files.mark_of(ctx.sealer)
    lines = (b"{cut\n" if n == 9_999 else
             b'{"fingerprint":"%064x","reason":"erased","channel":"email","day":"2026-01-01","key":"%s"}\n' % (
                 n, mark.encode()) for n in range(20_000))
    sizes = []
    for part in files.parts(Endless(lines), Plain(), means):  # type: ignore[arg-type] # It reads lines and nothing else.
        with world.unit() as ctx:
            sizes.append((len(registry.suppress_many(ctx, part.stops)), [each.number for each in part.bad]))
    assert sizes == [(9_999, [10_000]), (10_000, [])]
    assert count(world) == 19_999
