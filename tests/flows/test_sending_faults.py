"""A mail server that fails: rows end in the right state, who waits is written to later, nobody twice (T5, item 2)."""

import pytest

from mailer.core.messages import CampaignState
from tests.fakes.smtp_server import SmtpServer
from tests.flows.world import Sending

PEOPLE = 24


@pytest.fixture
def campaign(world: Sending) -> int:
    world.people(PEOPLE)
    return world.launched()


@pytest.mark.parametrize("fault", [
    "banner:421 4.3.2 shutting down", "banner:554 5.7.1 blocked using a list", "banner:close", "banner:stall",
    "ehlo:450 4.7.1 later", "ehlo:550 5.7.1 bad name", "ehlo:close",
    "mail:451 4.3.0 later", "mail:553 5.1.8 sender unknown", "mail:421 4.7.0 too fast", "mail:close", "mail:stall",
    "rcpt:450 4.2.0 Greylisted", "rcpt:450 4.7.25 who are you", "rcpt:421 4.7.28 rate", "rcpt:close",
    "data:451 4.3.0 later", "data:421 bye", "data:close",
    "dot:451 4.3.0 later", "dot:421 4.3.2 shutting down",
])
def test_whoever_a_fault_kept_waiting_is_written_to_once_it_is_over(
        world: Sending, server: SmtpServer, campaign: int, fault: str) -> None:
    """T5, decision 38: a transient answer costs nobody their message."""
    server.wrong(fault)
    seen = world.turn(campaign)
    assert (seen.waiting, seen.state) == (PEOPLE, CampaignState.SENDING)
    assert not server.record.deliveries
    server.wrong()
    world.hurry()
    seen = world.turns_to_the_end(campaign)
    assert (seen.accepted, seen.state) == (PEOPLE, CampaignState.SENT)
    assert len(world.taken) == PEOPLE and set(world.taken.values()) == {1}


@pytest.mark.parametrize(("fault", "code"), [
    ("rcpt:550 5.1.1 nobody", "550 5.1.1"), ("rcpt:554 5.7.1 no", "554 5.7.1"), ("data:554 5.7.1 no", "554 5.7.1"),
    ("dot:552 5.2.2 Over quota", "552 5.2.2"), ("dot:550 5.7.1 Message rejected as spam", "550 5.7.1"),
])
def test_whoever_a_server_refuses_for_good_has_failed_and_is_not_tried_again(
        world: Sending, server: SmtpServer, campaign: int, fault: str, code: str) -> None:
    server.wrong(fault)
    seen = world.turns_to_the_end(campaign)
    assert (seen.failed, dict(seen.failed_by_code), seen.state) == (PEOPLE, {code: PEOPLE}, CampaignState.SENT)
    said = server.record.commands["RCPT"]
    server.wrong()
    world.hurry()
    world.turn(campaign)
    assert server.record.commands["RCPT"] == said
    assert not server.record.deliveries


def test_one_bad_recipient_among_many_is_the_only_one_to_fail(
        world: Sending, server: SmtpServer, campaign: int) -> None:
    """Engine guarantee 5."""
    [(point,)] = world.sql("SELECT min(contact_point_id) FROM message")
    bad = world.address(point)
    server.wrong(f"rcpt@{bad}:550 5.1.1 nobody")
    seen = world.turns_to_the_end(campaign)
    assert (seen.accepted, seen.failed) == (PEOPLE - 1, 1)
    assert world.rows(campaign)[point].state == "failed"
    assert bad not in world.taken


def test_a_message_without_a_reply_after_its_dot_is_unsure_and_never_sent_again(
        world: Sending, server: SmtpServer, campaign: int) -> None:
    """T5, decision 8: at most one means that nobody guesses."""
    server.wrong("dot:close*3+5")
    seen = world.turns_to_the_end(campaign)
    assert (seen.accepted, seen.uncertain, seen.state) == (PEOPLE - 3, 3, CampaignState.SENT)
    world.hurry()
    world.turn(campaign)
    assert len(world.taken) == PEOPLE and set(world.taken.values()) == {1}


def test_a_server_that_closes_in_the_middle_of_messages_is_tried_again_or_unsure(
        world: Sending, server: SmtpServer, campaign: int) -> None:
    """A small message is on the wire as a whole before the close shows: then nobody knows, and nothing goes twice."""
    server.wrong("body:close*4+6")
    seen = world.turns_to_the_end(campaign)
    assert seen.accepted + seen.uncertain == PEOPLE
    assert seen.uncertain <= 4
    assert len(world.taken) == seen.accepted and set(world.taken.values()) == {1}


def test_a_slow_server_takes_everybody_once(world: Sending, server: SmtpServer, campaign: int) -> None:
    """Slower than a slice is meant to be, and slower than a clearance lasts: what was not begun in time goes back."""
    server.wrong("mail:delay=0.15")
    seen = world.turns_to_the_end(campaign)
    assert seen.accepted == PEOPLE
    assert len(world.taken) == PEOPLE and set(world.taken.values()) == {1}


def test_a_server_that_is_down_is_left_alone_and_found_again(world: Sending, server: SmtpServer, campaign: int) -> None:
    """Decision 38: its lanes are held for a few seconds, longer each time."""
    server.stop()
    seen = world.turn(campaign)
    assert (seen.waiting, seen.state) == (PEOPLE, CampaignState.SENDING)
    assert world.sql("SELECT count(*) FROM lane_hold WHERE until > clock_timestamp()") != [(0,)]
    assert world.turn(campaign).waiting == PEOPLE
    world.hurry()
    with SmtpServer(port=server.port) as again:
        world.server = again
        seen = world.turns_to_the_end(campaign)
        assert (seen.accepted, seen.state) == (PEOPLE, CampaignState.SENT)
        assert len(world.taken) == PEOPLE and set(world.taken.values()) == {1}

