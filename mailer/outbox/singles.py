"""Single messages: confirmations, links, notices, tests, staff mail; each said once for its occasion."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from mailer.context import Context
from mailer.core.channel import Fate, Outcome
from mailer.core.jobs import Job
from mailer.core.messages import RESENT_ONCE, MessageClass, State
from mailer.core.vault import Opener, Use
from mailer.gate.single_facts import cursor_of
from mailer.outbox import lent
from mailer.outbox.claim import open_slice
from mailer.outbox.models import SingleMessage
from mailer.outbox.record import ENDS

Cursor = psycopg.Cursor[tuple[Any, ...]]

RETRY_SECONDS = (30, 120, 300, 900, 3600)
"""Somebody waits for these, so they are tried again sooner than a campaign's."""

AT_ONCE = 8
"""Messages a slice."""

ONCE = tuple(str(each) for each in RESENT_ONCE)


def enqueue(ctx: Context, kind: MessageClass, *, subject: str, occasion: str, detail: Mapping[str, Any],
            not_after: datetime, channel: str = "email", contact_point_id: int | None = None,
            pending_request_id: int | None = None, staff_id: int | None = None, campaign_id: int | None = None,
            address_change_id: int | None = None, friend_request_id: int | None = None,
            rights_request_id: int | None = None) -> int | None:
    """Put one message in the outbox; None when this occasion has had its message already.

    `subject` names whom it is about (`request:7`), `occasion` why now; together with the class they are unique.
    `detail` is what its template says, sealed until the message is accepted.
    """
    row = insert(SingleMessage).values(
        kind=kind, subject=subject, occasion=occasion, channel=channel, contact_point_id=contact_point_id,
        pending_request_id=pending_request_id, staff_id=staff_id, campaign_id=campaign_id,
        address_change_id=address_change_id, friend_request_id=friend_request_id, rights_request_id=rights_request_id,
        created_at=ctx.clock.now(), not_after=not_after,
        sealed_detail=ctx.sealer.seal_shared(Use.OUTBOX, json.dumps(detail).encode(), table="single_message",
                                             row=subject, field="detail"))
    single_id = ctx.db.scalar(row.on_conflict_do_nothing().returning(SingleMessage.id))
    if single_id is not None:
        ctx.nudge(Job.SINGLES)
    return single_id


def detail_of(opener: Opener, single: SingleMessage) -> dict[str, Any]:
    """What the message's template is to say."""
    if single.sealed_detail is None:
        return {}
    plain = opener.open_shared(Use.OUTBOX, single.sealed_detail, table="single_message", row=single.subject,
                               field="detail")
    return json.loads(plain)  # type: ignore[no-any-return] # Written by `enqueue` as an object.


@dataclass(frozen=True)
class Claimed:
    """Rows locked for this transaction; those past their time have been ended."""

    rows: Sequence[SingleMessage]
    slice_id: int


def due(ctx: Context) -> int:
    """How many messages' time has come, as far as one slice can hold them."""
    return int(ctx.db.scalar(text("""
        SELECT count(*) FROM (
            SELECT FROM single_message WHERE state IN ('ready', 'deferred')
            AND (until IS NULL OR until <= clock_timestamp()) LIMIT :most) AS found"""), {"most": AT_ONCE}) or 0)


def claim(ctx: Context, worker: str, most: int = AT_ONCE) -> Claimed | None:
    """Lock a few messages whose time has come; None when there are none."""
    now = ctx.clock.now()
    rows = ctx.db.scalars(
        select(SingleMessage).where(
            SingleMessage.state.in_((State.READY, State.DEFERRED)),
            (SingleMessage.until.is_(None)) | (SingleMessage.until <= text("clock_timestamp()")))
        .order_by(SingleMessage.id).limit(most).with_for_update(skip_locked=True)).all()
    if not rows:
        return None
    for row in rows:
        if row.not_after < now:
            row.state, row.code, row.until, row.sealed_detail = State.EXPIRED, None, None, None
    live = [row for row in rows if row.state != State.EXPIRED]
    forget_lent(ctx, [row for row in rows if row.state == State.EXPIRED])
    with cursor_of(ctx) as cursor:
        return Claimed(live, open_slice(cursor, worker, None, None))


def hand(rows: Sequence[SingleMessage], slice_id: int, cleared: set[int], refused: Mapping[int, str],
         waiting: Mapping[int, timedelta]) -> None:
    """Write the gate's answers onto the rows; one that must wait comes back at its time."""
    for row in rows:
        if row.id not in cleared and row.id not in refused:
            if row.id in waiting:
                # Waits are told by the clock of the rules, claims by the database's own.
                row.until = func.clock_timestamp() + waiting[row.id]
            continue
        row.attempt += 1
        row.decided = row.attempt
        row.until = None
        if row.id in cleared:
            row.state, row.cleared, row.slice, row.code = State.HANDED, True, slice_id, None
        else:
            row.state, row.cleared, row.code, row.sealed_detail = State.REFUSED, False, refused[row.id], None


def forget_lent(ctx: Context, rows: Sequence[SingleMessage]) -> None:
    """Forget what friends' messages among these held, if they have come to an end."""
    with cursor_of(ctx) as cursor:
        lent.forget(cursor, [row.id for row in rows if row.kind == MessageClass.INVITATION])


def record(cursor: Cursor, slice_id: int, outcomes: Sequence[Outcome], *, closes: bool = True) -> None:
    """Move the slice's rows to where their outcomes say; an uncertain one of a class that may is sent once more."""
    for each in outcomes:
        state = ENDS[each.fate]
        cursor.execute("""
            UPDATE single_message SET
                state = CASE WHEN %(state)s = 'uncertain' AND class = ANY(%(once)s) AND NOT resent THEN 'ready'
                             ELSE %(state)s END,
                resent = resent OR (%(state)s = 'uncertain' AND class = ANY(%(once)s)),
                code = nullif(%(code)s, ''),
                until = CASE WHEN %(waits)s
                             THEN clock_timestamp() + make_interval(secs => (%(gaps)s::int[])[least(attempt, %(n)s)])
                             END,
                sealed_detail = CASE WHEN %(state)s IN ('accepted', 'failed') THEN NULL ELSE sealed_detail END
            WHERE id = %(id)s AND slice = %(slice)s AND state IN ('handed', 'uncertain') AND state <> %(state)s""",
            {"state": str(state), "waits": _waits(each), "once": list(ONCE),
             "code": "" if each.fate is Fate.UNBEGUN else each.code,
             "gaps": list(RETRY_SECONDS), "n": len(RETRY_SECONDS), "id": each.row, "slice": slice_id})
    lent.forget(cursor, [each.row for each in outcomes])
    if closes:
        cursor.execute("DELETE FROM slice WHERE id = %s", (slice_id,))


def _waits(outcome: Outcome) -> bool:
    """Also what was never begun waits where the server is down: every try is an attempt, and they are counted."""
    return outcome.fate is Fate.DEFERRED or (outcome.fate is Fate.UNBEGUN and outcome.lane_down)


def sweep(ctx: Context) -> bool:
    """Whether anything is due: the ticker then nudges a worker, in case its nudge was lost."""
    return bool(ctx.db.scalar(text("""
        SELECT EXISTS (SELECT FROM single_message WHERE state IN ('ready', 'deferred')
                       AND (until IS NULL OR until <= clock_timestamp()))""")))
