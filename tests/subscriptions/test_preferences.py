"""What a link in a message lets one change, and why one got the message."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from mailer.audience.models import ContactPoint, Preference
from mailer.core.errors import InvalidInput
from mailer.core.links import Link
from mailer.subscriptions import claims, preferences, undo, why
from mailer.subscriptions.claims import Origin
from mailer.subscriptions.leave import leave
from mailer.subscriptions.preferences import Choices, Saved, View
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
    return world.subscribed(DANA, [news.topics["New releases"], news.topics["Sheet music"]], partner_offers=True)


def look(world: World, point_id: int) -> View:
    with world.unit() as ctx:
        return preferences.look(ctx, ctx.db.get_one(ContactPoint, point_id))


def save(world: World, point_id: int, **choices: object) -> Saved:
    with world.unit() as ctx:
        return preferences.save(ctx, ctx.db.get_one(ContactPoint, point_id), Choices(**choices))  # type: ignore[arg-type] # As posted.


def states(world: World, point_id: int) -> dict[str, str]:
    return {row.label: row.state for row in look(world, point_id).topics}


def test_the_page_shows_topics_and_what_is_off_as_text(world: World, dana: int) -> None:
    assert states(world, dana) == {"New releases": "on", "Sheet music": "on", "Events": "off"}


def test_unticking_ends_a_topic_and_says_so(world: World, news: AList, dana: int) -> None:
    """M15, S3, M13: kinds of announcements, each left alone."""
    saved = save(world, dana, topics={news.topics["New releases"]}, partner_offers=True)
    assert saved.changes == ["Sheet music by email: stopped. From now."]
    assert world.stands(DANA)[news.topics["Sheet music"], "own_offers"] == "ended"
    assert states(world, dana) == {"New releases": "on", "Sheet music": "undo", "Events": "off"}


def test_the_link_takes_back_its_own_narrowing_for_a_day(
        world: World, news: AList, dana: int, clock: FixedClock) -> None:
    """Decision 23: it shows and narrows, and undoes its own narrowing."""
    both = {news.topics["New releases"], news.topics["Sheet music"]}
    save(world, dana, topics={news.topics["New releases"]}, partner_offers=True)
    assert save(world, dana, topics=both, partner_offers=True).changes == ["Sheet music by email: on again."]
    save(world, dana, topics={news.topics["New releases"]}, partner_offers=True)
    clock.advance(hours=25)
    assert states(world, dana)["Sheet music"] == "off"
    assert save(world, dana, topics=both, partner_offers=True).changes == []


def test_a_forged_tick_widens_nothing(world: World, news: AList, dana: int) -> None:
    assert save(world, dana, topics=set(news.topics.values()), partner_offers=True).changes == []
    assert (news.topics["Events"], "own_offers") not in world.stands(DANA)


def test_partner_offers_can_be_switched_off_and_not_on(
        world: World, news: AList, dana: int, clock: FixedClock) -> None:
    topics = {news.topics["New releases"], news.topics["Sheet music"]}
    assert save(world, dana, topics=topics).changes == ["Partner offers by email: stopped. From now."]
    assert look(world, dana).partner_offers == "undo"
    clock.advance(days=2)
    assert look(world, dana).partner_offers == "off"
    assert save(world, dana, topics=topics, partner_offers=True).changes == []


def test_how_often_can_only_become_rarer(world: World, news: AList, dana: int, clock: FixedClock) -> None:
    keep = {"topics": {news.topics["New releases"], news.topics["Sheet music"]}, "partner_offers": True}
    assert save(world, dana, every_days=30, **keep).changes == ["How often: at most once a month. From now."]
    assert save(world, dana, every_days=7, **keep).changes == ["How often: at most once a week. From now."]
    clock.advance(hours=25)
    assert save(world, dana, every_days=0, **keep).changes == []
    assert save(world, dana, every_days=30, **keep).changes


def test_format_and_break_are_saved_and_undone_together(world: World, news: AList, dana: int) -> None:
    """M16, T18."""
    keep = {"topics": {news.topics["New releases"], news.topics["Sheet music"]}, "partner_offers": True}
    saved = save(world, dana, format="text", pause="until", until="2026-04-01", **keep)
    assert saved.changes == ["Look: text only. From now.", "A break until 1 April 2026."]
    assert save(world, dana, pause="until", until="2026-04-01", **keep).changes == []
    assert saved.goodbye
    with world.unit() as ctx:
        undo.undo(ctx, saved.goodbye.id, dana)
        kept = ctx.db.get_one(Preference, dana)
        assert (kept.format, kept.paused_until) == ("html", None)


def test_a_break_ends_by_itself_and_may_be_ended_sooner(
        world: World, news: AList, dana: int, clock: FixedClock) -> None:
    keep = {"topics": {news.topics["New releases"], news.topics["Sheet music"]}, "partner_offers": True}
    save(world, dana, pause="30", **keep)
    assert save(world, dana, pause="no", **keep).changes == ["The break is over."]
    save(world, dana, pause="90", **keep)
    clock.advance(days=90)
    assert look(world, dana).paused_until is None
    assert set(world.stands(DANA).values()) == {"live"}


@pytest.mark.parametrize("until", ["", "tomorrow", "2026-03-02", "2025-01-01", "2030-01-01", "\x00"])
def test_a_date_that_cannot_be_meant_is_asked_for_again(world: World, dana: int, until: str) -> None:
    with pytest.raises(InvalidInput) as error:
        save(world, dana, pause="until", until=until)
    assert error.value.context["field"] == "pause_until"
    assert set(world.stands(DANA).values()) == {"live"}


def a_campaign(world: World, news: AList) -> int:
    with world.unit() as ctx:
        now = {"now": ctx.clock.now(), "list": news.id, "month": ctx.clock.now().date().replace(day=1)}
        content = ctx.db.scalar(text(
            "INSERT INTO content_version (subject, preview_line, markdown, language, fields, sha256, created_at) "
            "VALUES ('March news', '', 'Hello', 'en', '{}', '\\x00', :now) RETURNING id"), now)
        return int(ctx.db.scalar(text(
            "INSERT INTO campaign (name, state, mode, list_id, content_id, version, created_at, changed_at, "
            "started_at, month, planned_through, next_block, planning_done, stopping, sample) "
            "VALUES ('March', 'sending', 'live', :list, :content, 1, :now, :now, :now, :month, 0, 1, false, false, "
            "false) RETURNING id"),
            now | {"content": content}) or 0)


def test_preferences_links_work_for_ninety_days_and_ways_out_for_ever(
        world: World, news: AList, dana: int, clock: FixedClock) -> None:
    """Decision 23."""
    campaign = a_campaign(world, news)
    sign = world.services.signer.sign
    for advance, expected in ((timedelta(), True), (timedelta(days=89), True), (timedelta(days=1), False)):
        clock.advance(seconds=advance.total_seconds())
        with world.unit() as ctx:
            way = claims.read(ctx, sign(Link.PREFERENCES, dana, campaign), Link.PREFERENCES)
            assert claims.preferences_open(ctx, way.origin) is expected
            leaving = claims.read(ctx, sign(Link.LEAVE, dana, campaign), Link.LEAVE)
            assert leaving.point is not None
            assert (leaving.origin.list_id, leaving.origin.list_name) == (news.id, news.name)


def test_a_letter_outside_campaigns_names_a_list_or_a_day(world: World, news: AList) -> None:
    with world.unit() as ctx:
        assert claims.origin(ctx, claims.OF_LIST + news.id).list_name == news.name
        assert claims.origin(ctx, claims.OF_LIST + 10**6) == Origin()
        assert claims.origin(ctx, claims.today(ctx)).asked_on == ctx.clock.now().date()
        assert claims.origin(ctx, 0) == claims.origin(ctx, 10**6) == Origin()


def test_why_names_the_consent_and_its_exact_words_also_after_it_ended(
        world: World, news: AList, dana: int, clock: FixedClock) -> None:
    """Section 3, 6."""
    def grounds() -> why.Grounds | None:
        with world.unit() as ctx:
            return why.grounds(ctx, world.services.opener, ctx.db.get_one(ContactPoint, dana), Origin(list_id=news.id))

    found = grounds()
    assert found
    assert (found.form_name, found.topics, found.notice_version) == ("Form news", "New releases and Sheet music", "2.1")
    assert found.wording.startswith("Get news\nPick what you like.")
    assert found.ended_on is None
    clock.advance(days=1)
    with world.unit() as ctx:
        goodbye = leave(ctx, ctx.db.get_one(ContactPoint, dana), how="test")
    ended = grounds()
    assert ended and ended.wording == found.wording and ended.ended_on == clock.now().date()
    with world.unit() as ctx:
        undo.undo(ctx, goodbye.id, dana)
    again = grounds()
    assert again and again.wording == found.wording and again.ended_on is None
