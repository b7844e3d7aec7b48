"""Writing decisions of a slice at once: binary COPY into the month's leaf, a third of what an INSERT costs."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain
from struct import Struct
from typing import Any

from psycopg import Cursor, sql

from mailer.core.channel import Clearance
from mailer.core.reasons import Reason
from mailer.gate.terms import CampaignTerms

WRITE = """
    COPY {decisions} (campaign_id, contact_point_id, month, attempt, at, cleared, reason) FROM STDIN (FORMAT BINARY)
"""
HEAD, TAIL = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
ROW = Struct("!hiqiqiiihiq").pack
"""Seven fields, each behind its length: int8, int8, date, int2, timestamptz; the last two follow."""
YES = Struct("!ibi").pack(1, 1, -1)
NO = Struct("!ibi").pack
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL counts days and microseconds from here in binary form."""


def write_decisions(cursor: Cursor[Any], terms: CampaignTerms, decisions: str, cleared: Iterable[Clearance],
                    refused: Iterable[tuple[int, int, Reason]], now: datetime) -> None:
    """Add one decision for each clearance and refusal (row, attempt, reason) of one campaign, made `now`."""
    campaign, month = terms.campaign_id, (terms.month - EPOCH.date()).days
    at = (now - EPOCH) // timedelta(microseconds=1)
    rows = b"".join(chain(
        (ROW(7, 8, campaign, 8, each.row, 4, month, 2, each.attempt, 8, at) + YES for each in cleared),
        (ROW(7, 8, campaign, 8, row, 4, month, 2, attempt, 8, at) + _no(reason) for row, attempt, reason in refused)))
    if rows:
        with cursor.copy(sql.SQL(WRITE).format(decisions=sql.Identifier(decisions))) as copy:
            copy.write(HEAD + rows + TAIL)


def _no(reason: str) -> bytes:
    return NO(1, 0, len(reason)) + reason.encode()
