"""What time itself ends here: requests, links, limits, undo; and stops whose wait is over."""

from sqlalchemy import delete

from mailer.audience import pending
from mailer.context import Context
from mailer.subscriptions import address, fresh, limits, links, stop_other
from mailer.subscriptions.models import Goodbye


def expire_requests(ctx: Context) -> int:
    """Forget requests that nobody confirmed for 7 days, and close their links; how many requests."""
    links.expire(ctx)
    return pending.expire(ctx)


def sweep(ctx: Context) -> None:
    """Everything that is due; for the ticker, every minute or so."""
    stop_other.apply_due(ctx)
    expire_requests(ctx)
    limits.sweep(ctx)
    fresh.sweep(ctx)
    address.sweep(ctx)
    ctx.db.execute(delete(Goodbye).where(Goodbye.undo_until <= ctx.clock.now()))
