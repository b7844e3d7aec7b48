"""Bringing a database that was put back to an earlier state up to its hosts' exits files (decision 19)."""

from collections.abc import Callable
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
from mailer.subscriptions.stop_many import KEEPS_CONSENT
from mailer.suppression import registry
from mailer.suppression.registry import Stop


def apply_exits(ctx: Context, folder: Path, *, forget: Callable[[Context, ExitLine], object]) -> int:
    """Replay every line that this database does not know, in the order of time; how many lines were mended.

    Exits suppress and end the consents that they cover, lifts lift, erasures `forget` whom they name; an exit that
    the person has since taken back by confirming again stays taken back. Marks that this host's file lacks are
    written to it. Raises: OSError.
    """
    missing = list(fence.lines_behind(ctx.db, folder))
    fence.no_longer_wanted(ctx.db, fence.brought(ctx.db, folder))
    for host, line in missing:
        if line.kind is ExitKind.ERASURE:
            forget(ctx, line)
        else:
            _replay(ctx, line)
        record.mark(ctx, host, line)
    # A file of our own that a restore misses is not made up from what the database still knows of it.
    unwritten = [] if fence.is_wanted(ctx.db, ctx.host) else fence.unwritten(ctx.db, folder, ctx.host)
    known = {line.id for line in ctx.exit_lines}
    ctx.exit_lines.extend(line for line in unwritten if line.id not in known)
    mended = len(missing) + sum(line.id not in known for line in unwritten)
    trail.record(ctx, "apply_exits", lines=mended)
    return mended


def _replay(ctx: Context, line: ExitLine) -> None:
    detail = line.detail
    if line.kind is ExitKind.HEAD:
        return
    if "fingerprints" in detail:
        _replay_for(ctx, line, [bytes.fromhex(each) for each in detail["fingerprints"]], Reason(detail["reason"]))
    elif "fingerprint" in detail:
        _replay_for(ctx, line, [bytes.fromhex(detail["fingerprint"])], Reason(detail["reason"]))


def _replay_for(ctx: Context, line: ExitLine, prints: list[bytes], reason: Reason) -> None:
    """Lines from before there were topics are of whole lists."""
    detail = line.detail
    channel, list_id, topic_id = detail["channel"], detail["list_id"], detail.get("topic_id", 0)
    if line.kind is ExitKind.LIFT:
        registry.lift(ctx, channel=channel, fingerprints=prints, reasons=[reason], list_id=list_id, topic_id=topic_id)
        return
    until = date.fromisoformat(detail["until"]) if detail.get("until") else None
    meant = {each: one for one in prints for each in (one, *ctx.sealer.above(one, detail.get("version")))}
    points = ctx.db.scalars(select(ContactPoint).where(
        ContactPoint.channel == channel, ContactPoint.fingerprint.in_(meant))).all()
    back_again = {meant[point.fingerprint] for point in points if _end_consents(ctx, line, point, reason)
                  and reason in MAY_LIFT}
    registry.suppress_many(ctx, [Stop(channel, each, reason, list_id, topic_id, line.at.date(), until)
                                 for each in prints if each not in back_again], version=detail.get("version"))


def _end_consents(ctx: Context, line: ExitLine, point: ContactPoint, reason: Reason) -> bool:
    """End what the exit covers; whether the person has granted some of it again since then."""
    if reason in KEEPS_CONSENT:
        return False
    covered = [row for row in standing.of(ctx, point.id) if row.state == "live"
               and line.detail["list_id"] in (0, row.list_id) and line.detail.get("topic_id", 0) in (0, row.topic_id)]
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
