"""The mail server misbehaves at every stage: every row ends in the right state, nobody twice, nobody lost."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from mailer.channels.email.signon import Timeouts
from mailer.channels.email.transport import open_transport
from mailer.channels.email.wire import SmtpWire
from mailer.core.channel import Clearance, Fate, Outcome, Parcel
from tests.channels.smtp_world import MemoryJournal, a_parcel, parcels
from tests.channels.smtp_world import send as over
from tests.fakes.smtp_server import SmtpServer

SHORT = Timeouts(banner=0.3, command=0.3, data=0.3, block=0.3, dot=0.3, quit=0.3)


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


def send(wire: SmtpWire, sent: list[Parcel], journal: MemoryJournal | None = None) -> dict[int, Outcome]:
    journal = journal or MemoryJournal()
    outcomes = over(wire, sent, journal)
    assert not journal.twice
    return {outcome.row: outcome for outcome in outcomes}


def through(server: SmtpServer, sent: list[Parcel], journal: MemoryJournal | None = None, connections: int = 1
            ) -> dict[int, Outcome]:
    transport = open_transport(server.url, connections=connections, host_name="us.example", timeouts=SHORT)
    with closing(transport.wire()) as wire:
        return send(wire, sent, journal)


def facts(outcome: Outcome) -> tuple[Fate, str, bool, bool]:
    return outcome.fate, outcome.code, outcome.operator, outcome.lane_down


@pytest.mark.parametrize(("fault", "expected"), [
    ("banner:554 5.7.1 blocked using a list", (Fate.UNBEGUN, "554 5.7.1", True, True)),
    ("banner:421 4.3.2 shutting down", (Fate.UNBEGUN, "421 4.3.2", False, True)),
    ("banner:close", (Fate.UNBEGUN, "connect", False, True)),
    ("banner:stall", (Fate.UNBEGUN, "connect", False, True)),
    ("ehlo:550 5.7.1 bad name", (Fate.UNBEGUN, "550 5.7.1", True, True)),
    ("ehlo:450 4.7.1 later", (Fate.UNBEGUN, "450 4.7.1", False, True)),
    ("ehlo:close", (Fate.UNBEGUN, "connect", False, True)),
    ("ehlo:stall", (Fate.UNBEGUN, "connect", False, True)),
    ("mail:451 4.3.0 later", (Fate.DEFERRED, "451 4.3.0", False, False)),
    ("mail:553 5.1.8 sender unknown", (Fate.DEFERRED, "553 5.1.8", True, False)),
    ("mail:530 5.7.0 STARTTLS first", (Fate.DEFERRED, "530 5.7.0", True, True)),
    ("mail:421 4.7.0 too fast", (Fate.DEFERRED, "421 4.7.0", False, True)),
    ("mail:close", (Fate.UNBEGUN, "lost", False, True)),
    ("mail:stall", (Fate.UNBEGUN, "lost", False, True)),
    ("rcpt:450 4.2.0 Greylisted", (Fate.DEFERRED, "450 4.2.0", False, False)),
    ("rcpt:450 4.7.25 who are you", (Fate.DEFERRED, "450 4.7.25", False, True)),
    ("rcpt:550 5.1.1 nobody", (Fate.FAILED, "550 5.1.1", False, False)),
    ("rcpt:421 4.7.28 rate", (Fate.DEFERRED, "421 4.7.28", False, True)),
    ("rcpt:close", (Fate.UNBEGUN, "lost", False, True)),
    ("rcpt:stall", (Fate.UNBEGUN, "lost", False, True)),
    ("data:451 4.3.0 later", (Fate.DEFERRED, "451 4.3.0", False, False)),
    ("data:554 5.7.1 no", (Fate.FAILED, "554 5.7.1", True, False)),
    ("data:250 what", (Fate.DEFERRED, "250", False, False)),
    ("data:421 bye", (Fate.DEFERRED, "421", False, True)),
    ("data:close", (Fate.UNBEGUN, "lost", False, True)),
    ("data:stall", (Fate.UNBEGUN, "lost", False, True)),
])
def test_before_the_data_nothing_is_ever_uncertain(server: SmtpServer, fault: str,
                                                   expected: tuple[Fate, str, bool, bool]) -> None:
    server.wrong(fault)
    journal = MemoryJournal()

    outcomes = through(server, [a_parcel(1)], journal)

    assert facts(outcomes[1]) == expected
    assert not server.record.deliveries
    assert not journal.begun


@pytest.mark.parametrize(("fault", "expected", "arrived"), [
    ("dot:451 4.3.0 later", (Fate.DEFERRED, "451 4.3.0", False, False), 0),
    ("dot:421 4.3.2 shutting down", (Fate.DEFERRED, "421 4.3.2", False, True), 0),
    ("dot:550 5.7.1 Message rejected as spam", (Fate.FAILED, "550 5.7.1", True, False), 0),
    ("dot:552 5.2.2 Over quota", (Fate.FAILED, "552 5.2.2", False, False), 0),
    ("dot:close", (Fate.UNCERTAIN, "lost", False, True), 1),
    ("dot:stall", (Fate.UNCERTAIN, "lost", False, True), 1),
    ("dot:delay=0.1", (Fate.ACCEPTED, "250 2.0.0", False, False), 1),
])
def test_after_the_dot_only_a_reply_tells_how_it_ended(server: SmtpServer, fault: str,
                                                       expected: tuple[Fate, str, bool, bool], arrived: int) -> None:
    server.wrong(fault)
    journal = MemoryJournal()

    outcomes = through(server, [a_parcel(1)], journal)

    assert facts(outcomes[1]) == expected
    assert len(server.record.deliveries) == arrived
    assert journal.begun == outcomes


def test_a_server_that_closes_in_the_middle_of_a_large_message_has_not_taken_it(server: SmtpServer) -> None:
    server.wrong("body:close")
    large = b"Subject: x\r\n\r\n" + b"0123456789abcde\r\n" * 2_000_000
    journal = MemoryJournal()

    outcomes = through(server, [a_parcel(1, body=large)], journal)

    assert facts(outcomes[1]) == (Fate.UNBEGUN, "lost", False, True)
    assert journal.begun == outcomes
    assert not server.record.deliveries


def test_a_server_that_is_down_is_left_alone_and_the_whole_slice_waits() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    wire = open_transport(f"smtp://127.0.0.1:{port}", connections=4, host_name="us.example").wire()

    outcomes = send(wire, parcels(20))
    wire.close()

    assert {facts(outcome) for outcome in outcomes.values()} == {(Fate.UNBEGUN, "connect", False, True)}


def test_a_server_that_does_not_answer_is_not_waited_for_longer_than_the_clearance(server: SmtpServer) -> None:
    server.wrong("banner:stall")
    wire = open_transport(server.url, connections=2, host_name="us.example",
                          timeouts=Timeouts(banner=5, command=5)).wire()
    soon = time.monotonic() + 0.2

    outcomes = send(wire, [a_parcel(row, begin_before=soon) for row in range(1, 9)])

    assert time.monotonic() < soon + 2
    assert {facts(outcome) for outcome in outcomes.values()} == {(Fate.UNBEGUN, "connect", False, True)}
    server.stop()
    wire.close()


def test_a_server_that_closes_after_some_messages_is_called_again(server: SmtpServer) -> None:
    server.behaviour.max_messages = 3

    outcomes = through(server, parcels(20), connections=2)

    assert {outcome.fate for outcome in outcomes.values()} == {Fate.ACCEPTED}
    assert set(server.record.counts.values()) == {1}
    assert len(server.record.counts) == 20


def test_a_goodbye_after_some_messages_defers_nobody(server: SmtpServer) -> None:
    server.behaviour.max_messages = 3
    server.behaviour.goodbye = "421 4.7.0 too many messages on this connection"

    outcomes = through(server, parcels(20), connections=2)

    assert {outcome.fate for outcome in outcomes.values()} == {Fate.ACCEPTED}
    assert len(server.record.deliveries) == 20


def test_a_kept_connection_that_the_server_closed_meanwhile_is_replaced(server: SmtpServer) -> None:
    wire = open_transport(server.url, connections=2, host_name="us.example").wire()
    send(wire, parcels(6))
    server.hang_up()
    while server.record.open:
        time.sleep(0.01)

    outcomes = send(wire, [a_parcel(row) for row in range(7, 13)])
    wire.close()

    assert {outcome.fate for outcome in outcomes.values()} == {Fate.ACCEPTED}
    assert set(server.record.counts.values()) == {1}


def test_connections_are_kept_between_slices_and_never_more_than_allowed(server: SmtpServer) -> None:
    wire = open_transport(server.url, connections=3, host_name="us.example").wire()

    for first in range(0, 100, 20):
        send(wire, [a_parcel(row) for row in range(first, first + 20)])
    wire.close()

    assert server.record.connections == server.record.most_open <= 3
    assert server.record.commands["QUIT"] == server.record.connections
    assert set(server.record.greetings) == {"us.example"}


def test_a_server_that_allows_fewer_connections_gets_everything_over_those(server: SmtpServer) -> None:
    server.wrong("banner:421 4.7.0 too many connections+1")

    outcomes = through(server, parcels(30), connections=5)

    assert {outcome.fate for outcome in outcomes.values()} == {Fate.ACCEPTED}


def test_one_broken_connection_does_not_end_the_slice(server: SmtpServer) -> None:
    server.wrong("rcpt@person4@example.org:close", "dot@person7@example.org:close")

    outcomes = through(server, parcels(12))

    assert {row: outcome.fate for row, outcome in outcomes.items() if outcome.fate is not Fate.ACCEPTED} == {
        4: Fate.UNBEGUN, 7: Fate.UNCERTAIN}
    assert set(server.record.counts.values()) == {1}


def test_a_server_that_breaks_every_connection_is_left_alone(server: SmtpServer) -> None:
    server.wrong("dot:close")

    outcomes = through(server, parcels(20))

    fates = [outcome.fate for outcome in outcomes.values()]
    assert fates.count(Fate.UNCERTAIN) == len(server.record.deliveries) == 2
    assert fates.count(Fate.UNBEGUN) == 18
    assert all(outcome.lane_down for outcome in outcomes.values())


class BrokenJournal(MemoryJournal):
    def begin(self, clearance: Clearance) -> None:
        raise RuntimeError("a fault of our own")


@pytest.mark.parametrize("connections", [1, 3])
def test_a_fault_of_our_own_is_raised_and_sends_nothing(server: SmtpServer, connections: int) -> None:
    with pytest.raises(RuntimeError, match="of our own"):
        through(server, parcels(9), BrokenJournal(), connections)

    assert not server.record.deliveries


def test_content_that_may_not_be_sent_leaves_no_trace_on_the_connection(server: SmtpServer) -> None:
    begun: list[int] = []
    wire = open_transport(server.url, connections=1, host_name="us.example", timeouts=SHORT,
                          on_begin=lambda clearance: begun.append(clearance.row)).wire()

    outcomes = send(wire, parcels(3), MemoryJournal(full_for=frozenset({1})))
    wire.close()

    assert facts(outcomes[1]) == (Fate.UNBEGUN, "journal", True, False)
    assert [delivery.body for delivery in server.record.deliveries] == [parcel.body for parcel in parcels(3)[1:]]
    # A command written where the server still waited for content would have had to be said twice.
    assert begun == [1, 2, 3]


@pytest.mark.parametrize("fault", ["mail", "rcpt", "data"])
def test_three_megabytes_of_reply_are_neither_kept_nor_believed(server: SmtpServer, fault: str) -> None:
    server.wrong(f"{fault}:flood=3000000*1")

    outcomes = through(server, parcels(5))

    assert facts(outcomes[1]) == (Fate.UNBEGUN, "lost", False, True)
    assert [outcomes[row].fate for row in range(2, 6)] == [Fate.ACCEPTED] * 4


def test_a_flood_instead_of_the_answer_to_the_dot_leaves_one_unsure(server: SmtpServer) -> None:
    server.wrong("dot@person2@example.org:flood=3000000")

    outcomes = through(server, parcels(5))

    assert {row for row, outcome in outcomes.items() if outcome.fate is Fate.UNCERTAIN} == {2}
    assert set(server.record.counts.values()) == {1}
    assert len(server.record.deliveries) == 5


@pytest.mark.parametrize(("fault", "fate"), [("rcpt", Fate.UNBEGUN), ("dot", Fate.UNCERTAIN)])
def test_a_server_that_only_listens_from_some_time_on_is_left(server: SmtpServer, fault: str, fate: Fate) -> None:
    server.wrong(f"{fault}@person3@example.org:half")

    outcomes = through(server, parcels(6))

    assert {row: outcome.fate for row, outcome in outcomes.items() if outcome.fate is not Fate.ACCEPTED} == {3: fate}
    assert set(server.record.counts.values()) == {1}


def test_a_server_that_answers_in_the_wrong_order_is_spoken_to_one_command_at_a_time(server: SmtpServer) -> None:
    server.behaviour.backwards = True

    outcomes = through(server, parcels(6))

    assert [outcome.fate for outcome in outcomes.values()].count(Fate.ACCEPTED) == len(server.record.deliveries) == 5
    assert [outcome.fate for outcome in outcomes.values()].count(Fate.DEFERRED) == 1
    assert set(server.record.counts.values()) == {1}


def test_a_server_that_reads_one_command_of_each_piece_is_spoken_to_one_command_at_a_time(server: SmtpServer) -> None:
    """It offers PIPELINING and breaks it: what waits behind the first answer is not waited for as long as usual."""
    server.behaviour.first_only = True

    outcomes = through(server, parcels(6))

    assert [outcome.fate for outcome in outcomes.values()].count(Fate.ACCEPTED) == len(server.record.deliveries) == 5
    assert Fate.UNCERTAIN not in {outcome.fate for outcome in outcomes.values()}


def test_421_in_the_middle_of_what_is_pipelined_costs_only_its_own_message(server: SmtpServer) -> None:
    server.wrong("dot@person3@example.org:421 4.3.2 shutting down", "mail:421 4.7.0 enough*1+6")

    outcomes = through(server, parcels(12))

    assert {row: outcome.fate for row, outcome in outcomes.items() if outcome.fate is not Fate.ACCEPTED} == {
        3: Fate.DEFERRED}
    assert set(server.record.counts.values()) == {1}
    assert len(server.record.deliveries) == 11


def test_a_storm_of_refusals_by_domain_concerns_that_domain_alone(server: SmtpServer) -> None:
    server.wrong("rcpt@*@bad.example:550 5.1.1 nobody", "rcpt@*@slow.example:451 4.3.0 later")
    sent = [a_parcel(row, address=f"p{row}@{('good', 'bad', 'slow')[row % 3]}.example") for row in range(90)]

    outcomes = through(server, sent, connections=4)

    assert {row % 3: outcome.fate for row, outcome in outcomes.items()} == {
        0: Fate.ACCEPTED, 1: Fate.FAILED, 2: Fate.DEFERRED}
    assert len(server.record.deliveries) == 30


def test_a_server_that_lied_about_its_size_refuses_that_message_alone(server: SmtpServer) -> None:
    server.wrong("dot@person2@example.org:552 5.3.4 too big")

    outcomes = through(server, parcels(4))

    assert facts(outcomes[2])[:2] == (Fate.FAILED, "552 5.3.4")
    assert len(server.record.deliveries) == 3


def test_a_slow_connection_holds_up_no_other(server: SmtpServer) -> None:
    server.wrong("dot@person1@example.org:delay=0.2")

    wire = open_transport(server.url, connections=2, host_name="us.example").wire()
    outcomes = over(wire, parcels(60))
    wire.close()

    assert {outcome.fate for outcome in outcomes} == {Fate.ACCEPTED}
    assert [outcome.row for outcome in outcomes].index(1) > 40
