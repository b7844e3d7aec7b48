"""A stop for an address that somebody types: at once, for anybody's, with one answer (decision 22, promise T13)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from mailer.audience import contact_points
from mailer.audience.models import ContactPoint
from mailer.audit import trail
from mailer.consent import standing
from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.core.links import Link
from mailer.core.messages import MessageClass
from mailer.core.reasons import Reason
from mailer.outbox import singles
from mailer.subscriptions import claims, limits, words
from mailer.subscriptions.leave import leave
from mailer.subscriptions.models import DelayedStop, Goodbye
from mailer.suppression import registry

AT_ONCE_AN_HOUR = 5
FIRST_DELAY = timedelta(minutes=10)
LONGEST_DELAY = timedelta(hours=24)
UNDO_LASTS = timedelta(days=14)
ROUND = 200
NO_NOTICE = frozenset({Reason.COMPLAINED, Reason.NEVER})


@dataclass(frozen=True)
class Stopped:
    """When it takes effect; `at` is now unless many were typed."""

    at: datetime
    delayed: bool


def stop(ctx: Context, channel: str, raw: str, *, network: str) -> Stopped:
    """Stop all marketing to an address, known or not. `network` is a keyed hash of where the request came from.

    A typed stop is never refused: from the sixth an hour it waits, longer each time. Raises: InvalidAddress.
    """
    address = contact_points.parse(ctx, channel, raw)
    fingerprint = contact_points.fingerprint(ctx, channel, address)
    delay = _delay(ctx, network)
    now = ctx.clock.now()
    if delay:
        _later(ctx, channel, fingerprint, now + delay)
        return Stopped(now + delay, delayed=True)
    _now(ctx, channel, fingerprint, contact_points.find(ctx, channel, address), ctx.sealer.fingerprint_version)
    return Stopped(now, delayed=False)


def apply_due(ctx: Context) -> int:
    """Let stops whose wait is over take effect; how many. For the ticker."""
    due = ctx.db.scalars(select(DelayedStop).where(DelayedStop.due_at <= ctx.clock.now()).order_by(
        DelayedStop.due_at).limit(ROUND).with_for_update(skip_locked=True)).all()
    rows = [(row.channel, row.fingerprint, row.fingerprint_version) for row in due]
    for channel, fingerprint, version in rows:
        point = ctx.db.scalars(select(ContactPoint).where(
            ContactPoint.channel == channel,
            ContactPoint.fingerprint.in_(ctx.sealer.with_newer([fingerprint])))).first()
        _now(ctx, channel, fingerprint, point, version)
        ctx.db.execute(delete(DelayedStop).where(
            DelayedStop.channel == channel, DelayedStop.fingerprint == fingerprint))
    return len(rows)


def _delay(ctx: Context, network: str) -> timedelta:
    """No wait for the first five of an hour, then 10 minutes, and twice as long each time."""
    hour = f"stop/{ctx.clock.now():%H}"
    count = limits.spend(ctx, ctx.sealer.bucket("stop", network), hour)
    if count <= AT_ONCE_AN_HOUR:
        return timedelta()
    if count == AT_ONCE_AN_HOUR + 1:
        trail.record(ctx, "typed_stops_slowed", "stop_list", count=count)
    doublings = min(count - AT_ONCE_AN_HOUR - 1, 8)
    return min(LONGEST_DELAY, FIRST_DELAY * (1 << doublings))


def _later(ctx: Context, channel: str, fingerprint: bytes, due: datetime) -> None:
    ctx.db.execute(insert(DelayedStop).values(
        channel=channel, fingerprint=fingerprint, fingerprint_version=ctx.sealer.fingerprint_version,
        due_at=due).on_conflict_do_nothing())


def _now(ctx: Context, channel: str, fingerprint: bytes, point: ContactPoint | None, version: int) -> None:
    if point is not None:
        had_live = any(row.state == "live" for row in standing.of(ctx, point.id))
        try:
            goodbye = leave(ctx, point, how="typed_address", undo_lasts=UNDO_LASTS)
        except NotFound:
            point = None
        else:
            if had_live:
                _tell(ctx, point, goodbye)
    if point is None:
        registry.suppress(ctx, channel=channel, fingerprint=fingerprint, reason=Reason.UNSUBSCRIBED, version=version)


def _tell(ctx: Context, point: ContactPoint, goodbye: Goodbye) -> None:
    """Somebody's live consent was ended, perhaps by another: say so there, once in 30 days."""
    bucket = limits.point_bucket(ctx, point.id)
    reasons = {entry.reason for entry in registry.entries(ctx, point.channel, [point.fingerprint])}
    if reasons & NO_NOTICE or not limits.left(ctx, bucket, limits.STOP_NOTICES):
        return
    limits.spend(ctx, bucket, limits.STOP_NOTICES.kind)
    singles.enqueue(
        ctx, MessageClass.SERVICE_NOTICE, subject=f"contact_point:{point.id}", occasion=f"stopped/{goodbye.id}",
        channel=point.channel, contact_point_id=point.id, not_after=goodbye.undo_until,
        detail={"template": "stopped", "undo": claims.url(ctx, Link.UNDO, point.id, goodbye.id),
                "stopped_on": words.full_day(goodbye.at.date()),
                "undo_until": words.full_day(goodbye.undo_until.date())})
