"""How often: at most one campaign in a rolling 7 or 30 days, for people who asked for that (decision 6)."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from psycopg import Cursor

from mailer.db import Ids

TAKE = """
    SELECT contact_point_id FROM preference WHERE contact_point_id = ANY(%s) AND every_days > 0
    ORDER BY contact_point_id FOR UPDATE SKIP LOCKED
"""
COUNT = "UPDATE preference SET last_campaign_on = %s WHERE contact_point_id = ANY(%s)"
GIVE_BACK = """
    WITH held AS (SELECT contact_point_id FROM preference
                  WHERE contact_point_id = ANY(%(ids)s) AND every_days > 0 AND last_campaign_on IS NOT NULL
                    AND (%(day)s::date IS NULL OR last_campaign_on = %(day)s)
                  ORDER BY contact_point_id FOR UPDATE)
    UPDATE preference p SET last_campaign_on = NULL FROM held WHERE p.contact_point_id = held.contact_point_id
"""


def take(cursor: Cursor[Any], contact_point_ids: Sequence[int]) -> frozenset[int]:
    """Lock the caps that nobody else holds; those obtained. Before deciding: counting unlocked rows deadlocked."""
    cursor.execute(TAKE, (Ids.of(contact_point_ids),))
    return frozenset(row[0] for row in cursor.fetchall())


def count(cursor: Cursor[Any], contact_point_ids: Sequence[int], day: date) -> None:
    """Write the day of a campaign's clearance on caps that `take` obtained."""
    if contact_point_ids:
        cursor.execute(COUNT, (day, list(contact_point_ids)))


def give_back(cursor: Cursor[Any], contact_point_ids: Sequence[int], counted_on: date | None = None) -> None:
    """Free the caps of people whose message ended failed, refused or expired.

    With `counted_on` only where the cap still holds that day. A message that will be tried again keeps its cap.
    """
    if contact_point_ids:
        cursor.execute(GIVE_BACK, {"ids": list(contact_point_ids), "day": counted_on})
