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


def end_some(ctx: Context, campaign_id: int) -> bool:
    """End a part of what waits of a stopped campaign, or past its time, in a transaction of its own.

    True when there may be more of it. Rows come back from the hands of a worker later: the next look ends those.
    """
    if not _is_over(ctx, campaign_id):
        return False
    campaign = _locked(ctx, campaign_id)
    if campaign is None:
        return False
    sums = counts.sums(ctx, campaign_id)
    if sums.waiting == sums.handed:
        return False
    place = _place(campaign)
    return end_waiting.refuse_waiting(ctx, place) if campaign.stopping else end_waiting.expire_waiting(ctx, place)


def close_if_done(ctx: Context, campaign_id: int) -> bool:
    """Close the campaign when all is planned and nothing waits; its rows are counted once more. True when closed."""
    if counts.sums(ctx, campaign_id).waiting > 0:
        return False
    campaign = _locked(ctx, campaign_id)
    if campaign is None or counts.sums(ctx, campaign_id).waiting > 0:
        return False
    sums = counts.recount(ctx, campaign_id, _place(campaign).table)
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


def _locked(ctx: Context, campaign_id: int) -> Campaign | None:
    """The campaign, where it runs, is planned, and nobody else holds it."""
    campaign = ctx.db.scalar(select(Campaign).filter_by(id=campaign_id).with_for_update(
        key_share=True, skip_locked=True).execution_options(populate_existing=True))
    if campaign is None or campaign.state not in RUNNING or not campaign.planning_done or campaign.month is None:
        return None
    return campaign


def _place(campaign: Campaign) -> Place:
    assert campaign.month is not None
    return Place(campaign.id, campaign.month, 0, CLOSER)


def write_sums(campaign: Campaign, sums: counts.Sums) -> None:
    """Put the sums onto the campaign's own row."""
    campaign.planned = sums.planned
    campaign.accepted, campaign.refused = sums.ended[State.ACCEPTED], sums.ended[State.REFUSED]
    campaign.failed, campaign.expired = sums.ended[State.FAILED], sums.ended[State.EXPIRED]
    campaign.uncertain = sums.ended[State.UNCERTAIN]
