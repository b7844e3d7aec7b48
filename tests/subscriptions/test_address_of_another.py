"""An address that somebody has already: two become one, and an undo gives nobody what is another's."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from mailer.audience import collected, contact_points
from mailer.audience.field_sources import Origin
from mailer.audience.models import ContactPoint, Person, Preference
from mailer.consent import history
from mailer.core.errors import BadToken
from mailer.core.links import Link
from mailer.core.reasons import Reason
from mailer.rights import requests
from mailer.subscriptions import claims, fresh, stop_other
from mailer.subscriptions import undo as goodbyes
from mailer.subscriptions.leave import leave
from mailer.subscriptions.links import Outcome
from mailer.subscriptions.models import Goodbye
from tests.builders import AList, World
from tests.conftest import FixedClock
from tests.subscriptions.moving import DANA, NEW, ask, changed, confirm, stop, undo, undo_token


@pytest.fixture
def news(world: World) -> AList:
    made = world.a_list()
    world.a_form(made, partner_offers=True)
    return made


@pytest.fixture
def dana(world: World, news: AList) -> int:
    return world.subscribed(DANA, [news.topics["New releases"], news.topics["Sheet music"]], first_name="Dana")


def test_an_undo_leaves_the_old_mailbox_nothing_that_another_agreed_to(
        world: World, news: AList, dana: int, clock: FixedClock) -> None:
    """Neither what the new address had agreed to before, nor what its holder agreed to since."""
    releases, sheet, events = (news.topics[name] for name in ("New releases", "Sheet music", "Events"))
    other = world.subscribed(NEW, [events])
    with world.unit() as ctx:
        collected.take(ctx, "email", contact_points.parse(ctx, "email", NEW), "order", Origin("shop"))
        asked = requests.open_request(ctx, "question", source="self", point=ctx.db.get_one(ContactPoint, other),
                                      note="What is it about?").id
    clock.advance(hours=1)
    changed(world, dana)
    token = undo_token(world)
    assert world.stands(NEW)[events, "own_offers"] == "live"
    with world.unit() as ctx:
        row = requests.get(ctx, asked)
        assert requests.words_of(ctx, world.services.opener, row) == requests.Words("What is it about?", NEW)
        assert row.person_id is None and row.identity == "unchecked"
        assert [each.id for each in requests.in_doubt(ctx, ctx.db.get_one(ContactPoint, dana))] == [asked]
    clock.advance(hours=1)
    assert undo(world, token).undone_at
    stands = world.stands(DANA)
    assert [stands[topic, "own_offers"] for topic in (releases, sheet, events)] == ["live", "live", "ended"]
    with world.unit() as ctx:
        assert not collected.of(ctx, dana) and not requests.in_doubt(ctx, ctx.db.get_one(ContactPoint, dana))


def test_an_undo_of_an_earlier_goodbye_lifts_nothing_at_the_new_address(world: World, dana: int) -> None:
    """Decision 2: the opt-out there is its owner's own."""
    stop(world, NEW, Reason.UNSUBSCRIBED)
    with world.unit() as ctx:
        stop_other.stop(ctx, "email", DANA, network="a network")
        goodbye = ctx.db.scalars(select(Goodbye)).one().id
    changed(world, dana)
    with world.unit() as ctx:
        assert not goodbyes.may(ctx, goodbye, dana)
        assert goodbyes.undo(ctx, goodbye, dana).at is None
    assert world.stopped(NEW) == {("unsubscribed", 0)}


def test_a_reported_child_s_address_neither_moves_nor_goes_back(world: World, news: AList, dana: int) -> None:
    """S26: the report knows the address, and erases whom it finds there."""
    token = ask(world, dana)
    stop(world, DANA, Reason.CHILD)
    assert confirm(world, token).barred and world.point(NEW) is None
    other = world.subscribed("other@example.org", [news.topics["Events"]])
    changed(world, other, "others@example.org")
    stop(world, "others@example.org", Reason.CHILD)
    assert undo(world, undo_token(world)).barred and world.point("other@example.org") is None


def test_a_merge_ends_the_open_pages_of_both(world: World, news: AList, dana: int) -> None:
    """Whoever holds one sees nothing of whom the two become."""
    other = world.subscribed(NEW, [news.topics["Events"]])
    pages = []
    for point_id in (dana, other):
        with world.unit() as ctx:
            fresh.ask(ctx, ctx.db.get_one(ContactPoint, point_id))
        raw = str(world.letters("fresh_link")[-1].detail["link"]).rpartition("/")[2]
        with world.unit() as ctx:
            pages.append(fresh.press(ctx, raw))
    changed(world, dana)
    for page in pages:
        with pytest.raises(BadToken), world.unit() as ctx:
            fresh.read(ctx, page)


def test_two_people_become_one_and_the_strictest_wins(world: World, news: AList, dana: int) -> None:
    """Decision 2: a refusal outranks, the longer break and the stricter cap win, the words of each yes stay."""
    releases, sheet, events = (news.topics[name] for name in ("New releases", "Sheet music", "Events"))
    other = world.subscribed(NEW, [releases, events], partner_offers=False)
    with world.unit() as ctx:
        now = ctx.clock.now()
        mine, theirs = ctx.db.get_one(Preference, dana), ctx.db.get_one(Preference, other)
        mine.every_days, mine.paused_until = 30, now + timedelta(days=3)
        theirs.every_days, theirs.paused_until, theirs.hold = 7, now + timedelta(days=9), True
    old_link = world.link(Link.LEAVE, other).rpartition("/")[2]
    assert changed(world, dana).outcome is Outcome.OPEN
    point = world.point(NEW)
    assert point and point.id == dana
    stands = world.stands(NEW)
    assert {stands[topic, "own_offers"] for topic in (releases, sheet, events)} == {"live"}
    assert stands.get((0, "partner_offers_sent_by_us")) in (None, "refused")
    with world.unit() as ctx:
        assert ctx.db.scalar(select(func.count()).select_from(Person)) == 1
        kept = ctx.db.get_one(Preference, dana)
        assert (kept.every_days, kept.hold, kept.paused_until) == (30, True, ctx.clock.now() + timedelta(days=9))
        way = claims.read(ctx, old_link, Link.LEAVE)
        assert way.point and way.point.id == dana and way.claim.first == dana
        moments = history.timeline(ctx, world.services.opener, ctx.db.get_one(ContactPoint, dana))
        [merged] = [each for each in moments if each.evidence["how"] == "merged" and each.act == "granted"]
        assert merged.topic_id == events and merged.evidence["wording"] and merged.evidence["notice"]


@pytest.mark.parametrize("who", ["the one who moves", "the one who is there"])
def test_when_one_of_two_had_left_the_one_they_become_has_left(world: World, news: AList, dana: int, who: str) -> None:
    """Decision 2: a merge never lifts an opt-out."""
    other = world.subscribed(NEW, list(news.topics.values()))
    token = ask(world, dana)
    with world.unit() as ctx:
        leave(ctx, ctx.db.get_one(ContactPoint, dana if who == "the one who moves" else other), how="test")
    assert confirm(world, token).outcome is Outcome.OPEN
    assert (Reason.UNSUBSCRIBED, 0) in world.stopped(NEW)
    assert "live" not in world.stands(NEW).values()


def test_an_address_that_just_changed_hands_is_not_swallowed(world: World, news: AList, dana: int) -> None:
    """The old owner's seven days to undo hold whatever is asked next."""
    third = world.subscribed("third@example.org", [news.topics["Events"]])
    token = ask(world, third)
    changed(world, dana)
    assert confirm(world, token).waits_until
    assert undo(world, undo_token(world)).undone_at
    assert confirm(world, token).outcome is Outcome.OPEN
