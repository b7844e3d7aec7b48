"""Single messages: a confirmation without a reply goes once more, everything else never (T5, decision 8)."""

from collections import Counter
from dataclasses import replace

import pytest

from mailer.campaigns import test_send
from mailer.core.errors import CannotSend
from mailer.outbox.send_singles import send_singles
from mailer.staff import accounts
from mailer.staff.roles import Role
from tests.builders import World
from tests.conftest import FixedClock
from tests.fakes.smtp_server import SmtpServer
from tests.flows.world import Sending

DANA = "dana.ordinary@example.org"


@pytest.fixture
def asked(world: Sending) -> str:
    """Somebody has asked to join and waits for the link."""
    house = World(world.services)
    listed = house.a_list()
    house.a_form(listed)
    house.asked(DANA, [listed.topics["Events"]])
    return DANA


def single(world: Sending) -> tuple[str, bool, bool]:
    """State of the only single message, whether it was resent, and whether its words are kept."""
    ((state, resent, kept),) = world.sql("SELECT state, resent, sealed_detail IS NOT NULL FROM single_message")
    return state, resent, kept


def test_a_confirmation_arrives_once_and_its_words_are_then_forgotten(world: Sending, asked: str) -> None:
    world.singles()
    world.hurry()
    world.singles()
    assert world.taken == Counter({asked: 1})
    assert single(world) == ("accepted", False, False)


def test_a_confirmation_without_a_reply_is_sent_once_more_under_the_same_number(
        world: Sending, server: SmtpServer, asked: str) -> None:
    server.wrong("dot:close*1")
    world.singles()
    assert single(world) == ("accepted", True, False)
    assert list(server.record.counts.values()) == [2]


def test_a_confirmation_that_twice_had_no_reply_stays_unsure(world: Sending, server: SmtpServer, asked: str) -> None:
    server.wrong("dot:close*2")
    for _ in range(3):
        world.singles()
        world.hurry()
    assert single(world)[:2] == ("uncertain", True)
    assert world.taken == Counter({asked: 2})


@pytest.mark.parametrize("fault", ["banner:421 4.3.2 shutting down", "rcpt:450 4.2.0 Greylisted", "rcpt:close",
                                   "data:451 4.3.0 later", "dot:451 4.3.0 later"])
def test_a_confirmation_that_must_wait_arrives_when_the_server_takes_it(
        world: Sending, server: SmtpServer, asked: str, fault: str) -> None:
    server.wrong(fault + "*2")
    for _ in range(3):
        world.singles()
        world.hurry()
    assert world.taken == Counter({asked: 1})
    assert single(world)[0] == "accepted"


def test_a_confirmation_that_is_refused_for_good_has_failed(world: Sending, server: SmtpServer, asked: str) -> None:
    server.wrong("rcpt:550 5.1.1 nobody")
    world.singles()
    world.hurry()
    world.singles()
    assert single(world) == ("failed", False, False)
    assert server.record.commands["RCPT"] == 1


def test_a_confirmation_that_could_not_go_in_time_expires_with_its_words(
        world: Sending, server: SmtpServer, asked: str, clock: FixedClock) -> None:
    server.wrong("rcpt:450 4.2.0 Greylisted")
    world.singles()
    clock.advance(days=8)
    server.wrong()
    world.hurry()
    world.singles()
    assert single(world) == ("expired", False, False)
    assert not world.taken


def test_a_test_without_a_reply_is_never_sent_again(world: Sending, server: SmtpServer) -> None:
    """Decision 8: everything else never."""
    world.people(1)
    number = world.campaign()
    with world.unit() as ctx:
        colleague = accounts.add(ctx, email="cem@example.org", name="Cem", roles=[Role.COMPOSER])
        assert test_send.send(ctx, number, staff_ids=[colleague.id], as_person=test_send.PEOPLE[0], press="one") == 1
    server.wrong("dot:close*1")
    for _ in range(3):
        world.singles()
        world.hurry()
    assert single(world)[:2] == ("uncertain", False)
    assert world.taken == Counter({"cem@example.org": 1})


def test_the_same_press_of_test_sends_once(world: Sending) -> None:
    world.people(1)
    number = world.campaign()
    for _ in range(2):
        with world.unit() as ctx:
            colleague = accounts.find(ctx, "cem@example.org") or accounts.add(
                ctx, email="cem@example.org", name="Cem", roles=[Role.COMPOSER])
            test_send.send(ctx, number, staff_ids=[colleague.id], as_person=test_send.PEOPLE[1], press="one")
    world.singles()
    assert world.taken == Counter({"cem@example.org": 1})


def test_a_server_that_hangs_up_is_not_asked_over_and_over(world: Sending, server: SmtpServer, asked: str) -> None:
    """Each try is an attempt, and these are counted: what was never begun waits as what was deferred does."""
    server.wrong("mail:close")
    world.singles()
    assert world.sql("SELECT state, attempt, until > clock_timestamp() FROM single_message") == [("ready", 1, True)]
    server.wrong()
    world.hurry()
    world.singles()
    assert single(world)[0] == "accepted"
    assert world.taken == Counter({DANA: 1})


def test_live_without_what_it_needs_sends_no_single_message(world: Sending, asked: str) -> None:
    """Decision 29; and nothing is claimed, so no attempt is spent."""
    settings = replace(world.services.settings, public_url="http://news.example.org")
    world.services = replace(world.services, settings=settings)
    with world.seat() as seat, pytest.raises(CannotSend):
        send_singles(seat)
    assert world.sql("SELECT state, attempt FROM single_message") == [("ready", 0)]
