"""The mail server misbehaves at every stage: every row ends in the right state, nobody twice, nobody lost."""

import socket
import time
from collections.abc import Iterator

import pytest

from mailer.channels.email.signon import Timeouts
from mailer.channels.email.transport import open_transport
from mailer.core.channel import Clearance, Fate
from tests.channels.smtp_rig import SHORT, facts, send, through
from tests.channels.smtp_world import MemoryJournal, a_parcel, parcels
from tests.fakes.smtp_server import SmtpServer


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


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
    wire = open_transport(server.url, connections=1, host_name="us.example").wire()
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
