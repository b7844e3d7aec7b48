"""Backups that an erasure reaches, putting them back, and the fence that then holds until everybody's exit is known."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from mailer import wiring
from mailer.backup import make, sealed
from mailer.campaigns import launch
from mailer.campaigns.models import Campaign
from mailer.cli.doctor import key_archive
from mailer.consent import ledger
from mailer.core.errors import InvalidInput
from mailer.core.messages import CampaignState
from mailer.core.reasons import Reason
from mailer.exits import fence
from mailer.exits.override import override
from mailer.rotation import rotate
from mailer.services import Services, unit_of_work
from mailer.suppression import registry
from tests.backup.world import NAMES, World, back_up, gone, renew
from tests.people.builders import EVIDENCE
from workers import ticker


def leave(here: World, number: int) -> None:
    point = here.points[number]
    with unit_of_work(here.services) as ctx:
        ledger.end_all(ctx, point, evidence=EVIDENCE)
        registry.suppress(ctx, channel="email", fingerprint=point.fingerprint, reason=Reason.UNSUBSCRIBED)


def state(services: Services) -> fence.Fence:
    with unit_of_work(services) as ctx:
        return fence.check(ctx.db.connection(), wiring.exits_folder(services.settings), ctx.host)


def everything(folder: Path, identity: Path) -> bytes:
    """All that somebody sees who has the identity, and not the key file."""
    found: list[bytes] = []
    for path in sorted(folder.glob("*.age")):
        sealed.unseal(path, sealed.identities(identity), found.append)
    return b"".join(found)


def test_a_generation_holds_no_key_and_the_archive_of_keys_has_one_name(here: World) -> None:
    """Item 20, decision 16."""
    first = back_up(here)
    second = back_up(here)
    assert sorted(path.name for path in here.folder.iterdir()) == sorted(
        [first.generation, second.generation, "keys.age"])
    assert {path.stat().st_mode & 0o777 for path in here.folder.iterdir()} == {0o600}
    with here.services.engine.connect() as connection:
        wrapped = [bytes(each) for each in connection.execute(text("SELECT wrapped FROM vault.person_key")).scalars()]
    master = here.services.settings.key_file.read_text()[10:60].encode()
    held: list[bytes] = []
    sealed.unseal(here.folder / second.generation, sealed.identities(here.identity), held.append)
    assert not any(key in b"".join(held) or key.hex().encode() in b"".join(held) for key in wrapped)
    assert all(key in everything(here.folder, here.identity) for key in wrapped)
    assert master not in everything(here.folder, here.identity)
    raw = b"".join(path.read_bytes() for path in here.folder.iterdir())
    assert not any(name.encode() in raw or name.encode() in everything(here.folder, here.identity) for name in NAMES)
    found = make.verify(here.folder, sealed.identities(here.identity))
    assert (found["generations"], found["keys"]) == ([first.generation, second.generation], len(NAMES))


def test_who_left_or_was_erased_since_the_backup_is_not_written_to_after_a_restore(here: World) -> None:
    """Item 20: an old generation, the newest keys, and exits applied."""
    back_up(here)
    for number in (0, 1, 2):
        leave(here, number)
    for number in (3, 4):
        gone(here, number)
    renew(here)
    with here.empty_database() as url:
        done = here.command("restore", str(here.folder), "--identity", str(here.identity), url=url)
        assert (done["keys"], done["without_key"], done["missing_hosts"]) == (len(NAMES) - 2, 2, [])
        with here.on(url) as restored:
            assert state(restored).refuses
            assert here.command("exits", "apply", url=url)["applied"]
            assert not state(restored).refuses
            with unit_of_work(restored) as ctx:
                for number in range(3):
                    [entry] = registry.entries(ctx, "email", [here.points[number].fingerprint])
                    assert entry.reason == "unsubscribed"
                people = set(ctx.db.execute(text("SELECT id FROM person")).scalars())
                assert people == {point.person_id for point in here.points} - {
                    here.points[3].person_id, here.points[4].person_id}
                for number in (3, 4):
                    assert "erased" in {each.reason for each in registry.entries(
                        ctx, "email", [here.points[number].fingerprint])}


def test_with_the_keys_from_before_an_erasure_nothing_of_the_erased_is_readable_once_exits_are_applied(
        here: World) -> None:
    """Item 20."""
    back_up(here)
    older = (here.folder / make.KEYS).read_bytes()
    gone(here, 3)
    renew(here)
    (here.folder / make.KEYS).write_bytes(older)
    with here.empty_database() as url:
        assert here.command("restore", str(here.folder), "--identity", str(here.identity), url=url)["without_key"] == 0
        with here.on(url) as restored:
            assert state(restored).refuses
            here.command("exits", "apply", url=url)
            with unit_of_work(restored) as ctx:
                one = {"id": here.points[3].person_id}
                for statement in ("SELECT count(*) FROM person WHERE id = :id",
                                  "SELECT count(*) FROM vault.person_key WHERE person_id = :id",
                                  "SELECT count(*) FROM contact_point WHERE person_id = :id"):
                    assert ctx.db.scalar(text(statement), one) == 0


def test_a_host_whose_exits_file_is_missing_is_named_and_nothing_is_sent_until_it_is_brought(
        here: World, tmp_path: Path) -> None:
    """Item 20, decision 19: a new machine, with no exits file at all, must not count as one where nobody left."""
    leave(here, 0)
    back_up(here)
    leave(here, 1)
    fresh = tmp_path / "fresh"
    with here.empty_database() as url:
        done = here.command("restore", str(here.folder), "--identity", str(here.identity), url=url, data_dir=fresh)
        host = here.services.exits_log.host
        assert done["missing_hosts"] == [host]
        with here.on(url, data_dir=fresh) as restored:
            found = state(restored)
            assert (found.refuses, found.missing_hosts) == (True, (host,))
            here.command("exits", "apply", url=url, data_dir=fresh)
            assert state(restored).refuses, "applying what is not there mends nothing"
            (fresh / "exits").mkdir(exist_ok=True)
            shutil.copy(wiring.exits_folder(here.services.settings) / f"{host}.jsonl", fresh / "exits")
            assert state(restored).behind == 1
            here.command("exits", "apply", url=url, data_dir=fresh)
            assert not state(restored).refuses
            with unit_of_work(restored) as ctx:
                assert registry.entries(ctx, "email", [here.points[1].fingerprint])


def test_our_own_exits_file_that_is_lost_is_not_made_up_from_the_old_database(here: World) -> None:
    """Decision 19: only the officer may go on without it, with a reason, and the audit trail says so."""
    leave(here, 0)
    back_up(here)
    leave(here, 1)
    shutil.rmtree(wiring.exits_folder(here.services.settings))
    with here.empty_database() as url:
        here.command("restore", str(here.folder), "--identity", str(here.identity), url=url)
        with here.on(url) as restored:
            assert state(restored).refuses
            for _ in range(2):
                here.command("exits", "apply", url=url)
                assert state(restored).refuses
            with unit_of_work(restored) as ctx, pytest.raises(InvalidInput):
                override(ctx, ctx.host, officer_id=1, reason="because")
            refused = here.command("exits", "override", restored.exits_log.host, "--officer", "nobody@example.org",
                                   "--reason", "the disk was lost in the fire", url=url, check=False)
            assert "privacy officer" in str(refused["error"])
            with unit_of_work(restored) as ctx:
                override(ctx, ctx.host, officer_id=1, reason="the disk was lost in the fire")
            assert not state(restored).refuses
            with unit_of_work(restored) as ctx:
                [said] = ctx.db.execute(text("SELECT detail FROM audit_entry WHERE act = 'override_exits'")).scalars()
                assert said == {"officer": "staff:1", "reason": "the disk was lost in the fire"}


def test_a_generation_from_before_a_rotation_is_brought_up_to_the_key_file(here: World) -> None:
    """Items 4 and 20."""
    leave(here, 0)
    back_up(here)
    rotate.add(here.services.settings.key_file, here.services.tokens)
    rotate.run(partial(unit_of_work, here.services), here.services.settings.key_file, here.services.tokens,
               lambda _: None)
    leave(here, 1)
    renew(here)
    with here.empty_database() as url:
        here.command("restore", str(here.folder), "--identity", str(here.identity), url=url)
        here.command("exits", "apply", url=url)
        with here.on(url) as restored, unit_of_work(restored) as ctx:
            assert set(ctx.db.execute(text("SELECT fingerprint_version FROM suppression")).scalars()) == {2}
            for number in (0, 1):
                prints = ctx.sealer.fingerprints("email", f"{NAMES[number]}{number}@example.org")
                assert {each.reason for each in registry.entries(ctx, "email", prints)} == {"unsubscribed"}


def test_the_archive_of_keys_is_due_when_it_is_missing_or_twelve_hours_old(here: World) -> None:
    """Decision 16: at the latest 24 hours after an erasure."""
    assert make.keys_are_due(here.folder, here.clock.now())
    back_up(here)
    written = (here.folder / make.KEYS).stat().st_mtime
    at = here.clock.now().fromtimestamp(written, here.clock.now().tzinfo)
    assert not make.keys_are_due(here.folder, at + make.OLDEST_KEYS / 2)
    assert make.keys_are_due(here.folder, at + make.OLDEST_KEYS * 1.1)


def test_the_ticker_replaces_an_archive_of_keys_that_is_old_and_the_doctor_sees_an_erasure_that_waits(
        here: World) -> None:
    """Decision 16: without a word from anybody."""
    with unit_of_work(here.services) as ctx:
        assert key_archive(ctx).ok
    gone(here, 0)
    here.clock.advance(hours=25)
    with unit_of_work(here.services) as ctx:
        assert not key_archive(ctx).ok
    settings = replace(here.services.settings, backup_dir=here.folder, backup_recipient=here.recipient)
    ticker.renew_keys(replace(here.services, settings=settings))
    written = (here.folder / make.KEYS).read_bytes()
    with unit_of_work(here.services) as ctx:
        assert key_archive(ctx).ok
    ticker.renew_keys(replace(here.services, settings=settings))
    assert (here.folder / make.KEYS).read_bytes() == written, "a fresh one is left"


def test_the_commands_of_the_runbook_do_what_it_says(here: World) -> None:
    """Back up, look at it, and take a new key into use in two steps, as with many machines."""
    made = here.command("backup", str(here.folder), "--recipient", here.recipient)
    seen = here.command("backup", "verify", str(here.folder), "--identity", str(here.identity))
    assert (seen["generations"], seen["keys"]) == ([made["generation"]], len(NAMES))
    assert here.command("keys", "rotate", "--resume")["begun"] is False
    assert here.command("keys", "rotate", "--add") == {"latest": 2}
    waits = here.command("keys", "rotate", "--status")
    assert (waits["in_use"], waits["latest"], waits["begun"]) == (1, 2, True)
    assert here.command("keys", "rotate", "--add") == {"latest": 2}, "a second one adds no third key"
    done = here.command("keys", "rotate")
    assert (done["in_use"], done["waiting"], done["begun"]) == (2, {}, False)


def test_after_a_restore_no_campaign_goes_on_or_starts_by_itself(here: World) -> None:
    """Item 20: whoever was accepted since the backup is not known to it."""
    now = here.clock.now()
    with unit_of_work(here.services) as ctx:
        for state in (CampaignState.SENDING, CampaignState.SCHEDULED, CampaignState.STARTING, CampaignState.SENT):
            ctx.db.add(Campaign(name=state, mode="live", list_id=here.list_id, state=state, created_at=now,
                                changed_at=now, send_at=now if state in launch.STARTING else None, planned=0,
                                accepted=0, refused=0, failed=0, expired=0, uncertain=0))
            ctx.db.flush()
    back_up(here)
    with here.empty_database() as url:
        done = here.command("restore", str(here.folder), "--identity", str(here.identity), url=url)
        assert (done["paused"], done["unscheduled"]) == ([1], [2, 3])
        with here.on(url) as restored, unit_of_work(restored) as ctx:
            found = {each.name: (each.state, each.why_paused, each.send_at) for each in ctx.db.query(Campaign)}
    assert found == {"sending": ("paused", "restored", None), "scheduled": ("draft", None, None),
                     "starting": ("draft", None, None), "sent": ("sent", None, None)}


def test_a_restore_that_falls_over_at_the_keys_has_closed_the_fence_already(here: World, tmp_path: Path) -> None:
    """Item 20, decision 19."""
    leave(here, 0)
    back_up(here)
    header = sealed.header_of(here.folder / make.KEYS, sealed.identities(here.identity))
    sealed.seal(here.folder / make.KEYS, header, [b"no archive"], sealed.recipients(here.recipient))
    with here.empty_database() as url:
        said = here.command("restore", str(here.folder), "--identity", str(here.identity), url=url, check=False,
                            data_dir=tmp_path / "fresh")
        assert "cut" in str(said["error"])
        with here.on(url, data_dir=tmp_path / "fresh") as restored:
            assert state(restored).refuses


def test_a_host_whose_first_exit_is_younger_than_the_generation_is_missed_too(here: World, tmp_path: Path) -> None:
    """Item 20, decision 19: the archive of keys knows it."""
    back_up(here)
    with here.on(here.services.settings.database_url, data_dir=tmp_path / "second") as second:
        leave(replace(here, services=second), 0)
        host = second.exits_log.host
    renew(here)
    with here.empty_database() as url:
        done = here.command("restore", str(here.folder), "--identity", str(here.identity), url=url)
        assert done["missing_hosts"] == [host]
        with here.on(url) as restored:
            assert state(restored).refuses
