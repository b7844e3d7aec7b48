"""Launch: the campaign begins and its audience is planned in chunks, while the first messages already leave."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from mailer.campaigns import close, compose, hindrance, must_fix
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.jobs import Job
from mailer.core.messages import CampaignState
from mailer.core.modes import Mode
from mailer.outbox import assignment, partitions, plan

GIVE_UP_AFTER = timedelta(hours=72)
"""A campaign's message that could not be handed over by then expires."""

TOO_LATE = timedelta(hours=24)
"""A schedule older than this (the installation was down, or put back) is not sent on its own."""

DISPATCHERS = 4
"""Turns that are asked for at once; in Practice one, so that it can be watched."""

STARTING = (CampaignState.STARTING, CampaignState.SCHEDULED)


def due(ctx: Context) -> list[int]:
    """Campaigns whose time has come, and those whose planning was cut off: the ticker nudges them."""
    now = ctx.clock.now()
    return list(ctx.db.scalars(select(Campaign.id).where(
        (Campaign.state.in_(STARTING) & (Campaign.send_at <= now))
        | (Campaign.state.in_((CampaignState.SENDING, CampaignState.PAUSED)) & ~Campaign.planning_done))))


def step(ctx: Context, campaign_id: int, exits_folder: Path) -> bool:
    """Start the campaign or plan one chunk more, in a transaction of its own. True when there is more to plan."""
    campaign = ctx.db.scalar(select(Campaign).filter_by(id=campaign_id).with_for_update(
        key_share=True, skip_locked=True))
    if campaign is None:
        return False
    if campaign.state in STARTING:
        if campaign.send_at is None or campaign.send_at > ctx.clock.now():
            return False
        if not _start(ctx, campaign, exits_folder):
            return False
    if campaign.state not in (CampaignState.SENDING, CampaignState.PAUSED) or campaign.planning_done:
        return False
    return _plan(ctx, campaign)


def nudge(ctx: Context, campaign: Campaign) -> None:
    """Ask for as many turns as the campaign's mode calls for."""
    for _ in range(1 if campaign.mode == Mode.PRACTICE else DISPATCHERS):
        ctx.nudge(Job.DISPATCH, campaign.id)


def _start(ctx: Context, campaign: Campaign, exits_folder: Path) -> bool:
    now = ctx.clock.now()
    why = _objection(ctx, campaign, exits_folder)
    if why:
        campaign.why_not_started = why
        compose.moved(ctx, campaign, CampaignState.COULD_NOT_START, "campaign_could_not_start", why=why)
        return False
    campaign.month = partitions.month_of(now)
    campaign.started_at, campaign.not_after = now, now + GIVE_UP_AFTER
    partitions.ensure_month(ctx, campaign.month)
    compose.moved(ctx, campaign, CampaignState.SENDING, "campaign_sending")
    return True


def _objection(ctx: Context, campaign: Campaign, exits_folder: Path) -> str:
    """Why it may not start as a whole, as a reason code; empty when it may."""
    if why := hindrance.of(ctx, campaign, exits_folder):
        return why
    if campaign.send_at is not None and ctx.clock.now() - campaign.send_at > TOO_LATE:
        return "too_late"
    if faults := must_fix.of_content(ctx, assignment.load(ctx, campaign.id)):
        return "must_fix:" + ", ".join(faults)
    return ""


def _plan(ctx: Context, campaign: Campaign) -> bool:
    after = campaign.planned_through
    assert campaign.month is not None
    chunk = plan.plan_chunk(
        ctx, campaign_id=campaign.id, month=campaign.month, channel="email", list_id=campaign.list_id,
        topic_ids=list(assignment.topics_of(ctx, campaign.list_id, campaign.topic_id)), after=after,
        next_block=campaign.next_block)
    campaign.planned_through, campaign.next_block = chunk.through, chunk.next_block
    campaign.planning_done = plan.is_last(chunk, after)
    # With every chunk: those who took the last one's rows may have found no more and ended their turns.
    nudge(ctx, campaign)
    if campaign.planning_done and chunk.rows == 0:
        close.close_if_done(ctx, campaign.id)
    return not campaign.planning_done
