"""The end of a campaign: it closes only when nothing waits, and the database checks the sum."""

from sqlalchemy import select

from mailer.audit import trail
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.messages import CampaignState, State
from mailer.outbox import counts, end_waiting
from mailer.outbox.record import Place

CLOSER = "closer"
RUNNING = (CampaignState.SENDING, CampaignState.PAUSED)


def running(ctx: Context) -> list[int]:
    """Campaigns that have begun and not ended."""
    return list(ctx.db.scalars(select(Campaign.id).where(Campaign.state.in_(RUNNING))))


def close_if_done(ctx: Context, campaign_id: int) -> bool:
    """Close the campaign when all is planned and nothing waits; its rows are counted once more. True when closed.

    What waits of a stopped campaign, or past its time, ends first: rows come back from the hands of a worker later.
    """
    if counts.sums(ctx, campaign_id).waiting > 0 and not _is_over(ctx, campaign_id):
        return False
    campaign = ctx.db.scalar(select(Campaign).filter_by(id=campaign_id).with_for_update(
        key_share=True, skip_locked=True).execution_options(populate_existing=True))
    if campaign is None or campaign.state not in RUNNING or not campaign.planning_done or campaign.month is None:
        return False
    place = Place(campaign_id, campaign.month, 0, CLOSER)
    _end_what_waits(ctx, campaign, place)
    if counts.sums(ctx, campaign_id).waiting > 0:
        return False
    sums = counts.recount(ctx, campaign_id, place.table)
    if sums.waiting:
        return False
    write_sums(campaign, sums)
    campaign.finished_at = ctx.clock.now()
    campaign.state = CampaignState.STOPPED if campaign.stopping else CampaignState.SENT
    trail.record(ctx, "campaign_closed", f"campaign:{campaign_id}", state=campaign.state)
    return True


def _is_over(ctx: Context, campaign_id: int) -> bool:
    return bool(ctx.db.scalar(select(Campaign.stopping | (Campaign.not_after < ctx.clock.now())).where(
        Campaign.id == campaign_id)))


def _end_what_waits(ctx: Context, campaign: Campaign, place: Place) -> None:
    sums = counts.sums(ctx, campaign.id)
    if sums.waiting == sums.handed:
        return
    if campaign.stopping:
        end_waiting.refuse_waiting(ctx, place)
    elif campaign.not_after is not None and campaign.not_after < ctx.clock.now():
        end_waiting.expire_waiting(ctx, place)


def write_sums(campaign: Campaign, sums: counts.Sums) -> None:
    """Put the sums onto the campaign's own row."""
    campaign.planned = sums.planned
    campaign.accepted, campaign.refused = sums.ended[State.ACCEPTED], sums.ended[State.REFUSED]
    campaign.failed, campaign.expired = sums.ended[State.FAILED], sums.ended[State.EXPIRED]
    campaign.uncertain = sums.ended[State.UNCERTAIN]
