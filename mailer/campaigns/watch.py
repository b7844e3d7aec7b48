"""What is worth knowing while a campaign is on its way: who left meanwhile, and whether anybody still works."""

from datetime import datetime

from sqlalchemy import select, text

from mailer.audit.models import AuditEntry
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.gate.terms import leaf

SILENT_AFTER = 90
"""Seconds without a sign of any worker after which the page says so."""


def kept_back(ctx: Context, campaign: Campaign) -> int:
    """People who opted out since Send was pressed and whom this campaign has not reached: they get nothing."""
    if campaign.month is None or campaign.started_at is None or campaign.messages_dropped_at is not None:
        return 0
    pressed = pressed_at(ctx, campaign) or campaign.started_at
    return int(ctx.db.scalar(text(f"""
        SELECT count(DISTINCT g.contact_point_id) FROM goodbye g
        JOIN {leaf("message", campaign.month)} m ON m.contact_point_id = g.contact_point_id AND m.campaign_id = :id
        WHERE g.at >= :pressed AND g.undone_at IS NULL
          AND coalesce((g.ended ->> 'list_id')::bigint, :list_id) = :list_id
          AND (m.state IN ('ready', 'claimed', 'deferred') OR (m.state = 'refused' AND m.code = 'unsubscribed'))
        """), {  # noqa: S608 - the leaf is a date.
            "id": campaign.id, "list_id": campaign.list_id, "pressed": pressed}) or 0)


def pressed_at(ctx: Context, campaign: Campaign) -> datetime | None:
    """When Send or Schedule was last pressed."""
    found: datetime | None = ctx.db.scalar(select(AuditEntry.at).where(
        AuditEntry.about == f"campaign:{campaign.id}",
        AuditEntry.act.in_(("campaign_started", "campaign_scheduled"))).order_by(AuditEntry.seq.desc()).limit(1))
    return found


def events(ctx: Context, campaign: Campaign, last: int = 30) -> list[AuditEntry]:
    """What was done to it, newest first."""
    return list(ctx.db.scalars(select(AuditEntry).where(
        AuditEntry.about == f"campaign:{campaign.id}").order_by(AuditEntry.seq.desc()).limit(last)))


def workers_are_silent(ctx: Context) -> bool:
    """Whether no worker has been seen for 90 seconds, by the database's clock."""
    return bool(ctx.db.scalar(text(
        "SELECT coalesce(max(seen_at) < clock_timestamp() - make_interval(secs => :gap), true) FROM worker"),
        {"gap": SILENT_AFTER}))
