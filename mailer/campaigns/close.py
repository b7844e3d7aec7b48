"""The end of a campaign: it closes only when nothing waits, and the database checks the sum."""

from sqlalchemy import select

from mailer.audit import trail
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.messages import CampaignState, State
from mailer.gate.terms import leaf
from mailer.outbox import counts

RUNNING = (CampaignState.SENDING, CampaignState.PAUSED)


def running(ctx: Context) -> list[int]:
    """Campaigns that have begun and not ended."""
    return list(ctx.db.scalars(select(Campaign.id).where(Campaign.state.in_(RUNNING))))


def close_if_done(ctx: Context, campaign_id: int) -> bool:
    """Close the campaign when all is planned and nothing waits; its rows are counted once more. True when closed."""
    if counts.sums(ctx, campaign_id).waiting > 0:
        return False
    campaign = ctx.db.scalar(select(Campaign).filter_by(id=campaign_id).with_for_update(skip_locked=True))
    if campaign is None or campaign.state not in RUNNING or not campaign.planning_done or campaign.month is None:
        return False
    sums = counts.recount(ctx, campaign_id, leaf("message", campaign.month))
    if sums.waiting:
        return False
    write_sums(campaign, sums)
    campaign.finished_at = ctx.clock.now()
    campaign.state = CampaignState.STOPPED if campaign.stopping else CampaignState.SENT
    trail.record(ctx, "campaign_closed", f"campaign:{campaign_id}", state=campaign.state)
    return True


def write_sums(campaign: Campaign, sums: counts.Sums) -> None:
    """Put the sums onto the campaign's own row."""
    campaign.planned = sums.planned
    campaign.accepted, campaign.refused = sums.ended[State.ACCEPTED], sums.ended[State.REFUSED]
    campaign.failed, campaign.expired = sums.ended[State.FAILED], sums.ended[State.EXPIRED]
    campaign.uncertain = sums.ended[State.UNCERTAIN]
