"""Ending what still waits of a campaign: it was stopped, or its time is over."""

from typing import Any, cast

import psycopg
from sqlalchemy import text

from mailer.context import Context
from mailer.core.messages import State
from mailer.core.reasons import Reason
from mailer.gate import caps
from mailer.outbox import counts
from mailer.outbox.record import Place

BLOCKS = text("SELECT 1 FROM message_block WHERE campaign_id = :id ORDER BY block FOR UPDATE")


def refuse_waiting(ctx: Context, place: Place) -> int:
    """Refuse every row that still waits as `campaign_stopped` (decision 3); how many those were."""
    return _end(ctx, place, State.REFUSED, str(Reason.CAMPAIGN_STOPPED))


def expire_waiting(ctx: Context, place: Place) -> int:
    """Let every row that still waits expire; how many those were."""
    return _end(ctx, place, State.EXPIRED, "")


def _end(ctx: Context, place: Place, state: State, reason: str) -> int:
    # Slices that are deciding finish first; later ones find nothing that waits.
    ctx.db.execute(BLOCKS, {"id": place.campaign_id})
    driver = cast(psycopg.Connection[tuple[Any, ...]], ctx.db.connection().connection.driver_connection)
    with driver.cursor() as cursor:
        cursor.execute(f"""
            WITH waiting AS (
                SELECT contact_point_id, state, cleared FROM {place.table}
                WHERE campaign_id = %(id)s AND state IN ('ready', 'claimed', 'deferred') FOR UPDATE
            ), ended AS (
                UPDATE {place.table} m SET state = %(state)s, code = nullif(%(reason)s, ''), cleared = NULL,
                       decided = NULL, until = NULL
                FROM waiting w WHERE m.campaign_id = %(id)s AND m.contact_point_id = w.contact_point_id
                RETURNING m.contact_point_id, w.state AS was, w.cleared AS held_its_cap
            )
            SELECT count(*), count(*) FILTER (WHERE was = 'deferred'),
                   array_agg(contact_point_id) FILTER (WHERE held_its_cap) FROM ended""",
            {"id": place.campaign_id, "state": str(state), "reason": reason})
        total, deferred, held_caps = cursor.fetchone() or (0, 0, None)
        caps.give_back(cursor, held_caps or [])
        counts.add(cursor, place.campaign_id, place.worker, counts.Deltas({
            (str(state), reason): total, (str(State.DEFERRED), ""): -deferred}))
    return int(total)
