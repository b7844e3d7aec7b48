"""The message log of a person ends after 90 days; sums, links and pages stay."""

from collections.abc import Callable
from datetime import date

import psycopg
import pytest

from mailer.audience.models import ContactPoint
from mailer.campaigns import close, compose, control, report, watch
from mailer.core.channel import Fate
from mailer.core.errors import Conflict
from mailer.core.links import Link
from mailer.gate import history
from mailer.outbox import partitions, retention
from mailer.services import Services
from mailer.subscriptions import claims
from mailer.subscriptions.leave import leave
from tests.conftest import FixedClock
from tests.outbox.a_campaign import ACampaign

PEOPLE, UNSURE = 20, 2
Retain = Callable[[], retention.Dropped]


@pytest.fixture
def retain(services: Services, clock: FixedClock) -> Retain:
    """The ticker's part."""

    def run() -> retention.Dropped:
        with services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            return retention.run(driver, clock.now())

    return run


def sent(services: Services) -> ACampaign:
    """A campaign that ended: two unsure, one complaint, the others accepted."""
    campaign = ACampaign(services, PEOPLE)
    slice_id, unsure = campaign.hand(UNSURE)
    campaign.end(slice_id, unsure, Fate.UNCERTAIN)
    slice_id, others = campaign.hand(10 * PEOPLE)
    campaign.end(slice_id, others, Fate.ACCEPTED)
    campaign.sql("INSERT INTO receipt (kind, campaign_id, contact_point_id, at, code) "
                 "VALUES ('complained', :id, :point, '2026-03-02T15:00Z', '')", id=campaign.id, point=others[0])
    assert campaign.close()
    return campaign


def leaves(campaign: ACampaign) -> set[str]:
    return {name for (name,) in campaign.sql(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^(message|decision)_[0-9]{4}_[0-9]{2}$'")}


def points(campaign: ACampaign) -> list[int]:
    return [point for (point,) in campaign.sql("SELECT id FROM contact_point ORDER BY id")]


def test_nothing_goes_before_its_time(services: Services, clock: FixedClock, retain: Retain) -> None:
    campaign = sent(services)
    clock.advance(days=89)
    assert retain() == retention.Dropped()
    assert sum(campaign.states().values()) == PEOPLE


def test_a_month_that_is_over_is_dropped_as_a_whole_and_its_sums_stay(
        services: Services, clock: FixedClock, retain: Retain) -> None:
    campaign = sent(services)
    with campaign.unit() as ctx:
        clock.advance(hours=2)
        before = report.of(ctx, compose.find(ctx, campaign.id))
    assert before.complained == 1
    clock.advance(days=91)
    assert retain() == retention.Dropped(campaigns=1, months=1)
    assert not leaves(campaign)
    with campaign.unit() as ctx:
        found = compose.find(ctx, campaign.id)
        after = report.of(ctx, found)
        assert (after.ended, after.complained, after.left) == (before.ended, 1, 0)
        assert watch.kept_back(ctx, found) == 0
        assert history.of(ctx, points(campaign)[0]) == []
        with pytest.raises(Conflict):
            control.send_uncertain(ctx, campaign.id)
        assert not close.close_if_done(ctx, campaign.id)
    assert campaign.sql("SELECT count(*) FROM receipt") == [(0,)]
    assert campaign.sql("SELECT sum(n) FROM campaign_count WHERE state = 'uncertain'") == [(UNSURE,)]
    assert retain() == retention.Dropped()


def test_where_others_of_the_month_are_kept_only_the_old_rows_go(
        services: Services, clock: FixedClock, retain: Retain) -> None:
    """A campaign that still runs keeps its month, however old that is."""
    campaign = sent(services)
    running = ACampaign(services, 5, list_name="others")
    clock.advance(days=91)
    assert retain() == retention.Dropped(campaigns=1)
    assert not campaign.states() and sum(running.states().values()) == 5
    assert campaign.sql("SELECT count(*) FROM decision WHERE campaign_id = :id", id=campaign.id) == [(0,)]
    assert len(leaves(campaign)) == 2


def test_a_way_out_that_is_years_old_still_works(services: Services, clock: FixedClock, retain: Retain) -> None:
    """Leaving needs no message row; why says the consent still, and the campaign no more (decision 23)."""
    campaign = sent(services)
    point = points(campaign)[0]
    token = services.signer.sign(Link.LEAVE, point, campaign.id)
    clock.advance(days=800)
    retain()
    with campaign.unit() as ctx:
        way = claims.read(ctx, token, Link.LEAVE)
        assert way.origin.list_id is not None and way.origin.subject == ""
        assert way.point is not None
        leave(ctx, way.point, list_id=way.origin.list_id, how="one_click", campaign_id=way.origin.campaign_id)
    assert campaign.sql("SELECT DISTINCT state FROM standing WHERE contact_point_id = :id", id=point) == [("ended",)]
    with campaign.unit() as ctx:
        assert ctx.db.get_one(ContactPoint, point)


def test_a_detaching_that_was_cut_off_is_finished(services: Services, clock: FixedClock, retain: Retain) -> None:
    """The month stands alone for a while, half taken away."""
    campaign = sent(services)
    clock.advance(days=91)
    campaign.sql("ALTER TABLE message DETACH PARTITION message_2026_03")
    assert retain().months == 1
    assert not leaves(campaign)


def test_blocks_of_a_campaign_that_ended_are_tidied_away(
        services: Services, clock: FixedClock, retain: Retain) -> None:
    campaign = sent(services)
    running = ACampaign(services, 5, list_name="others")
    clock.advance(days=2)
    retain()
    assert campaign.sql("SELECT DISTINCT campaign_id FROM message_block") == [(running.id,)]
    with campaign.unit() as ctx:
        assert control.send_uncertain(ctx, campaign.id) == UNSURE


def test_single_messages_that_ended_go_and_those_that_wait_stay(
        services: Services, clock: FixedClock, retain: Retain) -> None:
    campaign = ACampaign(services, 1)
    for occasion, state in (("first", "refused"), ("second", "ready")):
        campaign.sql("""
            INSERT INTO single_message (class, subject, occasion, channel, contact_point_id, state, code, created_at,
                                        not_after)
            VALUES ('confirmation', 'somebody', :occasion, 'email', :point, :state, 'erased', '2026-03-02',
                    '2036-03-02')
            """, occasion=occasion, state=state, point=points(campaign)[0])
    clock.advance(days=91)
    assert retain().singles == 1
    assert campaign.sql("SELECT occasion FROM single_message") == [("second",)]


def test_a_month_is_made_ready_before_it_begins(services: Services, clock: FixedClock) -> None:
    campaign = ACampaign(services, 1)
    clock.advance(days=29)
    with campaign.unit() as ctx:
        partitions.ensure_months(ctx, clock.now())
    assert {"message_2026_03", "message_2026_04", "decision_2026_04"} <= leaves(campaign)
    assert partitions.month_of(clock.now()) == date(2026, 3, 1)
