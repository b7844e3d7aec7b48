"""Finding what dead processes left: their journals first, then slices whose host is gone (decision 8)."""

import logging
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from mailer.core.channel import Fate, Outcome
from mailer.gate.terms import leaf
from mailer.outbox import claim, record, singles
from mailer.outbox.journal import Begun, DeadJournal, dead_journals

log = logging.getLogger(__name__)

Cursor = psycopg.Cursor[tuple[Any, ...]]

HOST_IS_GONE = 120
"""Seconds after the last sign of life of a process without a journal here, until its slices are uncertain."""

LATE_JOURNALS = 7
"""Days for which a slice given up as uncertain may still be corrected by a journal that turns up."""

REAPER = "reaper"


def read_journals(connection: psycopg.Connection[tuple[Any, ...]], folder: Path) -> int:
    """Settle every slice that a dead process of this host left; the number of journals read."""
    read = 0
    for journal in dead_journals(folder):
        _settle_journal(connection, journal)
        journal.remove()
        read += 1
    return read


def _settle_journal(connection: psycopg.Connection[tuple[Any, ...]], journal: DeadJournal) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        for slice_id, noted in journal.slices.items():
            _settle(cursor, slice_id, noted.begun, whole=journal.whole)
    log.info("journal_read", extra={"slices": len(journal.slices)})


def put_back(cursor: Cursor, slice_id: int) -> None:
    """Of this slice nothing was begun: its rows, if it stands at all, go back."""
    _settle(cursor, slice_id, {}, whole=True)


def _settle(cursor: Cursor, slice_id: int, begun: dict[int, Begun], *, whole: bool) -> None:
    """What has an answer is recorded, what was begun without one is uncertain, what was never begun goes back."""
    # The process or its connection may have gone while the database was still committing.
    claim.wait_until_opened(cursor, slice_id)
    cursor.execute("SELECT campaign_id, month FROM slice WHERE id = %s FOR UPDATE", (slice_id,))
    found = cursor.fetchone()
    if found is None:
        return
    campaign_id, month = found
    rows = _rows_of(cursor, slice_id, campaign_id, month)
    outcomes = [_ending(row, begun.get(row), whole) for row in rows]
    if campaign_id is None or month is None:
        singles.record(cursor, slice_id, outcomes)
    else:
        record.record(cursor, record.Place(campaign_id, month, slice_id, REAPER), outcomes)


def _ending(row: int, begun: Begun | None, whole: bool) -> Outcome:
    if begun is None:
        return Outcome(row, Fate.UNBEGUN if whole else Fate.UNCERTAIN)
    return begun.outcome or Outcome(row, Fate.UNCERTAIN)


def _rows_of(cursor: Cursor, slice_id: int, campaign_id: int | None, month: date | None) -> Iterable[int]:
    if campaign_id is None or month is None:
        cursor.execute("SELECT id FROM single_message WHERE slice = %s AND state IN ('handed', 'uncertain')",
                       (slice_id,))
    else:
        cursor.execute(f"""SELECT contact_point_id FROM {leaf("message", month)}
                           WHERE campaign_id = %s AND slice = %s AND state IN ('handed', 'uncertain')""",
                       (campaign_id, slice_id))
    return [row for (row,) in cursor.fetchall()]


def give_up_on_lost_hosts(connection: psycopg.Connection[tuple[Any, ...]]) -> int:
    """Slices of processes unseen for 120 seconds become uncertain as a whole; they are kept for a late journal."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("""
            SELECT s.id, s.campaign_id, s.month FROM slice s LEFT JOIN worker w ON w.id = s.worker
            WHERE s.worker <> %(lost)s AND s.opened_at < clock_timestamp() - make_interval(secs => %(gone)s)
              AND (w.seen_at IS NULL OR w.seen_at < clock_timestamp() - make_interval(secs => %(gone)s))
            FOR UPDATE OF s SKIP LOCKED""", {"gone": HOST_IS_GONE, "lost": REAPER})
        lost = cursor.fetchall()
        for slice_id, campaign_id, month in lost:
            outcomes = [Outcome(row, Fate.UNCERTAIN) for row in _rows_of(cursor, slice_id, campaign_id, month)]
            if campaign_id is None:
                singles.record(cursor, slice_id, outcomes, closes=False)
            else:
                record.record(cursor, record.Place(campaign_id, month, slice_id, REAPER), outcomes, closes=False)
        cursor.execute("UPDATE slice SET worker = %s WHERE id = ANY(%s)", (REAPER, [row[0] for row in lost]))
        cursor.execute("DELETE FROM slice WHERE worker = %s AND opened_at < clock_timestamp() - make_interval(days => "
                       "%s)", (REAPER, LATE_JOURNALS))
    return len(lost)
