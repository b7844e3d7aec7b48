"""Who leaves calls their message back: it is taken out of the queue, and their answer waits for nobody else's (M17)."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic, sleep

import pytest

from mailer.campaigns.status import Status
from mailer.core.channel import Clearance
from mailer.core.messages import CampaignState
from mailer.core.modes import Mode
from mailer.core.wire import Transport
from mailer.outbox.seat import Ways
from tests.fakes.transport import FakeTransport
from tests.flows.world import Sending

PEOPLE = 40
"""One slice."""

PATIENCE = 20.0
AT_WORK = "FROM pg_stat_activity WHERE application_name = 'mailer dispatch' AND datname = current_database()"


class StandsStill:
    """Opens a provider in memory that begins a few messages and then nothing more until it may go on."""

    def __init__(self) -> None:
        self.provider = FakeTransport(self._began)
        self.stands = threading.Event()

    def open(self, channel: str, mode: Mode) -> Transport:
        return self.provider

    def go_on(self) -> None:
        self.provider.on_begin, self.provider.full = None, False

    def _began(self, clearance: Clearance) -> None:
        self.provider.full = True
        self.stands.set()


@pytest.fixture
def way(world: Sending) -> StandsStill:
    made = StandsStill()
    world.services = replace(world.services, transports=made)
    world.ways = Ways(world.services)
    return made


@pytest.fixture
def number(world: Sending) -> int:
    world.people(PEOPLE)
    return world.launched()


@contextmanager
def standing_still(world: Sending, way: StandsStill, number: int) -> Iterator[Callable[[], Status]]:
    """While a turn has begun a few of its slice and holds the rest; calling what is given sees it to its end."""
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(world.turn, number)

        def to_the_end() -> Status:
            way.go_on()
            return turn.result(timeout=PATIENCE)

        try:
            assert way.stands.wait(PATIENCE)
            until(lambda: world.states(number)["accepted"] > 0)
            yield to_the_end
        finally:
            way.go_on()


def until(true: Callable[[], bool]) -> None:
    ends = monotonic() + PATIENCE
    while not true() and monotonic() < ends:
        sleep(0.02)
    assert true()


def in_hand(world: Sending, number: int) -> list[int]:
    return sorted(point for point, row in world.rows(number).items() if row.state == "handed")


def test_who_leaves_is_taken_out_of_the_queue_and_nobody_else_is(
        world: Sending, way: StandsStill, number: int) -> None:
    """The rest of the slice is still in hand when they have their answer, so they did not wait for it."""
    with standing_still(world, way, number) as to_the_end:
        *others, leaver = in_hand(world, number)
        world.leave(leaver)
        assert world.rows(number)[leaver].state == "ready"
        assert in_hand(world, number) == others
        seen = to_the_end()

    assert (seen.state, seen.accepted, dict(seen.refused_by_reason)) == (
        CampaignState.SENT, PEOPLE - 1, {"unsubscribed": 1})
    assert world.address(leaver) not in {each.clearance.address for each in way.provider.delivered}
    assert len(way.provider.delivered) == PEOPLE - 1


def test_several_who_leave_at_once_are_all_taken_out(world: Sending, way: StandsStill, number: int) -> None:
    with standing_still(world, way, number) as to_the_end:
        leavers = in_hand(world, number)[-6:]
        with ThreadPoolExecutor(len(leavers)) as pool:
            list(pool.map(world.leave, leavers))
        rows = world.rows(number)
        assert {rows[leaver].state for leaver in leavers} == {"ready"}
        seen = to_the_end()

    assert (seen.accepted, seen.refused) == (PEOPLE - len(leavers), len(leavers))


def test_a_connection_that_was_opened_anew_hears_who_leaves(
        world: Sending, way: StandsStill, number: int) -> None:
    """The database hangs up on a dispatcher that asks it nothing; what is not safe is written again, over another."""
    with standing_still(world, way, number) as to_the_end:
        world.sql(f"SELECT pg_terminate_backend(pid, 5000) {AT_WORK}")
        until(lambda: bool(world.sql(f"SELECT {AT_WORK} AND query NOT LIKE 'LISTEN%' AND query <> ''")))
        leaver = in_hand(world, number)[-1]
        world.leave(leaver)
        assert world.rows(number)[leaver].state == "ready"
        seen = to_the_end()

    assert (seen.accepted, seen.refused) == (PEOPLE - 1, 1)
    assert len(way.provider.delivered) == PEOPLE - 1


def test_whoever_sends_nothing_listens_to_nobody(world: Sending, way: StandsStill, number: int) -> None:
    """What nobody reads would pile up in the database."""
    way.go_on()
    with world.seat() as seat:
        assert world.turn(number).accepted == PEOPLE
        assert not world.sql("SELECT FROM pg_listening_channels()")
        assert not seat.road().execute("SELECT FROM pg_listening_channels()").fetchall()
