"""The friend's own page: who it was, never again, the code that takes it back, and a report."""

import pytest
from sqlalchemy import select

from mailer.audit.models import AuditEntry
from mailer.core.errors import BadToken, InvalidInput
from mailer.friends import never, page
from mailer.friends.sweep import sweep
from tests.conftest import FixedClock
from tests.friends.world import FAY, FERN, Friends


def look(friends: Friends, token: str) -> page.Page:
    with friends.unit() as ctx:
        return page.look(ctx, friends.services.opener, token)


def say_never(friends: Friends, token: str) -> str:
    with friends.unit() as ctx:
        return never.say(ctx, token)


def take_back(friends: Friends, code: str) -> None:
    with friends.unit() as ctx:
        never.take_back(ctx, code)


def test_the_friend_sees_who_gave_the_address_for_thirty_days(friends: Friends, clock: FixedClock) -> None:
    """Section 3 item 8; ux 3.7: later someone using our form, and never still works."""
    token = friends.passed_on()
    seen = look(friends, token)
    assert (seen.first_name, seen.sender, seen.day, seen.slug) == ("Fern", FERN, clock.now().date(), "news")
    clock.advance(days=30)
    with friends.unit() as ctx:
        sweep(ctx)
    assert friends.sql("SELECT count(*) FROM friend_request") == [(0,)]
    assert friends.sql("SELECT count(*) FROM vault.friend_sender_key") == [(0,)]
    seen = look(friends, token)
    assert (seen.first_name, seen.sender, seen.day) == ("", "", None)
    say_never(friends, token)
    assert ("never", 0) in friends.house.stopped(FAY)


def test_never_shuts_the_address_until_its_code_is_typed(friends: Friends) -> None:
    """Decision 26: in lower case and without hyphens too; once, and nothing else is lifted."""
    code = say_never(friends, friends.passed_on())
    assert len(code) == 11
    assert friends.house.stopped(FAY) == {("friend_only", 0), ("never", 0)}
    ((kept,),) = friends.sql("SELECT hash FROM never_code")
    assert len(kept) == 32 and code.replace("-", "").encode() not in bytes(kept)
    take_back(friends, code.lower().replace("-", ""))
    assert friends.house.stopped(FAY) == {("friend_only", 0)}
    with pytest.raises(InvalidInput):
        take_back(friends, code)


def test_a_second_press_gives_a_new_code_and_the_old_one_is_over(friends: Friends) -> None:
    token = friends.passed_on()
    first, second = say_never(friends, token), say_never(friends, token)
    assert first != second and look(friends, token).never
    with pytest.raises(InvalidInput):
        take_back(friends, first)
    take_back(friends, second)
    assert not look(friends, token).never


def test_a_code_lifts_its_own_address_alone(friends: Friends) -> None:
    mine, theirs = friends.passed_on(), friends.passed_on("another.friend@example.net")
    code = say_never(friends, mine)
    say_never(friends, theirs)
    take_back(friends, code)
    assert ("never", 0) in friends.house.stopped("another.friend@example.net")


def test_after_never_the_form_keeps_no_row_and_mails_nothing_until_the_code(friends: Friends) -> None:
    """W6 7 and 8."""
    code = say_never(friends, friends.passed_on())
    events = [friends.news.topics["Events"]]
    assert friends.house.asked(FAY, events) is None
    assert friends.sql("SELECT count(*) FROM pending_request") == [(0,)]
    take_back(friends, code)
    assert friends.house.asked(FAY, events)
    friends.sending.singles()
    assert friends.to(FAY) == 2


def test_never_ends_what_the_friend_had_joined_meanwhile(friends: Friends) -> None:
    token = friends.passed_on()
    friends.house.subscribed(FAY, [friends.news.topics["Events"]])
    assert friends.house.stopped(FAY) == set()
    friends.house.asked(FAY, [friends.news.topics["Sheet music"]])
    say_never(friends, token)
    assert set(friends.house.stands(FAY).values()) == {"ended"}
    assert ("never", 0) in friends.house.stopped(FAY)
    assert friends.sql("SELECT count(*) FROM pending_request") == [(0,)]


def test_a_reported_sender_passes_nothing_on_while_we_know_them(friends: Friends, clock: FixedClock) -> None:
    token = friends.passed_on()
    with friends.unit() as ctx:
        page.report(ctx, token)
        page.report(ctx, token)
        assert [each.act for each in ctx.db.scalars(select(AuditEntry)) if "report" in each.act] == [
            "friend_reported_sender"]
    friends.ask("another.friend@example.net")
    assert friends.sql("SELECT count(*) FROM friend_request") == [(1,)]
    clock.advance(days=30)
    with friends.unit() as ctx:
        sweep(ctx)
    friends.ask("another.friend@example.net")
    assert friends.sql("SELECT count(*) FROM friend_request") == [(1,)]


def test_a_link_of_another_kind_or_with_one_letter_changed_opens_nothing(friends: Friends) -> None:
    friends.asked_and_pressed()
    token = friends.page()
    with pytest.raises(BadToken):
        look(friends, token)
    friends.sending.singles()
    look(friends, token)
    for wrong in (token[:-1] + ("a" if token[-1] != "a" else "b"), token.upper(), token[:-1], "a" * 56):
        with pytest.raises(BadToken):
            look(friends, wrong)
