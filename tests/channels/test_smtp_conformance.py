"""What every transport must do; the real one against a real server, and its twin in memory."""

import math
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from mailer.channels.email.transport import open_transport
from mailer.core.channel import Clearance, Fate, Outcome
from mailer.core.wire import Transport
from tests.channels.smtp_world import MemoryJournal, a_parcel, never, parcels
from tests.fakes.smtp_server import SmtpServer
from tests.fakes.transport import FakeTransport


class Rig(Protocol):
    transport: Transport

    def arrived(self) -> list[tuple[str, bytes]]: ...

    def refuse(self, address: str, reply: str, fate: Fate) -> None: ...


class RealRig:
    def __init__(self, server: SmtpServer, on_begin: Callable[[Clearance], None]) -> None:
        self.server = server
        self.transport: Transport = open_transport(server.url, connections=3, host_name="us.example", on_begin=on_begin)

    def arrived(self) -> list[tuple[str, bytes]]:
        return [(delivery.recipient, delivery.body or b"") for delivery in self.server.record.deliveries]

    def refuse(self, address: str, reply: str, fate: Fate) -> None:
        self.server.wrong(f"rcpt@{address}:{reply}" if fate is not Fate.UNCERTAIN else f"dot@{address}:close")


class FakeRig:
    def __init__(self, on_begin: Callable[[Clearance], None]) -> None:
        self.fake = FakeTransport(on_begin)
        self.transport: Transport = self.fake

    def arrived(self) -> list[tuple[str, bytes]]:
        return [(parcel.clearance.address, parcel.body) for parcel in self.fake.delivered]

    def refuse(self, address: str, reply: str, fate: Fate) -> None:
        self.fake.answers[address] = Outcome(0, fate, " ".join(reply.split()[:2]))


@pytest.fixture
def begun() -> list[int]:
    return []


@pytest.fixture(params=["real", "fake"])
def rig(request: pytest.FixtureRequest, begun: list[int]) -> Iterator[Rig]:
    def note(clearance: Clearance) -> None:
        begun.append(clearance.row)

    if request.param == "fake":
        yield FakeRig(note)
        return
    with SmtpServer() as server:
        real = RealRig(server, note)
        yield real
        real.transport.close()


def test_every_parcel_arrives_once_with_every_byte_and_has_one_outcome(rig: Rig, begun: list[int]) -> None:
    journal, sent = MemoryJournal(), parcels(40)

    outcomes = list(rig.transport.deliver(sent, journal=journal, stopping=never))

    assert sorted(outcome.row for outcome in outcomes) == list(range(1, 41)) == sorted(begun)
    assert {outcome.fate for outcome in outcomes} == {Fate.ACCEPTED}
    assert sorted(rig.arrived()) == sorted((parcel.clearance.address, parcel.body) for parcel in sent)
    assert journal.begun == {outcome.row: outcome for outcome in outcomes}
    assert not journal.twice


def test_nothing_to_deliver_is_nothing_said(rig: Rig) -> None:
    assert list(rig.transport.deliver([], journal=MemoryJournal(), stopping=never)) == []


def test_a_transport_serves_one_slice_after_another(rig: Rig) -> None:
    for row in range(1, 6):
        [outcome] = rig.transport.deliver([a_parcel(row)], journal=MemoryJournal(), stopping=never)
        assert (outcome.row, outcome.fate) == (row, Fate.ACCEPTED)

    assert len(rig.arrived()) == 5


def test_nothing_begins_after_its_clearance_has_ended(rig: Rig, begun: list[int]) -> None:
    """Promise of decision 7: the time is looked at in the sender, just before MAIL FROM."""
    late, journal = a_parcel(1, begin_before=time.monotonic() - 0.001), MemoryJournal()

    outcomes = list(rig.transport.deliver([late, a_parcel(2)], journal=journal, stopping=never))

    assert {outcome.row: outcome.fate for outcome in outcomes} == {1: Fate.UNBEGUN, 2: Fate.ACCEPTED}
    assert [address for address, _ in rig.arrived()] == ["person2@example.org"]
    assert begun == [2] == list(journal.begun)


def test_what_is_left_when_work_is_to_stop_has_not_begun(rig: Rig) -> None:
    journal = MemoryJournal()

    outcomes = list(rig.transport.deliver(parcels(30), journal=journal, stopping=lambda: len(journal.begun) >= 5))

    fates = [outcome.fate for outcome in outcomes]
    assert len(outcomes) == 30
    assert set(fates) == {Fate.ACCEPTED, Fate.UNBEGUN}
    assert fates.count(Fate.ACCEPTED) == len(rig.arrived()) == len(journal.begun)
    # Each of three connections may have been in the middle of one.
    assert 5 <= len(rig.arrived()) <= 8


def test_without_a_journal_nothing_is_sent(rig: Rig) -> None:
    """Decision 8: a hand-over that could not be written down does not happen."""
    journal = MemoryJournal(full_for=frozenset({2}))

    outcomes = list(rig.transport.deliver(parcels(3), journal=journal, stopping=never))

    assert {outcome.row: outcome.fate for outcome in outcomes} == {
        1: Fate.ACCEPTED, 2: Fate.UNBEGUN, 3: Fate.ACCEPTED}
    assert sorted(address for address, _ in rig.arrived()) == ["person1@example.org", "person3@example.org"]


@pytest.mark.parametrize(("reply", "fate"), [
    ("550 5.1.1 No such user", Fate.FAILED),
    ("451 4.3.0 later", Fate.DEFERRED),
])
def test_a_refusal_concerns_one_person_alone(rig: Rig, reply: str, fate: Fate) -> None:
    rig.refuse("person3@example.org", reply, fate)
    journal = MemoryJournal()

    outcomes = {outcome.row: outcome for outcome in rig.transport.deliver(parcels(9), journal=journal, stopping=never)}

    assert (outcomes[3].fate, outcomes[3].code) == (fate, " ".join(reply.split()[:2]))
    assert [row for row, outcome in outcomes.items() if outcome.fate is not Fate.ACCEPTED] == [3]
    assert 3 not in journal.begun
    assert len(rig.arrived()) == 8


def test_an_answer_that_never_came_is_uncertain_and_never_sent_again(rig: Rig) -> None:
    """Promise of engine guarantee 1: nobody twice."""
    rig.refuse("person3@example.org", "", Fate.UNCERTAIN)
    journal = MemoryJournal()

    outcomes = {outcome.row: outcome for outcome in rig.transport.deliver(parcels(9), journal=journal, stopping=never)}

    assert [row for row, outcome in outcomes.items() if outcome.fate is not Fate.ACCEPTED] == [3]
    assert outcomes[3].fate is Fate.UNCERTAIN
    assert journal.begun[3] == outcomes[3]
    assert len(rig.arrived()) == 9


def test_who_stops_listening_half_way_hears_of_nothing_begun_later(rig: Rig) -> None:
    journal = MemoryJournal()
    outcomes = rig.transport.deliver(parcels(60), journal=journal, stopping=never)
    next(outcomes)

    outcomes.close()  # type: ignore[attr-defined]  # both are generators

    arrived = len(rig.arrived())
    assert all(journal.begun.values())
    assert arrived == len(journal.begun) < 60
    assert [outcome.fate for outcome in rig.transport.deliver([a_parcel(99, begin_before=math.inf)], journal=journal,
                                                              stopping=never)] == [Fate.ACCEPTED]
    assert len(rig.arrived()) == arrived + 1
