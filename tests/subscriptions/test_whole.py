"""What a fresh link lets one change: every list, every purpose, each yes with its words."""

import pytest
from sqlalchemy import select

from mailer.audience.models import ContactPoint, Preference
from mailer.consent import history
from mailer.core.messages import Purpose
from mailer.core.reasons import Reason
from mailer.lists.models import Wording
from mailer.policy import partners
from mailer.subscriptions import preferences, undo, whole
from mailer.subscriptions.fresh import Access
from mailer.subscriptions.leave import leave
from mailer.subscriptions.preferences import Saved
from mailer.subscriptions.whole import Choices, Whole
from mailer.suppression import registry
from tests.builders import AList, World
from tests.conftest import FixedClock

DANA = "dana@example.org"


@pytest.fixture
def news(world: World) -> AList:
    made = world.a_list()
    world.a_form(made, partner_offers=True)
    return made


@pytest.fixture
def dana(world: World, news: AList) -> int:
    return world.subscribed(DANA, [news.topics["New releases"], news.topics["Sheet music"]])


def look(world: World, point_id: int) -> Whole:
    with world.unit() as ctx:
        return whole.look(ctx, Access(ctx.db.get_one(ContactPoint, point_id), "email", True))


def save(world: World, point_id: int, *topics: int, **more: object) -> Saved:
    with world.unit() as ctx:
        access = Access(ctx.db.get_one(ContactPoint, point_id), "email", True)
        return whole.save(ctx, access, Choices(topics={"email": frozenset(topics)}, **more))  # type: ignore[arg-type] # As posted.


def newest_evidence(world: World, point_id: int, purpose: Purpose) -> dict[str, object]:
    with world.unit() as ctx:
        moments = history.timeline(ctx, world.services.opener, ctx.db.get_one(ContactPoint, point_id))
        return next(each.evidence for each in moments if each.purpose == purpose)


def words_of(world: World, wording_id: object) -> str:
    with world.unit() as ctx:
        return str(ctx.db.scalar(select(Wording.text).where(Wording.id == wording_id)))


def test_lists_of_several_sites_stand_on_one_page(world: World, news: AList, dana: int) -> None:
    """S16, S24: one page across an organisation's sites, where one edit shows for all."""
    other = world.a_list("Harbour nights", ["Concerts"])
    view = look(world, dana)
    assert [(group.name, [line.name for line in group.lines]) for group in view.groups] == [
        ("Cadenza news", ["New releases", "Sheet music", "Events"]), ("Harbour nights", ["Concerts"])]
    saved = save(world, dana, other.topics["Concerts"], news.topics["New releases"])
    assert saved.changes == ["Cadenza news: Sheet music by email: stopped. From now.",
                             "Harbour nights: Concerts by email: on. From now."]
    assert world.stands(DANA)[other.topics["Concerts"], "own_offers"] == "live"


def test_a_yes_keeps_the_words_that_were_shown_and_the_notice(world: World, news: AList, dana: int) -> None:
    save(world, dana, *news.topics.values())
    said = newest_evidence(world, dana, Purpose.OWN_OFFERS)
    assert said["how"] == "preferences_fresh" and said["notice"]
    assert words_of(world, said["wording"]) == (
        "What Cadenza sends you\nTick what you would like, untick what you would not.\nEvents by email\n"
        "We keep your choices and when you made them.\nHow we use it: notice 2.1, 1 March 2026.")


def test_after_leaving_a_tick_brings_back_that_topic_and_no_other(world: World, news: AList, dana: int) -> None:
    """Decision 2: lifting a stop revives none of the consents that it ended."""
    with world.unit() as ctx:
        leave(ctx, ctx.db.get_one(ContactPoint, dana), how="test")
    save(world, dana, news.topics["Sheet music"])
    assert world.stopped(DANA) == set()
    stands = world.stands(DANA)
    assert (stands[news.topics["Sheet music"], "own_offers"], stands[news.topics["New releases"], "own_offers"]) == (
        "live", "ended")


@pytest.mark.parametrize("reason", [Reason.COMPLAINED, Reason.NEVER, Reason.CHILD, Reason.LAW])
def test_no_tick_lifts_what_only_a_written_word_lifts(
        world: World, news: AList, dana: int, reason: Reason) -> None:
    """Decision 2."""
    with world.unit() as ctx:
        registry.suppress(ctx, channel="email", reason=reason, fingerprint=ctx.sealer.fingerprint("email", DANA))
    [change] = save(world, dana, *news.topics.values()).changes
    assert change.startswith("Events by email: not started. This address is on our stop list")
    assert look(world, dana).shut["email"]
    assert (reason, 0) in world.stopped(DANA) and (news.topics["Events"], "own_offers") not in world.stands(DANA)


def test_partner_offers_are_asked_apart_with_their_words_and_the_partners_of_that_day(
        world: World, news: AList, dana: int) -> None:
    """M18, M8: unticked, never implied, and kept with the version of the list."""
    with world.unit() as ctx:
        named = partners.publish(ctx, ["Brassworks"]).version
    [extra] = look(world, dana).extras
    assert not extra.on and "Brassworks" in extra.note
    topics = (news.topics["New releases"], news.topics["Sheet music"])
    assert save(world, dana, *topics, purposes=frozenset({Purpose.PARTNER_OFFERS})).changes == [
        "Partner offers by email: on. From now."]
    said = newest_evidence(world, dana, Purpose.PARTNER_OFFERS)
    assert said["partner_list"] == named and "Brassworks" in words_of(world, said["wording"])
    assert save(world, dana, *topics).changes == ["Partner offers by email: stopped. From now."]
    assert world.stands(DANA)[0, "partner_offers_sent_by_us"] == "ended"


def test_partner_offers_without_a_topic_are_not_started(world: World, dana: int) -> None:
    changes = save(world, dana, purposes=frozenset({Purpose.PARTNER_OFFERS})).changes
    assert changes[-1] == "Partner offers by email: not started, because no topic is ticked."
    assert (0, "partner_offers_sent_by_us") not in world.stands(DANA)


def test_how_often_may_become_more_often_and_a_break_ends_by_itself(
        world: World, news: AList, dana: int, clock: FixedClock) -> None:
    """T18: it asks for no consent anew."""
    topics = (news.topics["New releases"], news.topics["Sheet music"])
    save(world, dana, *topics, every_days=30, pause="30")
    assert save(world, dana, *topics, every_days=0).changes == ["How often: as it happens. From now."]
    clock.advance(days=31)
    assert look(world, dana).paused_until is None and set(world.stands(DANA).values()) == {"live"}


def test_what_this_page_narrowed_is_not_for_the_forwarded_link_to_take_back(
        world: World, news: AList, dana: int) -> None:
    """Decision 23: a light link undoes its own narrowing, nobody else's."""
    saved = save(world, dana, news.topics["New releases"], every_days=30)
    with world.unit() as ctx:
        view = preferences.look(ctx, ctx.db.get_one(ContactPoint, dana))
    assert {row.label: row.state for row in view.topics}["Sheet music"] == "off" and view.most_often == 30
    assert saved.goodbye
    with world.unit() as ctx:
        undo.undo(ctx, saved.goodbye.id, dana)
        assert ctx.db.get_one(Preference, dana).every_days == 0
    assert world.stands(DANA)[news.topics["Sheet music"], "own_offers"] == "live"


def test_post_and_email_are_chosen_independently(world: World, news: AList, dana: int) -> None:
    """M13, M14: one page, each channel by itself; the catalogue alone can be ended."""
    with world.unit() as ctx:
        email = ctx.db.get_one(ContactPoint, dana)
        post = ContactPoint(person_id=email.person_id, channel="postal", mode="live", sealed=b"-", fingerprint=b"post",
                            fingerprint_version=1, domain_hash=b"-")
        ctx.db.add(post)
        ctx.db.flush()
        ctx.db.add(Preference(contact_point_id=post.id))
    events = news.topics["Events"]
    with world.unit() as ctx:
        access = Access(ctx.db.get_one(ContactPoint, dana), "email", True)
        on = frozenset({news.topics["New releases"], news.topics["Sheet music"]})
        assert whole.look(ctx, access).channels == ("email", "postal")
        assert whole.save(ctx, access, Choices(topics={"email": on, "postal": frozenset({events})})).changes == [
            "Events by post: on. From now."]
        assert whole.save(ctx, access, Choices(topics={"email": on})).changes == ["Events by post: stopped. From now."]
    assert set(world.stands(DANA).values()) == {"live"}
