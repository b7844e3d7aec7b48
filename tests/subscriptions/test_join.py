"""Asking to join: one answer for everybody, and a link by mail for those who may have one."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from mailer.audience.models import PendingRequest, Person
from mailer.core.reasons import Reason
from mailer.lists import forms
from mailer.subscriptions import confirm, join, links, sweep
from mailer.subscriptions.answers import UnfitAnswers
from mailer.subscriptions.models import Limit, SingleUseLink
from mailer.suppression import registry
from tests.builders import World
from tests.conftest import FixedClock, RememberedJobs


@pytest.fixture
def topics(world: World) -> list[int]:
    of = world.a_list()
    world.a_form(of)
    return list(of.topics.values())


def count(world: World, model: type) -> int:
    with world.unit() as ctx:
        return ctx.db.scalar(select(func.count()).select_from(model)) or 0


def test_asking_stores_a_request_apart_from_people_and_mails_one_link(world: World, topics: list[int]) -> None:
    """Decision 2: nobody is a person before they confirm."""
    token = world.asked("dana@example.org", topics[:1])
    assert token and len(token) == links.TOKEN_LENGTH
    assert (count(world, PendingRequest), count(world, Person)) == (1, 0)
    [letter] = world.letters()
    assert (letter.kind, letter.detail["topics"]) == ("confirmation", "New releases")
    assert "dana" not in str(letter.detail)


def test_a_double_press_is_one_request_and_one_mail(world: World, topics: list[int]) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: world.asked("dana@example.org", topics[:1]), range(4)))
    assert count(world, PendingRequest) == 1
    assert len(world.letters()) == 1


def test_a_second_request_with_other_choices_replaces_the_first_and_its_link(world: World, topics: list[int]) -> None:
    """Standards 7.2: a new request replaces the old token."""
    old = world.asked("dana@example.org", topics[:1])
    new = world.asked("dana@example.org", topics[1:])
    assert old and new and old != new
    with world.unit() as ctx:
        assert confirm.look(ctx, old).outcome is links.Outcome.WITHDRAWN
        assert confirm.look(ctx, new).agreed[0].startswith("Sheet music and Events, by email")


def test_an_address_gets_two_mails_a_day_and_three_a_month_however_it_is_spelt(
        world: World, topics: list[int], clock: FixedClock) -> None:
    """Decision 25; dots and what follows a plus count as nothing, for limits alone."""
    spelt = ["dana.b@example.org", "danab@example.org", "danab+news@example.org"]
    assert [bool(world.asked(each, topics[:1])) for each in spelt] == [True, True, False]
    clock.advance(days=1)
    assert [bool(world.asked(each, topics[1:])) for each in spelt] == [True, False, False]
    clock.advance(days=31)
    assert world.asked("danab@example.org", topics[:1])


def test_asking_for_what_one_has_brings_a_fresh_link_once_in_fifteen_minutes(
        world: World, topics: list[int], clock: FixedClock) -> None:
    """M19: the answer given at sign-up stays changeable from the sign-up page; decision 25 says how often."""
    world.subscribed("dana@example.org", topics[:2])
    for _ in range(3):
        assert world.asked("dana@example.org", topics[:1]) is None
    [letter] = world.letters("fresh_link")
    assert letter.detail["template"] == "already_subscribed"
    assert "https://news.cadenza.example/fresh/" in letter.detail["link"]
    clock.advance(minutes=15)
    world.asked("dana@example.org", topics[:1])
    assert len(world.letters("fresh_link")) == 2


def test_a_filled_trap_leaves_nothing_behind(world: World, topics: list[int]) -> None:
    with world.unit() as ctx:
        _, version = forms.current(ctx, "news")
        join.ask(ctx, version, join.Answers("email", "dana@example.org", frozenset(topics)), trapped=True)
    assert (count(world, PendingRequest), count(world, SingleUseLink), world.letters()) == (0, 0, [])


def test_every_branch_nudges_the_same_work_after_the_answer(
        world: World, topics: list[int], jobs: RememberedJobs) -> None:
    """M19: equal work, and the mail is queued after the commit."""
    world.subscribed("known@example.org", topics)
    with world.unit() as ctx:
        registry.suppress(ctx, channel="email", reason=Reason.COMPLAINED, fingerprint=ctx.sealer.fingerprint(
            "email", "angry@example.org"))
    seen = []
    for address in ("new@example.org", "angry@example.org", "known@example.org", "new@example.org"):
        jobs.sent.clear()
        world.asked(address, topics)
        seen.append({job for job, _ in jobs.sent})
    assert all(each == seen[0] and each for each in seen)


@pytest.mark.parametrize(("answers", "field"), [
    ({"first_name": "4111 1111 1111 1111"}, "first_name"),
    ({"first_name": "Dana\r\nBcc: x@example.org"}, "first_name"),
    ({"first_name": "Da\x00na"}, "first_name"),
    ({"first_name": "x" * 61}, "first_name"),
    ({"topics": frozenset()}, "topics"),
    ({"topics": frozenset({999999})}, "topics"),
    ({"address": "dana@example.org\nBcc: x@example.org"}, "email"),
    ({"address": "da\x00na@example.org"}, "email"),
    ({"address": "x" * 5_000_000}, "email"),
    ({"address": ""}, "email"),
])
def test_what_cannot_be_taken_is_named_and_stores_nothing(
        world: World, topics: list[int], answers: dict[str, object], field: str) -> None:
    """C7 and the bad input of the issue."""
    given = {"channel": "email", "address": "dana@example.org", "topics": frozenset(topics)} | answers
    with pytest.raises(UnfitAnswers) as error, world.unit() as ctx:
        join.ask(ctx, forms.current(ctx, "news")[1], join.Answers(**given))  # type: ignore[arg-type] # Bad on purpose.
    assert list(error.value.faults) == [field]
    assert "dana" not in str(error.value)
    assert (count(world, PendingRequest), count(world, Limit)) == (0, 0)


@pytest.mark.parametrize("name", ["Søren", "Нина", "דנה", "さくら", "علی‌رضا", "O'Brien", "李", "Ngũgĩ"])
def test_names_in_every_script_are_taken(world: World, topics: list[int], name: str) -> None:
    assert world.asked("dana@example.org", topics, first_name=name)


def test_the_address_alone_is_enough(world: World) -> None:
    """T3: a form with one topic takes an address and nothing else."""
    world.a_form(world.a_list("One", ["Concerts"]), "one")
    assert world.asked("dana@example.org", [], "one")


def test_an_address_outside_ascii_joins(world: World, topics: list[int]) -> None:
    assert world.subscribed("δοκιμή@παράδειγμα.example", topics)


def test_a_request_nobody_confirms_is_gone_after_seven_days(
        world: World, topics: list[int], clock: FixedClock) -> None:
    token = world.asked("dana@example.org", topics)
    assert token
    clock.advance(days=7)
    with world.unit() as ctx:
        sweep.sweep(ctx)
    assert (count(world, PendingRequest), world.letters()) == (0, [])
    with world.unit() as ctx:
        assert confirm.look(ctx, token).outcome is links.Outcome.EXPIRED
        link = ctx.db.scalars(select(SingleUseLink)).one()
        assert (link.outcome, link.pending_request_id) == ("expired", None)


def test_a_link_is_remembered_for_ninety_days_and_limits_for_thirty_one(
        world: World, topics: list[int], clock: FixedClock) -> None:
    """Decision 18."""
    world.asked("dana@example.org", topics)
    for days, links_kept, limits_kept in ((32, 1, 0), (91, 0, 0)):
        clock.advance(days=days)
        with world.unit() as ctx:
            sweep.sweep(ctx)
        assert (count(world, SingleUseLink), count(world, Limit)) == (links_kept, limits_kept)


def test_one_more_link_is_sent_for_a_request_that_waits_and_both_work(world: World, topics: list[int]) -> None:
    first = world.asked("dana@example.org", topics)
    with world.unit() as ctx:
        _, version = forms.current(ctx, "news")
        for _ in range(3):
            join.resend(ctx, version, "email", "dana@example.org")
        join.resend(ctx, version, "email", "stranger@example.org")
        join.resend(ctx, version, "email", "no address")
    assert len(world.letters("confirmation")) == 2
    second = str(world.letters("confirmation")[1].detail["link"]).rpartition("/")[2]
    with world.unit() as ctx:
        confirm.confirm(ctx, second)
    with world.unit() as ctx:
        assert confirm.look(ctx, str(first)).outcome is links.Outcome.USED
