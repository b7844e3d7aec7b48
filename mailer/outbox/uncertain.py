"""Putting a campaign's uncertain messages back: a person asked for it, nothing ever does so by itself (decision 8)."""

from typing import Any, cast

import psycopg
from sqlalchemy import text

from mailer.context import Context
from mailer.core.lanes import SHARED
from mailer.core.messages import State
from mailer.outbox import counts
from mailer.outbox.plan import BLOCK
from mailer.outbox.record import Place

# New blocks, as those they were in may be gone; whose lane nobody knows any more shares one, as small domains do.
# No slice is left on the rows, so that a journal of the old attempt that turns up late finds none of its own.
PUT_BACK = """
    WITH held AS (
        SELECT m.contact_point_id, coalesce(b.lane, get_byte(c.domain_hash, 0) %% {shared}, 0) AS lane
        FROM {table} m LEFT JOIN message_block b ON b.campaign_id = m.campaign_id AND b.block = m.block
        LEFT JOIN contact_point c ON c.id = m.contact_point_id
        WHERE m.campaign_id = %(id)s AND m.state = 'uncertain'
        ORDER BY m.block, m.contact_point_id FOR UPDATE OF m
    ), parted AS (
        SELECT contact_point_id, lane,
               (row_number() OVER (PARTITION BY lane ORDER BY contact_point_id) - 1) / {block} AS part FROM held
    ), rounds AS MATERIALIZED (
        SELECT lane, part, nextval('deferred_block') AS block FROM (SELECT DISTINCT lane, part FROM parted) AS each
    ), blocks AS (
        INSERT INTO message_block (campaign_id, block, lane, open) SELECT %(id)s, block, lane, true FROM rounds
    ), moved AS (
        UPDATE {table} m SET state = 'ready', code = NULL, until = NULL, slice = 0, block = r.block
        FROM parted p JOIN rounds r USING (lane, part)
        WHERE m.campaign_id = %(id)s AND m.contact_point_id = p.contact_point_id
        RETURNING 1
    )
    SELECT count(*) FROM moved
"""


def put_back(ctx: Context, place: Place) -> int:
    """Every uncertain row of the campaign waits again, for a new attempt and a new answer of the gate; how many."""
    if ctx.db.scalar(text("SELECT to_regclass(:table)"), {"table": place.table}) is None:
        return 0
    driver = cast(psycopg.Connection[tuple[Any, ...]], ctx.db.connection().connection.driver_connection)
    with driver.cursor() as cursor:
        cursor.execute(PUT_BACK.format(table=place.table, shared=SHARED, block=BLOCK),
                       {"id": place.campaign_id})
        (moved,) = cursor.fetchone() or (0,)
        counts.add(cursor, place.campaign_id, place.worker, counts.Deltas({(str(State.UNCERTAIN), ""): -moved}))
    return int(moved)
