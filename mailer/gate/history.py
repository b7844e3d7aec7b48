"""What the gate answered for one contact point, and what became of it, for as long as the messages are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from mailer.context import Context

# By primary key in each retained campaign's own month: no index over people is kept for this.
CAMPAIGNS = """
    SELECT c.id AS campaign_id, NULL AS single_id, c.name, 'campaign' AS kind, d.attempt, d.cleared, d.reason, d.at,
           m.state, m.code
    FROM campaign c
    JOIN message m ON m.month = c.month AND m.campaign_id = c.id AND m.contact_point_id = :id
    JOIN decision d ON d.month = c.month AND d.campaign_id = c.id AND d.contact_point_id = :id
    WHERE c.month IS NOT NULL
"""
SINGLES = """
    SELECT s.campaign_id, s.id AS single_id, '' AS name, s.class AS kind, d.attempt, d.cleared, d.reason, d.at,
           s.state, s.code
    FROM single_message s JOIN single_decision d ON d.single_id = s.id WHERE s.contact_point_id = :id
"""

OF_REQUEST = SINGLES.replace("s.contact_point_id = :id", "s.pending_request_id = :id")


@dataclass(frozen=True)
class Answered:
    """One answer of the gate; `state` and `code` are where its message stands now. `single_id` 0: of a campaign."""

    campaign_id: int | None
    single_id: int
    name: str
    kind: str
    attempt: int
    cleared: bool
    reason: str | None
    at: datetime
    state: str
    code: str | None


def of(ctx: Context, contact_point_id: int) -> list[Answered]:
    """Every answer that is still kept, newest first."""
    found = [_answered(row) for query in (CAMPAIGNS, SINGLES)
             for row in ctx.db.execute(text(query), {"id": contact_point_id}).mappings()]
    return sorted(found, key=lambda each: (each.at, each.attempt), reverse=True)


def of_request(ctx: Context, pending_request_id: int) -> list[Answered]:
    """Every answer for somebody who has only asked so far, newest first."""
    found = ctx.db.execute(text(OF_REQUEST), {"id": pending_request_id}).mappings()
    return sorted((_answered(row) for row in found), key=lambda each: (each.at, each.attempt), reverse=True)


def _answered(row: Mapping[Any, Any]) -> Answered:
    return Answered(**dict(row) | {"single_id": row["single_id"] or 0})
