"""The end of the message log: 90 days after a campaign ended its rows go, and its sums stay.

A month whose campaigns are all past that is detached and dropped as a whole; where others of the month are still
kept, rows are deleted campaign by campaign. Receipts become sums, decisions go with their messages.
"""

import logging
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import psycopg

from mailer.gate.terms import leaf
from mailer.outbox.counts import RECEIPT
from mailer.outbox.partitions import month_of

log = logging.getLogger(__name__)

Connection = psycopg.Connection[tuple[Any, ...]]

KEPT = timedelta(days=90)
"""The message log of a person; then totals alone."""

BLOCKS_KEPT = timedelta(days=1)
"""Blocks of a campaign that has ended: for whoever sends to its uncertain, who gets new ones afterwards."""

ONE_AT_A_TIME = 7141906
AT_ONCE = 10_000
LEAF = re.compile(r"message_(\d{4})_(\d{2})")

OVER = """
    UPDATE campaign SET messages_dropped_at = %s
    WHERE finished_at < %s AND month IS NOT NULL AND messages_dropped_at IS NULL RETURNING id
"""
MONTHS = """
    SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'message\\_20%' AND pg_table_is_visible(oid)
"""
STILL_KEPT = "SELECT EXISTS (SELECT FROM campaign WHERE month = %s AND messages_dropped_at IS NULL)"
OF_MONTH = "SELECT id FROM campaign WHERE month = %s AND messages_dropped_at IS NOT NULL ORDER BY id"
ATTACHED = """
    SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = to_regclass(%s) AND inhparent = to_regclass(%s)
"""
ROWS = """
    DELETE FROM {table} WHERE campaign_id = %(id)s AND contact_point_id = ANY(ARRAY(
        SELECT contact_point_id FROM {table} WHERE campaign_id = %(id)s ORDER BY contact_point_id LIMIT %(n)s))
"""
RECEIPTS = """
    WITH gone AS (
        DELETE FROM receipt r USING campaign c
        WHERE c.id = r.campaign_id AND c.messages_dropped_at IS NOT NULL RETURNING r.campaign_id, r.kind
    )
    INSERT INTO campaign_count (campaign_id, worker, state, detail, n)
    SELECT campaign_id, 'retention', %s, kind, count(*) FROM gone GROUP BY campaign_id, kind
    ON CONFLICT (campaign_id, worker, state, detail) DO UPDATE SET n = campaign_count.n + excluded.n
"""
BLOCKS = """
    DELETE FROM message_block b USING campaign c WHERE c.id = b.campaign_id AND c.finished_at < %s
"""
SINGLES = """
    DELETE FROM single_message WHERE id = ANY(ARRAY(
        SELECT id FROM single_message
        WHERE created_at < %s AND state IN ('accepted', 'refused', 'failed', 'expired', 'uncertain') LIMIT %s))
"""


@dataclass(frozen=True)
class Dropped:
    """What a run took away: campaigns whose log ended, months dropped whole, single messages."""

    campaigns: int = 0
    months: int = 0
    singles: int = 0


def run(connection: Connection, now: datetime) -> Dropped:
    """Take away what is past its time; each step is a transaction of its own, and a run cut off is gone on with.

    The connection is in autocommit mode, as detaching beside those who send asks for. One run at a time: a second
    returns at once.
    """
    if not _one(connection, "SELECT pg_try_advisory_lock(%s)", ONE_AT_A_TIME):
        return Dropped()
    try:
        over = connection.execute(OVER, (now, now - KEPT)).fetchall()
        connection.execute(RECEIPTS, (RECEIPT,))
        connection.execute(BLOCKS, (now - BLOCKS_KEPT,))
        months = _months_before(connection, month_of(now))
        dropped = [_drop(connection, month) for month in months if not _one(connection, STILL_KEPT, month)]
        for month in months:
            for (campaign_id,) in connection.execute(OF_MONTH, (month,)).fetchall():
                _delete_rows(connection, month, campaign_id)
        done = Dropped(len(over), len(dropped), _delete_singles(connection, now - KEPT))
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (ONE_AT_A_TIME,))
    if done != Dropped():
        log.info("retention", extra={"campaigns": done.campaigns, "months": done.months, "singles": done.singles})
    return done


def _months_before(connection: Connection, month: date) -> list[date]:
    """Months that have leaves, attached or half taken away, and in which nothing is launched any more."""
    found = [LEAF.fullmatch(name) for (name,) in connection.execute(MONTHS).fetchall()]
    return sorted(each for each in (date(int(name[1]), int(name[2]), 1) for name in found if name) if each < month)


def _drop(connection: Connection, month: date) -> date:
    """Messages first: their leaf's foreign key leads to the decisions'."""
    for parent in ("message", "decision"):
        name = leaf(parent, month)
        attached = connection.execute(ATTACHED, (name, parent)).fetchone()
        if attached is not None:
            # A detaching that was cut off is finished; both let others read and write the parent meanwhile.
            how = "FINALIZE" if attached[0] else "CONCURRENTLY"
            connection.execute(f"ALTER TABLE {parent} DETACH PARTITION {name} {how}")
        connection.execute(f"DROP TABLE IF EXISTS {name}")
    return month


def _delete_rows(connection: Connection, month: date, campaign_id: int) -> None:
    for table in (leaf("message", month), leaf("decision", month)):
        if _one(connection, "SELECT to_regclass(%s)", table) is None:
            continue
        while connection.execute(ROWS.format(table=table), {"id": campaign_id, "n": AT_ONCE}).rowcount:
            continue


def _delete_singles(connection: Connection, before: datetime) -> int:
    total = 0
    while gone := connection.execute(SINGLES, (before, AT_ONCE)).rowcount:
        total += gone
    return total


def _one(connection: Connection, statement: str, *values: object) -> Any:
    row = connection.execute(statement, values).fetchone()
    return row[0] if row else None
