"""Why people leave: counted by month, never kept with an address."""

from sqlalchemy.dialects.postgresql import insert

from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.subscriptions.models import LeaveReason

REASONS = {
    "too_many": "Too many emails",
    "not_for_me": "Not what I expected",
    "never_asked": "I did not ask for them",
    "other": "Something else",
}


def count(ctx: Context, reason: str) -> None:
    """Count one. Raises: InvalidInput for a reason that is not in REASONS."""
    if reason not in REASONS:
        raise InvalidInput(field="reason", why="choose one of the reasons")
    ctx.db.execute(insert(LeaveReason).values(
        month=ctx.clock.now().date().replace(day=1), reason=reason, n=1).on_conflict_do_update(
            index_elements=["month", "reason"], set_={"n": LeaveReason.n + 1}))
