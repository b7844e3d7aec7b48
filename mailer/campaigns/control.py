"""Pause, resume, stop: effective within seconds, since every slice asks before it begins."""

from sqlalchemy import text

from mailer.campaigns import close, compose
from mailer.campaigns.launch import DISPATCHERS
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.errors import Conflict
from mailer.core.jobs import Job
from mailer.core.messages import CampaignState
from mailer.core.reasons import Reason
from mailer.gate.terms import leaf


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
    for _ in range(DISPATCHERS):
        ctx.nudge(Job.DISPATCH, campaign.id)
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
    # Slices that are deciding finish first; later ones find nothing that waits.
    ctx.db.execute(text("SELECT 1 FROM message_block WHERE campaign_id = :id ORDER BY block FOR UPDATE"),
                   {"id": campaign_id})
    refuse_waiting(ctx, campaign)
    close.close_if_done(ctx, campaign_id)
    return campaign


def refuse_waiting(ctx: Context, campaign: Campaign) -> int:
    """Refuse every row that still waits for its turn; the blocks are locked or the campaign is stopping."""
    assert campaign.month is not None
    table = leaf("message", campaign.month)
    moved = ctx.db.execute(text(f"""
        WITH waiting AS (
            SELECT campaign_id, contact_point_id, state FROM {table}
            WHERE campaign_id = :id AND state IN ('ready', 'claimed', 'deferred') FOR UPDATE
        ), ended AS (
            UPDATE {table} m SET state = 'refused', code = :reason, cleared = NULL, decided = NULL, until = NULL
            FROM waiting w WHERE m.campaign_id = w.campaign_id AND m.contact_point_id = w.contact_point_id
            RETURNING w.state AS was
        )
        SELECT count(*), count(*) FILTER (WHERE was = 'deferred') FROM ended"""),  # noqa: S608 - the leaf is a date.
        {"id": campaign.id, "reason": Reason.CAMPAIGN_STOPPED}).one()
    total, deferred = moved
    for state, detail, n in (("refused", str(Reason.CAMPAIGN_STOPPED), total), ("deferred", "", -deferred)):
        if n:
            ctx.db.execute(text("""
                INSERT INTO campaign_count (campaign_id, worker, state, detail, n)
                VALUES (:id, 'stopper', :state, :detail, :n)
                ON CONFLICT (campaign_id, worker, state, detail) DO UPDATE SET n = campaign_count.n + :n"""),
                {"id": campaign.id, "state": state, "detail": detail, "n": n})
    return int(total)
