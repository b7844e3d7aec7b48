"""Pause, resume, stop: effective within seconds, since every slice asks before it begins."""

from mailer.campaigns import close, compose, launch
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.errors import Conflict
from mailer.core.jobs import Job
from mailer.core.messages import CampaignState


def pause(ctx: Context, campaign_id: int, why: str = "") -> Campaign:
    """Stop handing over for now. Raises: Conflict unless it is being sent."""
    campaign = compose.lock(ctx, campaign_id)
    if campaign.state == CampaignState.PAUSED:
        return campaign
    if campaign.state != CampaignState.SENDING:
        raise Conflict(campaign=campaign_id)
    campaign.why_paused = why or None
    return compose.moved(ctx, campaign, CampaignState.PAUSED, "campaign_paused", why=why)


def resume(ctx: Context, campaign_id: int) -> Campaign:
    """Go on from where it was. Raises: Conflict unless it is paused."""
    campaign = compose.lock(ctx, campaign_id)
    if campaign.state == CampaignState.SENDING:
        return campaign
    if campaign.state != CampaignState.PAUSED or campaign.stopping:
        raise Conflict(campaign=campaign_id)
    campaign.why_paused = None
    launch.nudge(ctx, campaign)
    ctx.nudge(Job.LAUNCH, campaign.id)
    return compose.moved(ctx, campaign, CampaignState.SENDING, "campaign_resumed")


def stop(ctx: Context, campaign_id: int) -> Campaign:
    """Stop for good: what waits is refused as `campaign_stopped`, what was handed over ends as it ends (decision 3)."""
    campaign = compose.lock(ctx, campaign_id)
    if campaign.state in (CampaignState.STARTING, CampaignState.SCHEDULED):
        return compose.moved(ctx, campaign, CampaignState.STOPPED, "campaign_stopped")
    if campaign.state not in (CampaignState.SENDING, CampaignState.PAUSED) or campaign.month is None:
        raise Conflict(campaign=campaign_id)
    campaign.stopping, campaign.planning_done = True, True
    compose.moved(ctx, campaign, CampaignState(campaign.state), "campaign_stopped")
    ctx.db.flush()
    close.close_if_done(ctx, campaign_id)
    return campaign
