"""Ending what still waits of a campaign, some blocks at a time: it was stopped, or its time is over.

Leavers share the locks of these blocks, so that no transaction may hold many of them.
"""

from typing import Any, cast

import psycopg
from sqlalchemy import text

from mailer.context import Context
from mailer.core.messages import State
from mailer.core.reasons import Reason
from mailer.gate import caps
from mailer.outbox import counts
from mailer.outbox.record import Place

AT_ONCE = 100
"""Blocks a transaction: some 5,000 messages."""

# What waits is in open blocks; one that is closed here is opened again by what comes back from a worker's hands.
BLOCKS = text("""SELECT block FROM message_block WHERE campaign_id = :id AND open
                 ORDER BY block LIMIT :most FOR UPDATE""")
# Who changes a preference holds its row and then waits for the block, so these rows come first here too.
CAPS = """
    SELECT 1 FROM preference WHERE every_days > 0 AND contact_point_id IN (
        SELECT contact_point_id FROM {table} WHERE campaign_id = :id AND cleared
        AND state IN ('ready', 'claimed', 'deferred') AND block IN (
            SELECT block FROM message_block WHERE campaign_id = :id AND open ORDER BY block LIMIT :most))
    ORDER BY contact_point_id FOR UPDATE
"""
CLOSED = "UPDATE message_block SET open = false WHERE campaign_id = %s AND block = ANY(%s)"


def refuse_waiting(ctx: Context, place: Place) -> bool:
    """Refuse what waits as `campaign_stopped` (decision 3); False when there was nothing."""
    return _end(ctx, place, State.REFUSED, str(Reason.CAMPAIGN_STOPPED))


def expire_waiting(ctx: Context, place: Place) -> bool:
    """Let what waits expire; False when there was nothing."""
    return _end(ctx, place, State.EXPIRED, "")


def _end(ctx: Context, place: Place, state: State, reason: str) -> bool:
    asked = {"id": place.campaign_id, "most": AT_ONCE}
    ctx.db.execute(text(CAPS.format(table=place.table)), asked)
    # Slices that are deciding finish first; later ones find nothing that waits.
    blocks = list(ctx.db.scalars(BLOCKS, asked))
    if not blocks:
        return False
    driver = cast(psycopg.Connection[tuple[Any, ...]], ctx.db.connection().connection.driver_connection)
    with driver.cursor() as cursor:
        cursor.execute(f"""
            WITH waiting AS (
                SELECT contact_point_id, state, cleared FROM {place.table}
                WHERE campaign_id = %(id)s AND block = ANY(%(blocks)s) AND state IN ('ready', 'claimed', 'deferred')
                FOR UPDATE
            ), ended AS (
                UPDATE {place.table} m SET state = %(state)s, code = nullif(%(reason)s, ''), cleared = NULL,
                       decided = NULL, until = NULL
                FROM waiting w WHERE m.campaign_id = %(id)s AND m.contact_point_id = w.contact_point_id
                RETURNING m.contact_point_id, w.state AS was, w.cleared AS held_its_cap
            )
            SELECT count(*), count(*) FILTER (WHERE was = 'deferred'),
                   array_agg(contact_point_id) FILTER (WHERE held_its_cap) FROM ended""",
            {"id": place.campaign_id, "blocks": blocks, "state": str(state), "reason": reason})
        total, deferred, held_caps = cursor.fetchone() or (0, 0, None)
        cursor.execute(CLOSED, (place.campaign_id, blocks))
        caps.give_back(cursor, held_caps or [])
        counts.add(cursor, place.campaign_id, place.worker, counts.Deltas({
            (str(state), reason): total, (str(State.DEFERRED), ""): -deferred}))
    return True
