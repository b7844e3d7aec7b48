"""Servers that break the rules or only some messages: what they cost is bounded, nobody twice, nobody lost."""

from collections.abc import Iterator

import pytest

from mailer.channels.email.transport import open_transport
from mailer.core.channel import Fate
from tests.channels.smtp_rig import facts, through
from tests.channels.smtp_world import a_parcel, parcels
from tests.channels.smtp_world import send as over
from tests.fakes.smtp_server import SmtpServer


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


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
