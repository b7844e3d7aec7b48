"""Putting a contact point at another address that its mailbox has proven; no opt-out is shed on the way.

What the person said at the old address goes with them, what was said at the new one holds there, and the strictest
wins: a stop that holds at the new address ends the consents it covers (decision 2).
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select, update

from mailer.audience import field_sources
from mailer.audience.field_sources import Origin
from mailer.audience.models import ContactPoint
from mailer.consent import ledger, standing
from mailer.consent.ledger import Evidence
from mailer.context import Context
from mailer.core.messages import Purpose
from mailer.core.reasons import Reason
from mailer.core.vault import Opener
from mailer.outbox.keep_back import keep_back
from mailer.subscriptions import merge
from mailer.subscriptions.models import Goodbye
from mailer.suppression import registry
from mailer.suppression.registry import Stop

FOLLOWS = frozenset({Reason.NEVER, Reason.CHILD, Reason.LAW, Reason.HOLD, Reason.STOPPED, Reason.UNSUBSCRIBED,
                     Reason.POST_CODE, Reason.STAFF_STOP, Reason.COMPLAINED})
"""What was said by or about the person, not about one mailbox."""
PROVEN = frozenset({Reason.FRIEND_ONLY, Reason.BOUNCED, Reason.GONE_AWAY})
"""What a press at the mailbox itself disproves: it was only lent, or it takes no mail."""
ENDS = FOLLOWS - {Reason.HOLD} | {Reason.ERASED, Reason.FRIEND_ONLY}
"""Stops that end the consents they cover."""


@dataclass(frozen=True, repr=False)
class Place:
    """An address as a contact point holds it."""

    sealed: bytes
    fingerprint: bytes
    version: int
    domain_hash: bytes


def move(ctx: Context, opener: Opener, point: ContactPoint, place: Place, *, source: str, lifts: frozenset[Reason]
         ) -> None:
    """Move a contact point there in place; whoever has the address already becomes one with it.

    `lifts` are reasons that this press disproves. Raises: NotFound once erased; KeyProblem.
    """
    ledger.holder_of(ctx, point)
    place = _current(ctx, place)
    stops = [Stop(entry.channel, place.fingerprint, Reason(entry.reason), entry.list_id, entry.topic_id, entry.day,
                  entry.until) for entry in registry.entries(ctx, point.channel, [point.fingerprint])
             if Reason(entry.reason) in FOLLOWS]
    other = ctx.db.scalars(select(ContactPoint).where(
        ContactPoint.channel == point.channel,
        ContactPoint.fingerprint.in_([place.fingerprint, *ctx.sealer.above(place.fingerprint, place.version)]),
        ContactPoint.id != point.id)).first()
    merged = [other.id] if other is not None else []
    if other is not None:
        merge.merge(ctx, opener, into=point, gone=other)
    point.sealed, point.fingerprint, point.fingerprint_version, point.domain_hash = \
        place.sealed, place.fingerprint, place.version, place.domain_hash
    ctx.db.flush()
    registry.lift(ctx, channel=point.channel, fingerprints=[place.fingerprint], reasons=lifts)
    _close_goodbyes(ctx, point)
    registry.suppress_many(ctx, stops, version=place.version)
    _end_covered(ctx, point)
    field_sources.note(ctx, point.person_id, ["email"], Origin(source))
    keep_back(ctx, [point.id, *merged])


def end_since(ctx: Context, point: ContactPoint, since: datetime) -> None:
    """End every yes from then on: the mailbox that is gone back to never said it. Raises: NotFound once erased."""
    for row in standing.of(ctx, point.id):
        if row.state == "live" and row.since >= since:
            ledger.end(ctx, point, list_id=row.list_id, topic_id=row.topic_id, purpose=Purpose(row.purpose),
                       evidence=Evidence(how="address_undone"))


def _current(ctx: Context, place: Place) -> Place:
    """While keys rotate, a fingerprint that waited goes on under the version in use."""
    version = max(place.version, ctx.sealer.fingerprint_version)
    return replace(place, fingerprint=ctx.sealer.layer_up(place.fingerprint, place.version, version), version=version)


def _close_goodbyes(ctx: Context, point: ContactPoint) -> None:
    """An undo that was mailed to the old address lifts no stop at the new one, which may be its owner's own."""
    now = ctx.clock.now()
    ctx.db.execute(update(Goodbye).where(
        Goodbye.contact_point_id == point.id, Goodbye.undone_at.is_(None), Goodbye.undo_until > now).values(
            undo_until=now))


def _end_covered(ctx: Context, point: ContactPoint) -> None:
    stops = [entry for entry in registry.entries(ctx, point.channel, [point.fingerprint])
             if Reason(entry.reason) in ENDS]
    for row in standing.of(ctx, point.id):
        why = next((stop.reason for stop in stops if stop.list_id in (0, row.list_id)
                    and stop.topic_id in (0, row.topic_id)), None)
        if row.state == "live" and why is not None:
            ledger.end(ctx, point, list_id=row.list_id, topic_id=row.topic_id, purpose=Purpose(row.purpose),
                       evidence=Evidence(how="address_changed", source=f"stop:{why}"))
