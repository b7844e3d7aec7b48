"""Claiming a slice: blocks are locked, rows read, the gate's answers written onto them, all in one transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import psycopg

from mailer.core.messages import State
from mailer.db import Ids
from mailer.gate.terms import leaf
from mailer.outbox import counts
from mailer.outbox.plan import BLOCK

Cursor = psycopg.Cursor[tuple[Any, ...]]

OPENING = 7141905
"""Held by the transaction that opens a slice, beside the slice's number."""


class Row(NamedTuple):
    """A message that waits for the gate."""

    contact_point_id: int
    attempt: int
    deferred: bool


@dataclass(frozen=True)
class Held:
    """Locked blocks and the rows taken from them; `whole` when no more rows of these blocks are waiting.

    `cursor` is where the next claim begins, so that workers walk through the blocks and none looks back (decision 10).
    """

    campaign_id: int
    month: date
    blocks: Sequence[int]
    rows: Sequence[Row]
    whole: bool
    cursor: int


LOCK = """
    SELECT b.block FROM message_block b
    WHERE b.campaign_id = %(id)s AND b.block > %(after)s AND b.open AND {lanes}
      AND (b.not_before IS NULL OR b.not_before <= clock_timestamp())
      AND NOT EXISTS (SELECT FROM lane_hold h WHERE h.lane = b.lane AND h.until > clock_timestamp())
      AND EXISTS (SELECT FROM campaign c WHERE c.id = %(id)s AND c.state = 'sending' AND NOT c.stopping)
    ORDER BY b.block LIMIT %(n)s FOR UPDATE OF b SKIP LOCKED
"""
LOCK_OTHERS = LOCK.format(lanes="b.lane <> ALL(%(lanes)s::bigint[])")
LOCK_LANE = LOCK.format(lanes="b.lane = %(lane)s")


def lock(cursor: Cursor, campaign_id: int, month: date, after: int, size: int, *, but: Sequence[int] = (),
         lane: int | None = None) -> Held | None:
    """Lock open blocks past `after` that nobody holds, and read at most `size` of their rows.

    Blocks of the lanes in `but` are left alone; with `lane` only that lane's are taken. None as well when the
    campaign is not being sent at this moment.
    """
    blocks_wanted = max(1, size // BLOCK)
    most = size if size < BLOCK else blocks_wanted * BLOCK
    cursor.execute(LOCK_OTHERS if lane is None else LOCK_LANE, {
        "id": campaign_id, "after": after, "n": blocks_wanted, "lanes": Ids.of(but), "lane": lane})
    blocks = [block for (block,) in cursor.fetchall()]
    if not blocks:
        return None
    # Only a statement that began after the lock sees what the last holder of these blocks did to their rows.
    cursor.execute(f"""
        SELECT contact_point_id, attempt, state = 'deferred' FROM {leaf("message", month)}
        WHERE campaign_id = %s AND block = ANY(%s) AND state IN ('ready', 'deferred')
        ORDER BY block, contact_point_id LIMIT %s""", (campaign_id, Ids(blocks), most + 1))
    rows = [Row._make(row) for row in cursor.fetchall()]
    whole = len(rows) <= most
    return Held(campaign_id, month, blocks, rows[:most], whole, blocks[-1] if whole else blocks[0] - 1)


def open_slice(cursor: Cursor, worker: str, campaign_id: int | None, month: date | None) -> int:
    """A new fence: present from the decision until its results are recorded."""
    cursor.execute(f"""
        WITH opened AS (INSERT INTO slice (worker, campaign_id, month, opened_at)
                        VALUES (%s, %s, %s, clock_timestamp()) RETURNING id)
        SELECT id, pg_advisory_xact_lock({OPENING}, (id & 2147483647)::int) FROM opened""",
        (worker, campaign_id, month))
    return int((cursor.fetchone() or (0,))[0])


def wait_until_opened(cursor: Cursor, slice_id: int) -> None:
    """Wait until the transaction that opens this slice is over: only then it can be seen whether the slice stands.

    Raises: psycopg.errors.LockNotAvailable after five seconds.
    """
    cursor.execute("SET LOCAL lock_timeout = '5s'")
    cursor.execute(f"SELECT pg_advisory_xact_lock({OPENING}, (%s::bigint & 2147483647)::int)", (slice_id,))


HAND = """
    WITH closed AS (
        UPDATE message_block SET open = false WHERE campaign_id = %(id)s AND block = ANY(%(blocks)s)
    ), counted AS (
        INSERT INTO campaign_count (campaign_id, worker, state, detail, n)
        VALUES (%(id)s, %(worker)s, 'handed', '', %(n)s)
        ON CONFLICT (campaign_id, worker, state, detail) DO UPDATE SET n = campaign_count.n + excluded.n
    )
    UPDATE {table} SET state = 'handed', slice = %(slice)s, attempt = attempt + 1, decided = attempt + 1,
           cleared = true, code = NULL, until = NULL
    WHERE campaign_id = %(id)s AND contact_point_id = ANY(%(rows)s)
"""


def write(cursor: Cursor, held: Held, slice_id: int, worker: str, *, cleared: Sequence[int],
          refused: Sequence[tuple[int, str]], left: bool) -> None:
    """Cleared rows become handed, refused rows end, blocks with nothing left close; counters come last."""
    table, closes = leaf("message", held.month), held.whole and not left
    if refused or not cleared or any(row.deferred for row in held.rows):
        _end(cursor, held, worker, cleared, refused)
    # One statement does all that most slices want: what it counts is this worker's own row.
    cursor.execute(HAND.format(table=table), {
        "id": held.campaign_id, "slice": slice_id, "rows": Ids.of(cleared), "n": len(cleared), "worker": worker,
        "blocks": Ids(held.blocks if closes else ())})
    if not cleared:
        cursor.execute("DELETE FROM slice WHERE id = %s", (slice_id,))


def _end(cursor: Cursor, held: Held, worker: str, cleared: Sequence[int], refused: Sequence[tuple[int, str]]) -> None:
    """Refused rows end, and what was deferred is so no more."""
    if refused:
        cursor.execute(f"""
            UPDATE {leaf("message", held.month)} m SET state = 'refused', attempt = attempt + 1, decided = attempt + 1,
                   cleared = false, code = r.reason, until = NULL
            FROM unnest(%s::bigint[], %s::text[]) AS r (row, reason)
            WHERE m.campaign_id = %s AND m.contact_point_id = r.row""",
            ([row for row, _ in refused], [reason for _, reason in refused], held.campaign_id))
    deltas: counts.Deltas = Counter((State.REFUSED, reason) for _, reason in refused)
    ended = {row for row, _ in refused}.union(cleared)
    deltas[State.DEFERRED, ""] -= sum(row.deferred and row.contact_point_id in ended for row in held.rows)
    counts.add(cursor, held.campaign_id, worker, deltas)
