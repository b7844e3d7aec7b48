"""What stands now: the projection of the ledger that the gate and the planner read."""

from sqlalchemy import select

from mailer.consent.models import Standing
from mailer.context import Context


def of(ctx: Context, contact_point_id: int) -> list[Standing]:
    """Everything that stands for a contact point, by list, topic and purpose."""
    return list(ctx.db.scalars(select(Standing).where(Standing.contact_point_id == contact_point_id).order_by(
        Standing.list_id, Standing.topic_id, Standing.purpose), execution_options={"populate_existing": True}))
