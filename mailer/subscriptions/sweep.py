"""What time itself ends here: requests, links, limits, undo. Stops that wait are a part of their own (`stop_other`)."""

from sqlalchemy import delete, select

from mailer.audience import pending
from mailer.context import Context
from mailer.subscriptions import address, fresh, limits, links
from mailer.subscriptions.models import Goodbye

ROUND = 5_000
"""Goodbyes forgotten at a time."""


def expire_requests(ctx: Context) -> int:
    """Forget requests that nobody confirmed for 7 days, and close their links; how many requests."""
    links.expire(ctx)
    return pending.expire(ctx)


def sweep(ctx: Context) -> None:
    """Everything that is due; for the ticker, every minute or so."""
    expire_requests(ctx)
    limits.sweep(ctx)
    fresh.sweep(ctx)
    address.sweep(ctx)
    over = select(Goodbye.id).where(Goodbye.undo_until <= ctx.clock.now()).limit(ROUND)
    ctx.db.execute(delete(Goodbye).where(Goodbye.id.in_(over)))
