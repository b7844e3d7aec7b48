"""One message, named, once for ever, whatever happens on the way (T5)."""

import email
from concurrent.futures import ThreadPoolExecutor
from email.policy import SMTP

import pytest

from mailer.core.reasons import Reason
from mailer.friends import settings
from mailer.friends.sweep import sweep
from mailer.subscriptions import confirm
from mailer.suppression import registry
from tests.conftest import FixedClock
from tests.fakes.smtp_server import SmtpServer
from tests.friends.world import FAY, FERN, WORDS, Friends


def test_the_sender_presses_first_and_the_friend_gets_one_message_that_names_the_sender(friends: Friends) -> None:
    """T5: the sender is named, the text says why and how to stop; the press mail names neither friend nor words."""
    friends.ask()
    assert friends.to(FAY) == 0
    (token,) = friends.press_links()
    friends.sending.singles()
    assert (friends.to(FERN), friends.to(FAY)) == (1, 0)

    assert friends.press(token) == "open"
    friends.sending.singles()
    assert friends.to(FAY) == 1

    to_fern, to_fay = (email.message_from_bytes(each.body or b"", policy=SMTP)
                       for each in friends.server.record.deliveries)
    for hidden in (FAY, WORDS, "Fern "):
        assert hidden not in to_fern.as_string()
    for kind in ("plain", "html"):
        part = to_fay.get_body((kind,))
        assert part is not None
        said = " ".join(part.get_content().split())
        assert f"Fern ({FERN}) asked us to pass this on. We got your address only for this one message." in said
        assert WORDS in said and "Never write to me again" in said and "/friend/" in said
    assert to_fay["Subject"] == "Fern asked us to pass this on"
    assert "List-Unsubscribe" not in to_fay and FERN not in str(to_fay["From"])


def test_a_double_click_makes_one_message(friends: Friends) -> None:
    """T5: the form twice, the button twice."""
    friends.ask()
    friends.ask()
    (token,) = friends.press_links()
    assert [friends.press(token) for _ in range(3)] == ["open", "used", "used"]
    friends.sending.singles()
    assert (friends.to(FERN), friends.to(FAY)) == (1, 1)


def test_eight_requests_at_once_make_one_message(friends: Friends) -> None:
    """T5: of eight senders who press together one wins, and two workers look at the rows at once."""
    for number in range(8):
        friends.ask(sender=f"sender{number}@example.org")
    tokens = friends.press_links()
    assert len(tokens) == 8
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(friends.press, tokens)) == {"open"}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(friends.sending.singles, ("worker1", "worker2")))
    for _ in range(3):
        friends.sending.hurry()
        friends.sending.singles()
    assert friends.to(FAY) == 1
    assert sorted(friends.states()) == [("accepted", "250 2.0.0")] + [("refused", "friend_only")] * 7


def test_the_same_request_asked_and_pressed_eight_times_at_once_is_one(friends: Friends) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: friends.ask(), range(8)))
    (token,) = friends.press_links()
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(friends.press, [token] * 8)) == ["open"] + ["used"] * 7
    friends.sending.singles()
    assert friends.to(FAY) == 1


def test_another_sender_later_is_thanked_and_nothing_goes(friends: Friends, clock: FixedClock) -> None:
    """T5: one ever for a friend's address, whoever asks and however long after."""
    friends.passed_on()
    clock.advance(days=300)
    with friends.unit() as ctx:
        sweep(ctx)
    friends.asked_and_pressed(sender="somebody.else@example.org")
    friends.sending.singles()
    assert friends.to(FAY) == 1
    assert friends.states()[-1] == ("refused", "friend_only")


@pytest.mark.parametrize("fault", ["banner:421 4.3.2 later", "rcpt:450 4.2.0 Greylisted", "data:451 4.3.0 later"])
def test_a_message_that_must_wait_arrives_within_its_day(friends: Friends, server: SmtpServer, fault: str) -> None:
    server.wrong(fault + "*2")
    friends.passed_on()
    for _ in range(3):
        friends.sending.hurry()
        friends.sending.singles()
    assert friends.to(FAY) == 1


def test_one_that_is_put_off_past_its_day_expires_and_is_forgotten(
        friends: Friends, server: SmtpServer, clock: FixedClock) -> None:
    """Decision 27: 24 hours even when deferred."""
    server.wrong("rcpt:450 4.2.0 Greylisted")
    friends.passed_on()
    assert friends.states()[0][0] == "deferred"
    clock.advance(hours=24, seconds=1)
    server.wrong()
    friends.sending.hurry()
    friends.sending.singles()
    assert friends.states() == [("expired", None)] and friends.to(FAY) == 0
    assert forgotten(friends)


def test_an_uncertain_one_is_never_sent_again(friends: Friends, server: SmtpServer) -> None:
    """T5, decision 27: and what was sealed is gone at once."""
    friends.ask()
    (token,) = friends.press_links()
    friends.sending.singles()
    friends.press(token)
    server.wrong("dot:close*1")
    for _ in range(3):
        friends.sending.singles()
        friends.sending.hurry()
    assert friends.states()[0][0] == "uncertain" and friends.to(FAY) == 1
    assert forgotten(friends)


def test_a_worker_that_dies_before_it_begins_costs_nothing(friends: Friends) -> None:
    """The stop list holds the friend already, and the same message still goes, once."""
    friends.asked_and_pressed()
    friends.sending.way.between = die
    with pytest.raises(Died):
        friends.sending.singles()
    assert ("friend_only", 0) in friends.house.stopped(FAY)
    friends.sending.reap()
    friends.sending.hurry()
    friends.sending.singles()
    assert friends.to(FAY) == 1 and friends.states() == [("accepted", "250 2.0.0")]


def test_a_lost_host_leaves_it_unsure_and_the_address_forgotten(friends: Friends) -> None:
    """Also when the outcome turns up late: nothing is left to send again."""
    friends.asked_and_pressed()
    friends.sending.way.between = die
    with pytest.raises(Died):
        friends.sending.singles("worker9")
    for path in (friends.services.settings.data_dir / "journal").rglob("*.journal"):
        path.rename(path.with_suffix(".elsewhere"))
    friends.sending.lose_host("worker9")
    assert friends.sending.reap() == 1
    assert friends.states()[0][0] == "uncertain" and forgotten(friends)
    for path in friends.services.settings.data_dir.rglob("*.elsewhere"):
        path.rename(path.with_suffix(".journal"))
    friends.sending.reap()
    friends.sending.singles()
    assert friends.to(FAY) == 0


def test_three_friends_a_day_for_one_sender(friends: Friends, clock: FixedClock) -> None:
    """Ux 2.15; the gate then lets an address have no more of such mails than decision 25 says."""
    for number in range(5):
        friends.ask(f"friend{number}@example.net")
    assert friends.sql("SELECT count(*) FROM friend_request") == [(3,)]
    clock.advance(days=1)
    friends.ask("friend9@example.net")
    assert friends.sql("SELECT count(*) FROM friend_request") == [(4,)]


def test_a_trapped_form_and_writing_to_oneself_do_nothing(friends: Friends) -> None:
    friends.ask(trapped=True)
    friends.ask(FERN, FERN)
    friends.ask(" Fernanda.Sends@EXAMPLE.org ", FERN)
    friends.sending.singles()
    assert friends.sql("SELECT count(*) FROM friend_request") == [(0,)]
    assert not friends.sending.taken


def test_who_is_a_subscriber_hears_nothing_of_it_and_stays_one(friends: Friends) -> None:
    """The message would not be true for them, and the stop list must not take them for a stranger."""
    friends.house.subscribed(FAY, [friends.news.topics["Events"]])
    friends.passed_on()
    assert friends.states() == [("refused", "limit")]
    assert friends.house.stopped(FAY) == set()
    assert forgotten(friends)


@pytest.mark.parametrize("reason", [Reason.NEVER, Reason.UNSUBSCRIBED, Reason.ERASED, Reason.COMPLAINED, Reason.CHILD,
                                    Reason.STAFF_STOP, Reason.BOUNCED, Reason.NOT_ME])
def test_who_left_was_erased_or_said_never_gets_nothing_and_the_sender_cannot_tell(
        friends: Friends, reason: Reason) -> None:
    with friends.unit() as ctx:
        identity = ctx.channels["email"].parse_address(FAY).identity
        registry.suppress(ctx, channel="email", fingerprint=ctx.sealer.fingerprint("email", identity), reason=reason)
    friends.passed_on()
    assert (friends.to(FERN), friends.to(FAY)) == (1, 0)
    assert friends.states() == [("refused", reason)]
    assert forgotten(friends)


def test_a_friend_who_confirms_while_the_message_waits_is_a_subscriber(friends: Friends) -> None:
    friends.asked_and_pressed()
    token = friends.house.asked(FAY, [friends.news.topics["Events"]])
    assert token
    with friends.unit() as ctx:
        confirm.confirm(ctx, token)
    friends.sending.singles()
    assert friends.states() == [("refused", "limit")]
    assert friends.house.stopped(FAY) == set()


def test_nothing_goes_where_the_switch_or_the_pack_was_turned_off_meanwhile(friends: Friends) -> None:
    friends.ask()
    with friends.unit() as ctx:
        settings.change(ctx, friends.news.id, shares=True, by_mail=False)
    assert friends.press(friends.press_links()[0]) == "withdrawn"
    friends.ask("another.friend@example.net")
    assert friends.sql("SELECT count(*) FROM friend_request") == [(1,)]


def test_a_request_that_nobody_presses_is_gone_after_a_day(friends: Friends, clock: FixedClock) -> None:
    """Decision 27: sealed at most 24 hours; and the sender may ask again."""
    friends.ask()
    (token,) = friends.press_links()
    clock.advance(hours=24)
    assert friends.press(token) == "expired"
    with friends.unit() as ctx:
        sweep(ctx)
    assert forgotten(friends)
    friends.ask()
    assert friends.sql("SELECT count(*) FROM friend_request WHERE sealed_friend IS NOT NULL") == [(1,)]


class Died(BaseException):
    """As a process that is killed: nothing after it runs."""


def die() -> None:
    raise Died


def forgotten(friends: Friends) -> bool:
    row = friends.row()
    kept = friends.sql("SELECT count(*) FROM vault.friend_key")
    details = friends.sql("SELECT count(sealed_detail) FROM single_message WHERE class = 'invitation'")
    return (row["sealed_friend"], row["sealed_words"], row["mark"], bytes(row["friend_fingerprint"]),
            bytes(row["domain_hash"]), kept, details) == (None, None, None, b"", b"", [(0,)], [(0,)])
