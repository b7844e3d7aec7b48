"""Taking a goodbye back: it grants again exactly what that one ended, and nothing else."""

from dataclasses import dataclass
from datetime import datetime

from mailer.audience.models import ContactPoint, Preference
from mailer.consent import ledger, standing
from mailer.consent.ledger import Consent, Evidence
from mailer.context import Context
from mailer.core.messages import Purpose
from mailer.core.reasons import Reason
from mailer.policy import notices
from mailer.subscriptions import limits
from mailer.subscriptions.models import Goodbye
from mailer.suppression import registry


@dataclass(frozen=True)
class Undone:
    """How it ended: `at` is the moment of the first press; None when the time for it was over."""

    at: datetime | None


def may(ctx: Context, goodbye_id: int, contact_point_id: int) -> bool:
    """Whether a press would still take it back."""
    goodbye = ctx.db.get(Goodbye, goodbye_id)
    return (goodbye is not None and goodbye.contact_point_id == contact_point_id and goodbye.undone_at is None
            and goodbye.undo_until > ctx.clock.now())


def undo(ctx: Context, goodbye_id: int, contact_point_id: int) -> Undone:
    """Grant each consent again as a new row of the ledger and lift the entry; twice is once."""
    point = ctx.db.get(ContactPoint, contact_point_id)
    goodbye = ctx.db.get(Goodbye, goodbye_id, with_for_update=True, populate_existing=True)
    if point is None or goodbye is None or goodbye.contact_point_id != point.id:
        return Undone(None)
    if goodbye.undone_at is not None:
        return Undone(goodbye.undone_at)
    now = ctx.clock.now()
    ended = goodbye.ended
    scope = ended["list_id"] or 0, ended.get("topic_id") or 0
    own = {scope} if ended["suppressed"] else set()
    # Somebody who then left everything has spoken since: the newer word counts.
    if goodbye.undo_until <= now or (0, 0) in _left(ctx, point) - own:
        return Undone(None)
    goodbye.undone_at = now
    if ended["suppressed"]:
        registry.lift(ctx, channel=point.channel, fingerprints=[point.fingerprint], reasons=[Reason.UNSUBSCRIBED],
                      list_id=scope[0], topic_id=scope[1])
    regrant(ctx, point, [Consent(*consent) for consent in ended["consents"]], source=f"goodbye:{goodbye.id}")
    _put_back(ctx, point, ended["before"])
    limits.forget(ctx, limits.point_bucket(ctx, point.id), limits.STOP_NOTICES.kind)
    return Undone(now)


def regrant(ctx: Context, point: ContactPoint, consents: list[Consent], *, source: str) -> list[Consent]:
    """Grant again what is ended; what stands otherwise by now, or was left altogether, stays as it is."""
    left = _left(ctx, point)
    ended = {Consent(row.list_id, row.topic_id, row.purpose) for row in standing.of(ctx, point.id)
             if row.state == "ended" and not left & {(0, 0), (row.list_id, 0), (row.list_id, row.topic_id)}}
    notice = notices.in_force(ctx)
    evidence = Evidence(how="undo", notice_id=notice.id if notice else None, source=source)
    again = [consent for consent in consents if consent in ended]
    for consent in again:
        ledger.grant(ctx, point, list_id=consent.list_id, topic_id=consent.topic_id,
                     purpose=Purpose(consent.purpose), evidence=evidence)
    return again


def _left(ctx: Context, point: ContactPoint) -> set[tuple[int, int]]:
    """The lists and topics that were left, 0 for all."""
    return {(entry.list_id, entry.topic_id) for entry in registry.entries(ctx, point.channel, [point.fingerprint])
            if entry.reason == Reason.UNSUBSCRIBED}


def _put_back(ctx: Context, point: ContactPoint, before: dict[str, str | int | None]) -> None:
    preference = ctx.db.get(Preference, point.id)
    if preference is None or not before:
        return
    paused = before["paused_until"]
    preference.paused_until = datetime.fromisoformat(paused) if isinstance(paused, str) else None
    preference.format, preference.every_days = str(before["format"]), int(before["every_days"] or 0)
