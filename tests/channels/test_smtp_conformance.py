"""What every wire must do; the real one against a real server, the Outbox of Practice, and the twin in memory."""

import os
import select
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from mailer.channels.email.transport import open_transport
from mailer.core.channel import Clearance, Fate, Outcome
from mailer.core.wire import Wire
from mailer.practice import box
from mailer.practice.transport import PracticeTransport
from mailer.services import Services, unit_of_work
from tests.channels.smtp_world import MemoryJournal, a_parcel, parcels, send
from tests.fakes.smtp_server import SmtpServer
from tests.fakes.transport import FakeTransport

CONNECTIONS = 3


class Rig(Protocol):
    wire: Wire

    def arrived(self) -> list[tuple[str, bytes]]: ...

    def refuse(self, address: str, reply: str, fate: Fate) -> None: ...


class RealRig:
    def __init__(self, server: SmtpServer, on_begin: Callable[[Clearance], None]) -> None:
        self.server = server
        self.wire: Wire = open_transport(server.url, connections=CONNECTIONS, host_name="us.example",
                                         on_begin=on_begin).wire()

    def arrived(self) -> list[tuple[str, bytes]]:
        return [(delivery.recipient, delivery.body or b"") for delivery in self.server.record.deliveries]

    def refuse(self, address: str, reply: str, fate: Fate) -> None:
        self.server.wrong(f"rcpt@{address}:{reply}" if fate is not Fate.UNCERTAIN else f"dot@{address}:close")


class FakeRig:
    def __init__(self, on_begin: Callable[[Clearance], None]) -> None:
        self.fake = FakeTransport(on_begin)
        self.wire: Wire = self.fake.wire()

    def arrived(self) -> list[tuple[str, bytes]]:
        return [(parcel.clearance.address, parcel.body) for parcel in self.fake.delivered]

    def refuse(self, address: str, reply: str, fate: Fate) -> None:
        self.fake.answers[address] = Outcome(0, fate, " ".join(reply.split()[:2]))


class PracticeRig:
    def __init__(self, services: Services) -> None:
        self.services = services
        self.wire: Wire = PracticeTransport(services.engine, services.clock, services.sealer, "email").wire()

    def arrived(self) -> list[tuple[str, bytes]]:
        opener = self.services.opener
        with unit_of_work(self.services) as ctx:
            return [(box.recipient(opener, item), box.body(opener, item))
                    for item in box.listed(ctx.db, staff_only_of=None, size=100)]

    def refuse(self, address: str, reply: str, fate: Fate) -> None:
        pytest.skip("the Outbox refuses nobody")


@pytest.fixture
def begun() -> list[int]:
    return []


@pytest.fixture(params=["real", "one at a time", "fake", "practice"])
def rig(request: pytest.FixtureRequest, begun: list[int]) -> Iterator[Rig]:
    def note(clearance: Clearance) -> None:
        begun.append(clearance.row)

    if request.param == "fake":
        yield FakeRig(note)
    elif request.param == "practice":
        yield PracticeRig(request.getfixturevalue("services"))
    else:
        with SmtpServer() as server:
            if request.param == "one at a time":
                server.behaviour.extensions = ("8BITMIME",)
            real = RealRig(server, note)
            yield real
            real.wire.close()


def test_every_parcel_arrives_once_with_every_byte_and_has_one_outcome(rig: Rig, begun: list[int]) -> None:
    journal, sent = MemoryJournal(), parcels(40)

    outcomes = send(rig.wire, sent, journal)

    assert sorted(begun) in ([], list(range(1, 41)))
    assert {outcome.fate for outcome in outcomes} == {Fate.ACCEPTED}
    assert sorted(rig.arrived()) == sorted((parcel.clearance.address, parcel.body) for parcel in sent)
    assert journal.begun == {outcome.row: outcome for outcome in outcomes}
    assert not journal.twice


def test_nothing_to_deliver_is_nothing_said(rig: Rig) -> None:
    assert send(rig.wire, []) == []


def test_a_wire_serves_one_slice_after_another_and_several_at_once(rig: Rig) -> None:
    for row in range(1, 6):
        [outcome] = send(rig.wire, [a_parcel(row)])
        assert (outcome.row, outcome.fate) == (row, Fate.ACCEPTED)
    journal = MemoryJournal()
    rig.wire.deliver([a_parcel(6)], journal)

    assert (rig.wire.unbegun, rig.wire.under_way) == (1, 1)
    rig.wire.deliver([a_parcel(7)], MemoryJournal())
    while rig.wire.under_way:
        rig.wire.turn(0.05)
    assert sorted(each.clearance.row for each in rig.wire.settled()) == [6, 7]
    assert list(journal.begun) == [6]
    assert len(rig.arrived()) == 7


def test_nothing_begins_after_its_clearance_has_ended(rig: Rig, begun: list[int]) -> None:
    """Promise of decision 7: the time is looked at in the sender, just before MAIL FROM."""
    late, journal = a_parcel(1, begin_before=time.monotonic() - 0.001), MemoryJournal()

    outcomes = send(rig.wire, [late, a_parcel(2)], journal)

    assert {outcome.row: outcome.fate for outcome in outcomes} == {1: Fate.UNBEGUN, 2: Fate.ACCEPTED}
    assert [address for address, _ in rig.arrived()] == ["person2@example.org"]
    assert begun in ([], [2])
    assert list(journal.begun) == [2]


def test_what_is_recalled_has_not_begun_and_what_has_begun_ends_as_it_ends(rig: Rig) -> None:
    journal = MemoryJournal()
    rig.wire.deliver(parcels(30), journal)
    rig.wire.recall()

    assert {each.outcome.fate for each in rig.wire.settled()} == {Fate.UNBEGUN}
    assert rig.wire.under_way == 0
    rig.wire.deliver(parcels(300), journal)
    while rig.wire.unbegun == 300:
        rig.wire.turn(0.05)
    rig.wire.recall()
    assert rig.wire.unbegun == 0
    while rig.wire.under_way:
        rig.wire.turn(0.05)

    fates = [each.outcome.fate for each in rig.wire.settled()]
    assert len(fates) == 300
    assert fates.count(Fate.ACCEPTED) == len(journal.begun)
    assert set(fates) <= {Fate.ACCEPTED, Fate.UNBEGUN}
    assert [outcome.fate for outcome in send(rig.wire, [a_parcel(999)])] == [Fate.ACCEPTED]


def test_who_is_called_back_has_not_begun_and_nobody_else_notices(rig: Rig) -> None:
    """M17: who leaves is taken out of the queue, before anything of theirs begins."""
    journal = MemoryJournal()
    rig.wire.deliver(parcels(30), journal)
    rig.wire.call_back({3, 30, 999})

    assert {(row, each.fate) for row, each in ended(rig.wire).items()} == {(3, Fate.UNBEGUN), (30, Fate.UNBEGUN)}
    assert rig.wire.under_way == 28
    while rig.wire.under_way:
        rig.wire.turn(0.05)
    assert [each.fate for each in ended(rig.wire).values()] == [Fate.ACCEPTED] * 28
    assert not {3, 30} & set(journal.begun)
    assert len(rig.arrived()) == 28


def test_what_has_begun_cannot_be_called_back(rig: Rig) -> None:
    journal = MemoryJournal()
    rig.wire.deliver(parcels(300), journal)
    while rig.wire.unbegun == 300:
        rig.wire.turn(0.05)
    rig.wire.call_back(range(1, 301))
    assert rig.wire.unbegun == 0
    while rig.wire.under_way:
        rig.wire.turn(0.05)

    fates = {row: each.fate for row, each in ended(rig.wire).items()}
    assert len(fates) == 300
    assert {row for row, fate in fates.items() if fate is Fate.ACCEPTED} == set(journal.begun)
    assert set(fates.values()) <= {Fate.ACCEPTED, Fate.UNBEGUN}


def ended(wire: Wire) -> dict[int, Outcome]:
    return {each.clearance.row: each.outcome for each in wire.settled()}


def test_without_a_journal_nothing_is_sent(rig: Rig) -> None:
    """Decision 8: a hand-over that could not be written down does not happen."""
    journal = MemoryJournal(full_for=frozenset({2}))

    outcomes = send(rig.wire, parcels(3), journal)

    assert {outcome.row: outcome.fate for outcome in outcomes} == {
        1: Fate.ACCEPTED, 2: Fate.UNBEGUN, 3: Fate.ACCEPTED}
    assert {(outcome.code, outcome.operator) for outcome in outcomes if outcome.row == 2} == {("journal", True)}
    assert sorted(address for address, _ in rig.arrived()) == ["person1@example.org", "person3@example.org"]


@pytest.mark.parametrize(("reply", "fate"), [
    ("550 5.1.1 No such user", Fate.FAILED),
    ("451 4.3.0 later", Fate.DEFERRED),
])
def test_a_refusal_concerns_one_person_alone(rig: Rig, reply: str, fate: Fate) -> None:
    rig.refuse("person3@example.org", reply, fate)
    journal = MemoryJournal()

    outcomes = {outcome.row: outcome for outcome in send(rig.wire, parcels(9), journal)}

    assert (outcomes[3].fate, outcomes[3].code) == (fate, " ".join(reply.split()[:2]))
    assert [row for row, outcome in outcomes.items() if outcome.fate is not Fate.ACCEPTED] == [3]
    assert 3 not in journal.begun
    assert len(rig.arrived()) == 8


def test_an_answer_that_never_came_is_uncertain_and_never_sent_again(rig: Rig) -> None:
    """Promise of engine guarantee 1: nobody twice."""
    rig.refuse("person3@example.org", "", Fate.UNCERTAIN)
    journal = MemoryJournal()

    outcomes = {outcome.row: outcome for outcome in send(rig.wire, parcels(9), journal)}

    assert [row for row, outcome in outcomes.items() if outcome.fate is not Fate.ACCEPTED] == [3]
    assert outcomes[3].fate is Fate.UNCERTAIN
    assert journal.begun[3] == outcomes[3]
    assert len(rig.arrived()) == 9


def test_room_is_what_can_be_begun_now(rig: Rig) -> None:
    assert rig.wire.room(50) == 50
    assert rig.wire.room(0) == 0


def test_a_turn_ends_when_the_owners_own_descriptor_is_ready(rig: Rig) -> None:
    reading, writing = os.pipe()
    try:
        assert rig.wire.turn(0.01, reading, select.EPOLLIN) == 0
        os.write(writing, b"x")
        assert rig.wire.turn(5, reading, select.EPOLLIN) & select.EPOLLIN
        assert rig.wire.turn(0.01) == 0
        assert rig.wire.turn(5, writing, select.EPOLLOUT) & select.EPOLLOUT
    finally:
        os.close(reading)
        os.close(writing)
    again, other = os.pipe()
    os.write(other, b"x")
    try:
        deadline = time.monotonic() + 5
        while not rig.wire.turn(0.1, again, select.EPOLLIN) and time.monotonic() < deadline:
            continue
        assert time.monotonic() < deadline
    finally:
        os.close(again)
        os.close(other)


def test_what_closing_cuts_short_has_ended_too(rig: Rig) -> None:
    journal = MemoryJournal()
    rig.wire.deliver(parcels(20), journal)
    rig.wire.turn(0.05)

    rig.wire.close()

    ended = rig.wire.settled()
    assert sorted(each.clearance.row for each in ended) == list(range(1, 21))
    assert [each.outcome.fate for each in ended].count(Fate.ACCEPTED) == len(journal.begun)
