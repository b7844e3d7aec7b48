"""Pause, resume, stop, send again to the uncertain: effective within seconds, as every slice asks before it begins."""

from mailer.campaigns import compose, launch
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.errors import Conflict
from mailer.core.jobs import Job
from mailer.core.messages import CampaignState
from mailer.organisation import profile as organisation
from mailer.outbox import uncertain
from mailer.outbox.record import Place

AGAIN = frozenset({CampaignState.SENDING, CampaignState.PAUSED, CampaignState.SENT})


def pause(ctx: Context, campaign_id: int, why: str = "") -> Campaign:
    """Stop handing over for now. Raises: Conflict unless it is being sent."""
    campaign = compose.lock(ctx, campaign_id)
    if campaign.state == CampaignState.PAUSED:
        return campaign
    if campaign.state != CampaignState.SENDING:
        raise Conflict(campaign=campaign_id)
    campaign.why_paused = why or None
    return compose.moved(ctx, campaign, CampaignState.PAUSED, "campaign_paused", why=why)


def pause_by_itself(ctx: Context, campaign_id: int, why: str) -> None:
    """Pause because of what happens to it (decision 31); where it has ended or rests already nothing changes."""
    campaign = compose.lock(ctx, campaign_id)
    if campaign.state == CampaignState.SENDING and not campaign.stopping:
        pause(ctx, campaign_id, why)


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
    """Stop for good: nothing more is handed over from the commit on, and what was handed over ends as it ends.

    The ticker then refuses what waits as `campaign_stopped`, some at a time, and closes the campaign (decision 3).
    """
    campaign = compose.lock(ctx, campaign_id)
    if campaign.state in (CampaignState.STARTING, CampaignState.SCHEDULED):
        return compose.moved(ctx, campaign, CampaignState.STOPPED, "campaign_stopped")
    if campaign.state not in (CampaignState.SENDING, CampaignState.PAUSED) or campaign.month is None:
        raise Conflict(campaign=campaign_id)
    campaign.stopping, campaign.planning_done = True, True
    return compose.moved(ctx, campaign, CampaignState(campaign.state), "campaign_stopped")


def send_uncertain(ctx: Context, campaign_id: int) -> int:
    """Send again to those whose answer was lost: they may have got it already, so only a person decides it.

    A campaign that had ended goes on and ends again; the gate is asked anew for each. Returns how many. Raises:
    Conflict when it was stopped, when its mode is not in force, or when nobody is uncertain (any more).
    """
    campaign = compose.lock(ctx, campaign_id)
    if campaign.month is None or not may_send_uncertain(ctx, campaign):
        raise Conflict(campaign=campaign_id)
    count = uncertain.put_back(ctx, Place(campaign_id, campaign.month, 0, "again"))
    if not count:
        raise Conflict(campaign=campaign_id)
    campaign.not_after = max(campaign.not_after or ctx.clock.now(), ctx.clock.now() + launch.GIVE_UP_AFTER)
    campaign.finished_at = None
    launch.nudge(ctx, campaign)
    state = CampaignState.PAUSED if campaign.state == CampaignState.PAUSED else CampaignState.SENDING
    compose.moved(ctx, campaign, state, "campaign_uncertain_again", people=count)
    return count


def may_send_uncertain(ctx: Context, campaign: Campaign) -> bool:
    """Whether its state leaves it open: not stopped, in the mode in force, its messages still kept."""
    return (campaign.state in AGAIN and not campaign.stopping and campaign.messages_dropped_at is None
            and campaign.mode == organisation.current(ctx).mode)
