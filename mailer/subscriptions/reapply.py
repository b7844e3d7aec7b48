"""Bringing a database that was put back to an earlier state up to its hosts' exits files (decision 19)."""

from datetime import date
from pathlib import Path

from sqlalchemy import select

from mailer.audience.models import ContactPoint
from mailer.audit import trail
from mailer.consent import ledger, standing
from mailer.consent.models import Standing
from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.core.exits import ExitKind, ExitLine
from mailer.core.messages import Purpose
from mailer.core.reasons import Reason
from mailer.exits import fence, record
from mailer.subscriptions.confirm import MAY_LIFT
from mailer.suppression import registry

KEEPS_CONSENT = frozenset({Reason.HOLD, Reason.DOUBTFUL, Reason.BOUNCED, Reason.GONE_AWAY, Reason.NOT_ME})
"""Reasons that stop messages for a while and end no consent."""


def apply_exits(ctx: Context, folder: Path) -> int:
    """Replay every line that this database does not know, in the order of time; how many lines were mended.

    Exits suppress and end the consents that they cover, lifts lift; an exit that the person has since taken back by
    confirming again stays taken back. Marks that this host's file lacks are written to it. Raises: OSError.
    """
    missing = list(fence.lines_behind(ctx.db, folder))
    for host, line in missing:
        _replay(ctx, line)
        record.mark(ctx, host, line)
    unwritten = fence.unwritten(ctx.db, folder, ctx.host)
    known = {line.id for line in ctx.exit_lines}
    ctx.exit_lines.extend(line for line in unwritten if line.id not in known)
    mended = len(missing) + sum(line.id not in known for line in unwritten)
    trail.record(ctx, "apply_exits", lines=mended)
    return mended


def _replay(ctx: Context, line: ExitLine) -> None:
    detail = line.detail
    if line.kind is ExitKind.HEAD or "fingerprint" not in detail:
        return
    fingerprint, reason = bytes.fromhex(detail["fingerprint"]), Reason(detail["reason"])
    if line.kind is ExitKind.LIFT:
        registry.lift(ctx, channel=detail["channel"], fingerprints=[fingerprint], reasons=[reason],
                      list_id=detail["list_id"])
        return
    until = date.fromisoformat(detail["until"]) if detail.get("until") else None
    back_again = _end_consents(ctx, line, fingerprint, reason)
    if not (back_again and reason in MAY_LIFT):
        registry.suppress(ctx, channel=detail["channel"], fingerprint=fingerprint, reason=reason,
                          list_id=detail["list_id"], until=until, version=detail.get("version"))


def _end_consents(ctx: Context, line: ExitLine, fingerprint: bytes, reason: Reason) -> bool:
    """End what the exit covers; whether the person has granted some of it again since then."""
    point = ctx.db.scalars(select(ContactPoint).where(
        ContactPoint.channel == line.detail["channel"], ContactPoint.fingerprint == fingerprint)).first()
    if point is None or reason in KEEPS_CONSENT:
        return False
    covered = [row for row in standing.of(ctx, point.id) if row.state == "live"
               and line.detail["list_id"] in (0, row.list_id)]
    older = [row for row in covered if row.since <= line.at]
    try:
        for row in older:
            _end(ctx, point, row, line)
    except NotFound:
        # The key went with an erasure and only old rows came back: nothing opens, and the stop list holds.
        return False
    return len(older) < len(covered)


def _end(ctx: Context, point: ContactPoint, row: Standing, line: ExitLine) -> None:
    ledger.end(ctx, point, list_id=row.list_id, topic_id=row.topic_id, purpose=Purpose(row.purpose),
               evidence=ledger.Evidence(how="exits_file", source=f"exit:{line.id}"))
