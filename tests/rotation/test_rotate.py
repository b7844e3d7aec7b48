"""A new master key is taken into use: nobody on the stop list is missed, nothing is lost, and a kill costs nothing."""

import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, text

from mailer import keyfile, wiring
from mailer.audience import contact_points, people
from mailer.audience.models import ContactPoint, PendingRequest
from mailer.audience.reveal import reveal
from mailer.context import Context
from mailer.core.errors import KeyProblem
from mailer.core.links import Link
from mailer.core.reasons import Reason
from mailer.core.vault import KeyRing, Sealer
from mailer.organisation import key_state
from mailer.organisation.profile import ensure_instance
from mailer.rotation import prints, rotate, wraps
from mailer.services import Services, unit_of_work
from mailer.settings import Settings
from mailer.subscriptions import stop_other
from mailer.suppression import registry
from mailer.suppression.models import Suppression
from tests.people.builders import a_list, ask, join

Unit = Callable[[], AbstractContextManager[Context]]


@pytest.fixture
def unit(services: Services) -> Unit:
    with unit_of_work(services) as ctx:
        ensure_instance(ctx)
    return partial(unit_of_work, services)


def turn(services: Services, unit: Unit) -> rotate.State:
    rotate.add(services.settings.key_file, services.tokens)
    return rotate.run(unit, services.settings.key_file, services.tokens, lambda _: None)


def stopped(unit: Unit, address: str) -> set[str]:
    with unit() as ctx:
        identity = contact_points.parse(ctx, "email", address).identity
        return {each.reason for each in registry.entries(ctx, "email", ctx.sealer.fingerprints("email", identity))}


def three(unit: Unit) -> tuple[int, list[ContactPoint]]:
    with unit() as ctx:
        made, topics = a_list(ctx)
        points = [join(ctx, f"turn{n}@example.org", made.id, topics) for n in range(3)]
        ask(ctx, "turning@example.org", made.id, topics)
        registry.suppress(ctx, channel="email", fingerprint=points[0].fingerprint, reason=Reason.UNSUBSCRIBED)
        stop_other.stop(ctx, "email", "nobody@example.net", network="n")
        return made.id, points


def test_a_key_file_keeps_its_keys_and_its_mode_and_is_replaced_whole(services: Services) -> None:
    """Decision 15."""
    path = services.settings.key_file
    before = keyfile.load(path)
    ring = rotate.add(path, services.tokens)
    assert (ring.newest, ring.latest, ring.keys[1]) == (1, 2, before.keys[1])
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["active"] == 1
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    with pytest.raises(KeyProblem, match="never loses a key"):
        keyfile.replace(path, KeyRing({2: ring.keys[2]}), services.tokens)


def test_a_second_key_made_at_the_same_moment_takes_the_place_of_none(services: Services) -> None:
    """Decision 15: the key of the first would open nothing any more."""
    path = services.settings.key_file
    rings: list[KeyRing] = []
    with keyfile.alone(path):
        second = threading.Thread(target=lambda: rings.append(rotate.add(path, services.tokens)))
        second.start()
        second.join(0.5)
        assert second.is_alive()
        keyfile.replace(path, KeyRing({**keyfile.load(path).keys, 2: b"f" * 32}, 1), services.tokens)
    second.join(30)
    assert [(ring.newest, ring.latest, ring.keys[2]) for ring in rings] == [(1, 2, b"f" * 32)]


def test_after_a_rotation_everybody_is_found_stopped_and_opened_under_the_new_key(
        services: Services, unit: Unit) -> None:
    """Item 4, decision 17: entries without an address rotate too."""
    list_id, points = three(unit)
    token = services.signer.sign(Link.LEAVE, points[0].id)
    done = turn(services, unit)
    assert (done.in_use, done.required, done.settled, done.waiting, done.begun) == (2, 2, 2, {}, False)
    assert stopped(unit, "turn0@example.org") == {"unsubscribed"} == stopped(unit, "nobody@example.net")
    assert stopped(unit, "turn1@example.org") == set()
    with unit() as ctx:
        assert set(ctx.db.scalars(select(Suppression.fingerprint_version))) == {2}
        for number, point in enumerate(points):
            address = contact_points.parse(ctx, "email", f"turn{number}@example.org")
            found = contact_points.find(ctx, "email", address)
            assert found is not None and (found.id, found.fingerprint_version) == (point.id, 2)
            assert found.fingerprint == ctx.sealer.fingerprint("email", address.identity)
            wrapped = ctx.db.scalar(text("SELECT wrapped FROM vault.person_key WHERE person_id = :id"),
                                    {"id": point.person_id})
            assert wrapped[0] == 2
            assert reveal(services.opener, wrapped=wrapped, person_id=point.person_id,
                          sealed=found.sealed) == address.normalised
        [pending] = ctx.db.scalars(select(PendingRequest))
        assert people.admit(ctx, pending).fingerprint_version == 2
        assert key_state.misfit(ctx) == ""
    assert services.signer.read(token, Link.LEAVE).first == points[0].id, "verification keys are kept for ever"
    assert turn(services, unit).in_use == 3
    assert stopped(unit, "turn0@example.org") == {"unsubscribed"} == stopped(unit, "nobody@example.net")


STEPS: list[tuple[str, Callable[[Services, Unit], object]]] = [
    ("add", lambda services, unit: rotate.add(services.settings.key_file, services.tokens)),
    ("require", lambda services, unit: rotate.require(unit, 2)),
    ("settle", lambda services, unit: rotate.settle(unit, 2)),
    ("people", lambda services, unit: rotate._all_rows(unit, prints.CONTACT_POINTS, 2)),
    ("use", lambda services, unit: keyfile.replace(
        services.settings.key_file, KeyRing(keyfile.load(services.settings.key_file).keys), services.tokens)),
    ("follow", lambda services, unit: rotate.follow(unit, 2)),
]


def judged(services: Services, point_id: int, list_id: int) -> str:
    """What the gate's look-up says of somebody, by the fingerprint that their row bears now."""
    with unit_of_work(services) as ctx:
        point = ctx.db.get_one(ContactPoint, point_id)
        return ",".join(sorted(each.reason for each in registry.entries(ctx, "email", [point.fingerprint])))


@pytest.mark.parametrize("ended_after", range(1, len(STEPS) + 1), ids=[name for name, _ in STEPS])
def test_a_rotation_killed_after_any_step_misses_nobody_and_is_finished_by_the_next(
        services: Services, unit: Unit, ended_after: int) -> None:
    """Items 4 and 20: also who leaves, asks and confirms in the middle."""
    list_id, points = three(unit)
    for _, step in STEPS[:ended_after]:
        step(services, unit)
    services.sealer.knows_version(2)
    assert judged(services, points[0].id, list_id) == "unsubscribed"
    with unit() as ctx:
        stop_other.stop(ctx, "email", "turn1@example.org", network="m")
        stop_other.stop(ctx, "email", "late@example.net", network="m")
        topics = [each for [each] in ctx.db.execute(text("SELECT id FROM topic WHERE list_id = :l"), {"l": list_id})]
        again = people.admit(ctx, ask(ctx, "turn2@example.org", list_id, topics))
        assert again.id == points[2].id, "one address is one person, whatever version it lies under"
        fresh = people.admit(ctx, ask(ctx, "fresh@example.org", list_id, topics))
        registry.suppress(ctx, channel="email", fingerprint=fresh.fingerprint, reason=Reason.COMPLAINED,
                          version=fresh.fingerprint_version)
    assert judged(services, points[1].id, list_id) == "unsubscribed"
    assert judged(services, fresh.id, list_id) == "complained"
    done = rotate.run(unit, services.settings.key_file, services.tokens, lambda _: None)
    assert (done.in_use, done.begun) == (2, False)
    for address, reason in (("turn0@example.org", "unsubscribed"), ("turn1@example.org", "unsubscribed"),
                            ("late@example.net", "unsubscribed"), ("fresh@example.org", "complained"),
                            ("nobody@example.net", "unsubscribed")):
        assert stopped(unit, address) == {reason}, address
        if "nobody" not in address and "late" not in address:
            with unit() as ctx:
                assert contact_points.find(ctx, "email", contact_points.parse(ctx, "email", address)) is not None
    with unit() as ctx:
        registry.lift(ctx, channel="email", fingerprints=[ctx.db.get_one(ContactPoint, points[1].id).fingerprint],
                      reasons=[Reason.UNSUBSCRIBED])
    assert stopped(unit, "turn1@example.org") == set()


def test_a_process_that_runs_follows_the_key_file_without_being_told(services: Services, unit: Unit) -> None:
    other = wiring.build(services.settings, services.engine, services.jobs, clock=services.clock)
    three(unit)
    turn(services, unit)
    sealed = services.sealer.new_key(person=7)
    assert sealed.wrapped[0] == 2
    assert other.opener.unwrap(sealed.wrapped, person=7), "an unknown key id makes it read the file again"
    assert other.signer.read(services.signer.sign(Link.LEAVE, 9), Link.LEAVE).first == 9


def test_a_host_whose_key_file_was_not_copied_sends_nothing_and_stops_nobody_half(
        services: Services, unit: Unit, tmp_path: Path) -> None:
    """Decision 17: a key id that nobody here knows is a refusal, never a miss."""
    _, points = three(unit)
    old = tmp_path / "old.key"
    old.write_bytes(services.settings.key_file.read_bytes())
    old.chmod(0o600)
    turn(services, unit)
    stale = wiring.build(_with_key(services, old), services.engine, services.jobs, clock=services.clock)
    with unit_of_work(stale) as ctx:
        assert "copy the file" in key_state.misfit(ctx)
    with pytest.raises(KeyProblem), unit_of_work(stale) as ctx:
        registry.suppress(ctx, channel="email", fingerprint=ctx.sealer.fingerprint("email", "x@example.org"),
                          reason=Reason.UNSUBSCRIBED)
    with pytest.raises(KeyProblem), unit_of_work(stale) as ctx:
        stop_other.stop(ctx, "email", "y@example.org", network="n")
    wrong = tmp_path / "wrong.key"
    keyfile.write(wrong, {**keyfile.load(old).keys, 2: b"x" * 32}, services.tokens)
    mistaken = wiring.build(_with_key(services, wrong), services.engine, services.jobs, clock=services.clock)
    with unit_of_work(mistaken) as ctx:
        assert "the right key" in key_state.misfit(ctx)


def test_a_database_put_back_from_before_a_rotation_sends_nothing_until_it_was_brought_up(
        services: Services, unit: Unit) -> None:
    """Item 20."""
    _, points = three(unit)
    turn(services, unit)
    with unit() as ctx:
        # What a restore of an older generation leaves: entries and marks of the older key.
        instance = ensure_instance(ctx)
        instance.key_required, instance.key_settled, instance.key_check = 1, 1, None
        old = Sealer(KeyRing({1: keyfile.load(services.settings.key_file).keys[1]}), services.tokens)
        ctx.db.execute(text("UPDATE suppression SET fingerprint = :print, fingerprint_version = 1 WHERE fingerprint = "
                            ":now"), {"print": old.fingerprint("email", "nobody@example.net"),
                                      "now": ctx.sealer.fingerprint("email", "nobody@example.net")})
        ctx.db.flush()
        assert "rotate --resume" in key_state.misfit(ctx)
    with unit() as ctx:
        assert rotate.state(ctx, keyfile.load(services.settings.key_file)).begun
    rotate.run(unit, services.settings.key_file, services.tokens, lambda _: None)
    with unit() as ctx:
        assert key_state.misfit(ctx) == ""
    assert stopped(unit, "nobody@example.net") == {"unsubscribed"}


def test_entries_that_say_the_same_under_two_keys_become_one_and_the_stricter_holds(
        services: Services, unit: Unit) -> None:
    three(unit)
    rotate.add(services.settings.key_file, services.tokens)
    rotate.require(unit, 2)
    with unit() as ctx:
        old = ctx.sealer.fingerprint("email", "nobody@example.net")
        ctx.db.execute(text("UPDATE suppression SET until = '2099-01-01' WHERE fingerprint = :p"), {"p": old})
        registry.suppress(ctx, channel="email", fingerprint=old, reason=Reason.UNSUBSCRIBED)
    rotate.settle(unit, 2)
    with unit() as ctx:
        [entry] = registry.entries(ctx, "email", ctx.sealer.fingerprints("email", "nobody@example.net"))
        assert (entry.until, entry.fingerprint_version) == (None, 2)


def test_a_broken_key_is_left_and_the_rest_is_wrapped_anew(services: Services, unit: Unit) -> None:
    _, points = three(unit)
    with unit() as ctx:
        ctx.db.execute(text("UPDATE vault.person_key SET wrapped = '\\x01ff' WHERE person_id = :id"),
                       {"id": points[0].person_id})
    done = turn(services, unit)
    assert (done.waiting, done.begun) == ({"vault.person_key": 1}, False)
    with unit() as ctx:
        assert wraps.remaining(ctx) == {"vault.person_key": 1}


def _with_key(services: Services, path: Path) -> Settings:
    return replace(services.settings, key_file=path)
