"""What stands now: the projection of the ledger that the gate and the planner read."""

from sqlalchemy import select

from mailer.consent.models import Standing
from mailer.context import Context

# A range of the index for each topic, each read in order and cut off: a slice costs its own size, whatever the list's.
AUDIENCE = """
    SELECT DISTINCT found.contact_point_id
    FROM unnest(%(topic_ids)s::bigint[]) AS topic(id)
    CROSS JOIN LATERAL (
        SELECT contact_point_id FROM standing
        WHERE list_id = %(list_id)s AND topic_id = topic.id AND contact_point_id > %(after)s
        GROUP BY contact_point_id ORDER BY contact_point_id LIMIT %(size)s) AS found
    ORDER BY found.contact_point_id LIMIT %(size)s
"""
"""Contact points with a standing row in any state for a list and topics (decision 4), `size` of them above `after`.

For a psycopg cursor.
"""


def of(ctx: Context, contact_point_id: int) -> list[Standing]:
    """Everything that stands for a contact point, by list, topic and purpose."""
    return list(ctx.db.scalars(select(Standing).where(Standing.contact_point_id == contact_point_id).order_by(
        Standing.list_id, Standing.topic_id, Standing.purpose), execution_options={"populate_existing": True}))
