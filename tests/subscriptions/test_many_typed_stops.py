"""A thousand stops for other people's addresses, typed from one network: slowed, told, undoable (promise item 25)."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import text

from mailer.audience.models import ContactPoint
from mailer.core.reasons import Reason
from mailer.subscriptions import leave, stop_other, undo
from mailer.subscriptions.models import Goodbye
from tests.builders import World
from tests.conftest import FixedClock

MANY, KNOWN = 1000, 12
STOPPED = (Reason.UNSUBSCRIBED, 0)


def typed(world: World, address: str, network: str = "prank") -> stop_other.Stopped:
    with world.unit() as ctx:
        return stop_other.stop(ctx, "email", address, network=network)


def live(world: World, address: str) -> bool:
    return "live" in world.stands(address).values()


@dataclass(frozen=True)
class Prank:
    """A thousand typed stops: a few for people of ours, in the middle, all others for nobody we know."""

    people: list[str]
    others: list[str]
    answers: list[stop_other.Stopped]


@pytest.fixture
def prank(world: World) -> Prank:
    news = world.a_list()
    world.a_form(news)
    people = [f"known{n}@example.org" for n in range(KNOWN)]
    for address in (*people, "gus@example.org", "hal@example.org"):
        world.subscribed(address, [news.topics["Events"]])
    others = [f"unknown{n}@example.org" for n in range(MANY - KNOWN)]
    return Prank(people, others, [typed(world, address) for address in (*others[:5], *people, *others[5:])])


def all_applied(world: World) -> int:
    """What the ticker does, turn by turn; how many took effect."""
    applied = 0
    while True:
        with world.unit() as ctx:
            done = stop_other.apply_due(ctx)
        applied += done
        if not done:
            return applied


def test_a_thousand_typed_by_one_network_wait_while_genuine_ones_act_at_once(
        world: World, prank: Prank, clock: FixedClock) -> None:
    """T13, section 3, 25: none is refused, five act at once, the others wait at most a day, the officer is told."""
    assert sum(not each.delayed for each in prank.answers) == 5 and world.stopped(prank.others[4]) == {STOPPED}
    assert max(each.at for each in prank.answers) == clock.now() + timedelta(hours=24)
    assert all(live(world, address) for address in prank.people)
    with world.unit() as ctx:
        assert ctx.db.scalar(text("SELECT count(*) FROM audit_entry WHERE act = 'typed_stops_slowed'")) == 1

    assert not typed(world, "gus@example.org", "home").delayed and not live(world, "gus@example.org")
    hal = world.point("hal@example.org")
    assert hal
    with world.unit() as ctx:
        leave.leave(ctx, ctx.db.get_one(ContactPoint, hal.id), how="one_click")
    assert not live(world, "hal@example.org")


def test_who_was_stopped_by_a_thousand_is_told_in_their_own_mailbox_and_takes_it_back(
        world: World, prank: Prank, clock: FixedClock) -> None:
    """T13, section 3, 25: told and undoable for 14 days; nobody else is written to."""
    clock.advance(hours=24)
    assert all_applied(world) == MANY - 5 and not any(live(world, address) for address in prank.people)
    assert world.stopped(prank.others[-1]) == {STOPPED}
    notices = [each for each in world.letters("service_notice") if each.detail["template"] == "stopped"]
    assert len(notices) == KNOWN
    clock.advance(days=13)
    for address in prank.people:
        point = world.point(address)
        assert point
        with world.unit() as ctx:
            goodbye = ctx.db.query(Goodbye).filter_by(contact_point_id=point.id).one()
            assert undo.undo(ctx, goodbye.id, point.id).at
    assert all(live(world, address) for address in prank.people) and world.stopped(prank.people[0]) == set()
