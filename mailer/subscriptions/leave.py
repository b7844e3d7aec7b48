"""The one way out: what was agreed to ends, the stop list remembers it, and nothing more begins (promise M17)."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from mailer.audience.models import ContactPoint
from mailer.consent import ledger
from mailer.consent.ledger import Consent, Evidence
from mailer.context import Context
from mailer.core.reasons import Reason
from mailer.outbox import counts
from mailer.outbox.keep_back import keep_back
from mailer.subscriptions.models import Goodbye
from mailer.suppression import registry

UNDO_LASTS = timedelta(hours=24)
"""On one's own page; who was stopped by somebody else's typing has 14 days (decision 22)."""
NO_UNDO = timedelta()
"""For who said "never": that has a code of its own."""


def leave(ctx: Context, point: ContactPoint, *, list_id: int | None = None, topic_id: int | None = None, how: str,
          campaign_id: int | None = None, undo_lasts: timedelta = UNDO_LASTS) -> Goodbye:
    """End every consent of one topic or list, or of the whole channel, and put the address on the stop list.

    A topic is named with its list. Leaving twice is leaving once: the second answer is the first goodbye, while it
    may still be undone. The unit of work answers only once nothing more can begin (decision 7). Raises: NotFound when
    the person is erased.
    """
    evidence = Evidence(how=how, source=f"campaign:{campaign_id}" if campaign_id else "")
    ended = ledger.end_all(ctx, point, list_id=list_id, topic_id=topic_id, evidence=evidence)
    new = registry.suppress(ctx, channel=point.channel, fingerprint=point.fingerprint, reason=Reason.UNSUBSCRIBED,
                            list_id=list_id or 0, topic_id=topic_id or 0, version=point.fingerprint_version)
    keep_back(ctx, [point.id])
    earlier = None if ended or new else _earlier(ctx, point, list_id, topic_id)
    if campaign_id and (ended or new):
        counts.count_left(ctx, campaign_id)
    return earlier or note(ctx, point, how=how, list_id=list_id, topic_id=topic_id, ended=ended, suppressed=new,
                           lasts=undo_lasts)


def note(ctx: Context, point: ContactPoint, *, how: str, list_id: int | None = None, topic_id: int | None = None,
         ended: list[Consent], suppressed: bool = False, before: dict[str, Any] | None = None,
         lasts: timedelta = UNDO_LASTS) -> Goodbye:
    """Remember what ended, and for how long it may be taken back.

    `before` holds preferences as they were; `suppressed` says that the entry on the stop list came with this goodbye.
    """
    now = ctx.clock.now()
    goodbye = Goodbye(contact_point_id=point.id, at=now, undo_until=now + lasts, ended={
        "how": how, "list_id": list_id, "topic_id": topic_id,
        "consents": [list(consent) for consent in ended], "suppressed": suppressed, "before": before or {}})
    ctx.db.add(goodbye)
    ctx.db.flush()
    return goodbye


def open_goodbyes(ctx: Context, contact_point_id: int) -> list[Goodbye]:
    """What of this address may still be taken back, newest first."""
    return list(ctx.db.scalars(select(Goodbye).where(
        Goodbye.contact_point_id == contact_point_id, Goodbye.undone_at.is_(None),
        Goodbye.undo_until > ctx.clock.now()).order_by(Goodbye.id.desc())))


def _earlier(ctx: Context, point: ContactPoint, list_id: int | None, topic_id: int | None) -> Goodbye | None:
    return next((each for each in open_goodbyes(ctx, point.id) if each.ended["suppressed"]
                 and (each.ended["list_id"], each.ended.get("topic_id")) == (list_id, topic_id)), None)
