"""The stop list: who is not written to, and why. It outlives erasure, imports and restores (promise section 3, 4)."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import case, delete, func, null, or_, select
from sqlalchemy.dialects.postgresql import insert

from mailer.context import Context
from mailer.core.exits import ExitKind
from mailer.core.reasons import SUPPRESSING, Reason
from mailer.exits import record
from mailer.organisation.profile import mode as mode_in_force
from mailer.suppression.models import Suppression


def suppress(ctx: Context, *, channel: str, fingerprint: bytes, reason: Reason, list_id: int = 0,
             until: date | None = None, version: int | None = None, sample: bool = False) -> bool:
    """Put an address on the stop list; whether that was new or stricter. `list_id` 0 is everything of the channel.

    `until` is the first day on which the entry holds no longer. `version` is that of the fingerprint, the newest
    unless said. Raises: ValueError for a reason that does not suppress.
    """
    if reason not in SUPPRESSING:
        raise ValueError(f"{reason} does not suppress")
    mode = mode_in_force(ctx)
    version = ctx.sealer.fingerprint_version if version is None else version
    entry = insert(Suppression).values(
        channel=channel, fingerprint=fingerprint, list_id=list_id, reason=reason, fingerprint_version=version,
        mode=mode, day=ctx.clock.now().date(), until=until, sample=sample)
    new = entry.excluded
    stricter = Suppression.until.is_not(None) & (new.until.is_(None) | (new.until > Suppression.until))
    # What was stopped in Practice and is stopped again in Live is stopped in Live.
    graver = (Suppression.mode != new.mode) & (new.mode == "live")
    statement = entry.on_conflict_do_update(
        index_elements=["channel", "fingerprint", "list_id", "reason"], where=or_(stricter, graver),
        set_={"until": case((Suppression.until.is_(None) | new.until.is_(None), null()),
                            else_=func.greatest(Suppression.until, new.until)),
              "day": new.day, "mode": new.mode, "sample": new.sample})
    kept = ctx.db.execute(statement.returning(Suppression.until)).first()
    if kept is None:
        return False
    record.record(ctx, ExitKind.EXIT, _detail(channel, fingerprint, reason, list_id) | {
        "version": version, "mode": mode, "until": kept.until.isoformat() if kept.until else None})
    return True


def lift(ctx: Context, *, channel: str, fingerprints: Sequence[bytes], reasons: Iterable[Reason],
         list_id: int | None = None) -> list[Suppression]:
    """Take entries off the stop list, of one scope or of all; those lifted. The caller knows that it may."""
    gone = delete(Suppression).where(
        Suppression.channel == channel, Suppression.fingerprint.in_(fingerprints),
        Suppression.reason.in_(list(reasons)))
    if list_id is not None:
        gone = gone.where(Suppression.list_id == list_id)
    lifted = [Suppression(**row) for row in ctx.db.execute(
        gone.returning(*Suppression.__table__.columns)).mappings()]
    for entry in lifted:
        record.record(ctx, ExitKind.LIFT, _detail(
            entry.channel, entry.fingerprint, Reason(entry.reason), entry.list_id))
    return lifted


def entries(ctx: Context, channel: str, fingerprints: Sequence[bytes]) -> list[Suppression]:
    """What holds today for an address, under any version of its fingerprint."""
    return list(ctx.db.scalars(select(Suppression).where(
        Suppression.channel == channel, Suppression.fingerprint.in_(fingerprints),
        Suppression.until.is_(None) | (Suppression.until > ctx.clock.now().date())).order_by(
            Suppression.day, Suppression.reason, Suppression.list_id)))


def _detail(channel: str, fingerprint: bytes, reason: Reason, list_id: int) -> dict[str, Any]:
    return {"channel": channel, "fingerprint": fingerprint.hex(), "reason": reason, "list_id": list_id}
