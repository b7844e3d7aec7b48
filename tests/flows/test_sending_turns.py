"""What one turn of one thread leaves behind for the next, and how little a single person's trouble holds up."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from mailer.channels.email.headers import UnsafeHeader
from mailer.core.messages import MessageClass
from mailer.core.modes import Mode
from mailer.outbox import dispatch, pack
from mailer.outbox.assignment import Assignment
from mailer.outbox.seat import Seat
from mailer.outbox.send_singles import send_singles
from tests.builders import World
from tests.fakes.smtp_server import SmtpServer
from tests.flows import world as worlds
from tests.flows.world import Sending

MANY = 400


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server may take ten seconds to answer a content, and a turn is over after one."""
    monkeypatch.setattr(worlds, "SHORT", replace(worlds.SHORT, dot=10.0))
    monkeypatch.setattr(dispatch, "A_TURN", 1.0)
    yield


def test_a_thread_that_waits_for_the_database_drives_no_wire_that_it_has_given_back(world: Sending) -> None:
    """Two threads on one wire could write an envelope into somebody else's message."""
    world.people(5)
    number = world.launched()
    with world.seat() as seat:
        dispatch.take_turn(seat, number)
        with world.ways.wire("email", Mode.LIVE):
            assert seat.road().wire is None
            world.ways.tidy(older_than=0)
            assert seat.road().execute("SELECT 1").fetchone() == (1,)


def test_a_thread_sends_single_messages_and_campaigns_after_its_connections_were_tidied_away(world: Sending) -> None:
    world.people(5, "first")
    first = world.launched("first")
    house = World(world.services)
    listed = house.a_list()
    house.a_form(listed)
    with world.seat() as seat:
        dispatch.take_turn(seat, first)
        world.ways.tidy(older_than=0)
        house.asked("dana.ordinary@example.org", [listed.topics["Events"]])
        assert send_singles(seat)
        assert world.sql("SELECT class, state FROM single_message") == [(MessageClass.CONFIRMATION, "accepted")]
        world.people(30, "second")
        second = world.launched("second")
        dispatch.take_turn(seat, second)
    assert world.states(second)["accepted"] == 30


def test_a_wire_that_fails_leaves_no_half_asked_connection_behind(world: Sending) -> None:
    world.people(5)
    number = world.launched()
    with world.seat() as seat:
        dispatch.take_turn(seat, number)
        wire = world.ways.out("email", Mode.LIVE).wire()
        wire.close()
        with pytest.raises(ValueError, match="closed"):
            seat.road(wire).execute("SELECT 1")
        assert seat.road().execute("SELECT 1").fetchone() == (1,)


def test_a_campaign_that_cannot_be_built_hands_nobody_over(world: Sending) -> None:
    """Its text passed every check, and yet: nothing is claimed, so nothing is left in anybody's hands."""
    services = world.services
    world.services = replace(services, settings=replace(services.settings, public_url="https://my_host.example"))
    world.people(60)
    number = world.launched()
    with world.seat() as seat, pytest.raises(UnsafeHeader):
        dispatch.take_turn(seat, number)
    assert (world.states(number), world.sql("SELECT count(*) FROM slice")) == ({"ready": 60}, [(0,)])


def test_a_slice_that_broke_while_it_was_packed_is_put_back_although_its_process_lives(
        world: Sending, monkeypatch: pytest.MonkeyPatch) -> None:
    world.people(60)
    number = world.launched()

    def broken(seat: Seat, task: Assignment, cleared: object) -> None:
        raise UnsafeHeader(field="To")

    with monkeypatch.context() as patched:
        patched.setattr(pack, "parcels", broken)
        with world.seat() as seat:
            with pytest.raises(UnsafeHeader):
                dispatch.take_turn(seat, number)
            world.reap()
            assert world.states(number) == {"ready": 60}
    assert world.turns_to_the_end(number).accepted == 60


def test_one_unanswered_message_keeps_nobody_else_waiting_when_a_turn_is_over(
        world: Sending, server: SmtpServer, patient: None) -> None:
    """Guarantee 5: a server that does not answer for one recipient holds up no campaign."""
    world.people(MANY)
    number = world.launched()
    server.wrong("dot:stall*1+3", "mail:delay=0.01")
    told = threading.Event()
    with world.seat() as seat:
        turn = threading.Thread(target=lambda: (dispatch.take_turn(seat, number), told.set()))
        began = time.monotonic()
        turn.start()
        while len(server.record.deliveries) < MANY - 2 and time.monotonic() - began < 8:
            time.sleep(0.05)
        assert not told.is_set()
        assert len(server.record.deliveries) >= MANY - 2
        turn.join()
    seen = world.turns_to_the_end(number)
    assert (seen.accepted, seen.uncertain) == (MANY - 1, 1)
