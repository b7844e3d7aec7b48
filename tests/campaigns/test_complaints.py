"""A campaign that people call spam pauses itself, and says why."""

import pytest
from sqlalchemy import text

from mailer.campaigns import complaints, control
from mailer.campaigns.models import Campaign
from mailer.core.messages import CampaignState
from mailer.services import Services, unit_of_work
from mailer.web.staff.campaigns import words
from tests.conftest import FixedClock
from tests.people.builders import a_list


@pytest.fixture
def number(services: Services, clock: FixedClock) -> int:
    """A campaign on its way."""
    with unit_of_work(services) as ctx:
        made, _ = a_list(ctx, "News", ("Duets",))
        campaign = Campaign(name="Duets", mode="live", list_id=made.id, state=CampaignState.SENDING,
                            created_at=clock.now(), changed_at=clock.now())
        ctx.db.add(campaign)
        ctx.db.flush()
        return campaign.id


def looked(services: Services, clock: FixedClock, number: int, *, accepted: int, complained: int) -> tuple[str, str]:
    """What the campaign is after so many were accepted altogether, so many complained since, and one look."""
    clock.advance(minutes=1)
    with unit_of_work(services) as ctx:
        ctx.db.execute(text("""
            INSERT INTO campaign_count (campaign_id, worker, state, detail, n) VALUES (:id, 'w', 'accepted', '', :n)
            ON CONFLICT (campaign_id, worker, state, detail) DO UPDATE SET n = :n"""), {"id": number, "n": accepted})
        ctx.db.execute(text("""
            INSERT INTO receipt (kind, campaign_id, contact_point_id, at, code)
            SELECT 'complained', :id, n, :at, '' FROM generate_series(1, :many) AS n"""),
            {"id": number, "at": clock.now(), "many": complained})
    with unit_of_work(services) as ctx:
        complaints.pause_where_many(ctx)
    with unit_of_work(services) as ctx:
        campaign = ctx.db.get_one(Campaign, number)
        return campaign.state, campaign.why_paused or ""


def test_four_complaints_are_too_few_and_a_fifth_pauses(services: Services, clock: FixedClock, number: int) -> None:
    """Decision 31."""
    assert looked(services, clock, number, accepted=20, complained=4) == ("sending", "")
    assert looked(services, clock, number, accepted=20, complained=1) == ("paused", "complaints")
    assert "spam" in words.why_paused("complaints")


def test_few_of_many_are_borne_and_what_a_person_let_go_on_is_judged_anew(
        services: Services, clock: FixedClock, number: int) -> None:
    assert looked(services, clock, number, accepted=2_000, complained=6) == ("sending", "")
    assert looked(services, clock, number, accepted=2_000, complained=1) == ("paused", "complaints")
    with unit_of_work(services) as ctx:
        control.resume(ctx, number)
    assert looked(services, clock, number, accepted=2_000, complained=4) == ("sending", "")
