"""What was given for something else reaches no marketing audience and may narrow none (section 3, item 7)."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import text

from mailer.audience import collected, contact_points
from mailer.audience.field_sources import Origin
from mailer.campaigns import compose
from mailer.campaigns import forecast as campaign_forecast
from mailer.consent.models import Standing
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.core.messages import ConsentModel, Purpose
from mailer.gate import forecast
from mailer.outbox import partitions, plan
from mailer.policy import packs
from mailer.policy.pack import CHANNELS
from mailer.services import Services, unit_of_work
from mailer.subscriptions import seed
from tests.people.builders import a_list, join

GIVEN_FOR = [*collected.PURPOSES, "contest:spring", "contest:1", *(str(purpose) for purpose in Purpose)]
MONTH = date(2026, 3, 1)
ALLOWED = {(str(purpose), purpose) for purpose in Purpose} | {("order", Purpose.SERVICE), ("service", Purpose.SERVICE)}


@settings(max_examples=400, deadline=None)
@given(some.sampled_from(GIVEN_FOR), some.sampled_from(list(Purpose)), some.sampled_from(sorted(packs.PACKS)),
       some.sampled_from(CHANNELS))
def test_only_permitted_pairs_of_purposes_may_choose_an_audience(
        given_for: str, campaign: Purpose, pack: str, channel: str) -> None:
    """Item 7, C5, A6, A7, M21, M22, S30: field purpose × campaign purpose, under every pack and channel."""
    model = packs.PACKS[pack].model(channel, campaign)
    allowed = (given_for, campaign) in ALLOWED and (
        model is not ConsentModel.FORBIDDEN or given_for not in set(Purpose))
    allowed |= given_for == "order" and model is ConsentModel.OPT_OUT
    if allowed:
        collected.check_filter(given_for, campaign, model)
    else:
        with pytest.raises(InvalidInput) as refused:
            collected.check_filter(given_for, campaign, model)
        assert refused.value.status == 422
    if campaign is Purpose.OWN_OFFERS and channel == "email":
        assert allowed == (given_for == Purpose.OWN_OFFERS and pack != "no_marketing")


@pytest.mark.parametrize("purpose", ["", "marketing", "own_offers", "contest:", "contest:A", "contest",
                                     "contest:" + 41 * "x"])
def test_what_is_no_purpose_cannot_be_collected_for(services: Services, purpose: str) -> None:
    with pytest.raises(InvalidInput):
        collected.check_purpose(purpose)


def take(ctx: Context, address: str, *purposes: str) -> int:
    found = contact_points.parse(ctx, "email", address)
    points = {collected.take(ctx, "email", found, purpose, Origin(f"feed:{purpose}")).id for purpose in purposes}
    [point] = points
    return point


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.lists(some.tuples(some.booleans(), some.sets(some.sampled_from([*collected.PURPOSES, "contest:5"]),
                                                         max_size=4)), min_size=1, max_size=8))
def test_an_audience_is_the_same_whatever_else_people_gave_their_address_for(
        services: Services, people: list[tuple[bool, set[str]]]) -> None:
    """C5, A7, M21, S30: planner and forecast see consents alone."""
    with unit_of_work(services) as ctx:
        seed.ensure_house(ctx)
        number = ctx.db.scalar(text("SELECT count(*) FROM mailing_list"))
        made, topics = a_list(ctx, f"List {number}")
        subscribed = set()
        for place, (joins, purposes) in enumerate(people):
            address = f"person{place}.{number}@example.org"
            if joins:
                subscribed.add(join(ctx, address, made.id, topics).id)
            if purposes:
                take(ctx, address, *sorted(purposes))
        campaign = compose.create(ctx, list_id=made.id, words=compose.Words("A subject", "Words"))
        partitions.ensure_month(ctx, MONTH)
        chunk = plan.plan_chunk(ctx, campaign_id=campaign.id, month=MONTH, channel="email", list_id=made.id,
                                topic_ids=topics, after=0, next_block=1)
        planned = set(ctx.db.scalars(text("SELECT contact_point_id FROM message WHERE campaign_id = :id"),
                                     {"id": campaign.id}))
        seen = forecast.forecast(ctx, campaign_forecast.terms(ctx, campaign))
        assert planned == subscribed and chunk.rows == seen.planned == len(subscribed)
        assert seen.inside == len(subscribed)


def test_somebody_may_be_known_for_nothing_but_an_order_and_their_audience_is_empty(services: Services) -> None:
    """C5, A2: why says no_consent; the notes say where each detail came from."""
    with unit_of_work(services) as ctx:
        seed.ensure_house(ctx)
        made, _ = a_list(ctx)
        point = take(ctx, "buyer@example.org", "order", "delivery", "contest:spring")
        assert [row.purpose for row in collected.of(ctx, point)] == ["contest:spring", "delivery", "order"]
        assert ctx.db.query(Standing).count() == 0
        campaign = compose.create(ctx, list_id=made.id, words=compose.Words("A subject", "Words"))
        found = campaign_forecast.why(ctx, campaign, "buyer@example.org")
        assert (found.answer, found.reason) == ("out", "no_consent")
        sources = {(field, source) for field, source in ctx.db.execute(text("SELECT field, source FROM field_source"))}
        assert sources == {("email", "feed:order"), ("language", "feed:order")}


def test_a_contest_is_forgotten_by_itself_and_the_rest_stays(services: Services) -> None:
    """M21, as far as item 7: each contest is a purpose of its own."""
    with unit_of_work(services) as ctx:
        point = take(ctx, "player@example.org", "contest:spring", "contest:autumn", "order")
        assert collected.forget(ctx, "contest:spring") == 1
        assert [row.purpose for row in collected.of(ctx, point)] == ["contest:autumn", "order"]
