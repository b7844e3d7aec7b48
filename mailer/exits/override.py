"""The officer's decision to send although a host's exits file is behind or lost (decision 19)."""

from sqlalchemy.dialects.postgresql import insert

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.exits import fence
from mailer.exits.models import Override

SHORTEST_REASON = 10
LONGEST_REASON = 500


def override(ctx: Context, host: str, *, officer_id: int, reason: str) -> Override:
    """Go on without what this host's file says up to now; a later loss refuses again.

    The caller knows that the officer may. The audit trail says who, when and why. Raises: InvalidInput.
    """
    said = " ".join(reason.split())
    if not SHORTEST_REASON <= len(said) <= LONGEST_REASON:
        raise InvalidInput(field="reason", why=f"{SHORTEST_REASON} to {LONGEST_REASON} characters")
    now = ctx.clock.now()
    made = ctx.db.scalars(insert(Override).values(host=host, at=now, staff_id=officer_id, reason=said)
                          .on_conflict_do_update(index_elements=["host"],
                                                 set_={"at": now, "staff_id": officer_id, "reason": said})
                          .returning(Override), execution_options={"populate_existing": True}).one()
    fence.no_longer_wanted(ctx.db, [host])
    trail.record(ctx, "override_exits", f"host:{host}", officer=f"staff:{officer_id}", reason=said)
    return made
