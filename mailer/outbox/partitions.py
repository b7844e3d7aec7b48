"""Monthly leaves of messages and decisions; the foreign key stands between the leaves (decision 10)."""

from datetime import date, datetime, timedelta

from sqlalchemy import text

from mailer.context import Context
from mailer.gate.terms import leaf

ONE_AT_A_TIME = 7141904
FILLFACTOR = 45
"""Room in a page for the two updates that every message sees, so that they stay HOT; decisions see none."""


def month_of(moment: datetime) -> date:
    """The first day of the month of launch, in UTC."""
    return moment.date().replace(day=1)


def ensure_months(ctx: Context, now: datetime) -> None:
    """Make the leaves of this month and of the next."""
    ensure_month(ctx, month_of(now))
    ensure_month(ctx, month_of(now.replace(day=1) + timedelta(days=31)))


def ensure_month(ctx: Context, month: date) -> None:
    """Make the leaves of a month when they are missing; safe while others send."""
    message, decision = leaf("message", month), leaf("decision", month)
    if _exists(ctx, message):
        return
    ctx.db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
    if _exists(ctx, message):
        return
    for parent, name, fillfactor in (("decision", decision, 100), ("message", message, FILLFACTOR)):
        ctx.db.execute(text(f"CREATE TABLE {name} (LIKE {parent} INCLUDING ALL) WITH (fillfactor = {fillfactor})"))
        # Figures gathered before a campaign's rows came would say that it has none, and any index would seem as good.
        ctx.db.execute(text(f"ALTER TABLE {name} ALTER COLUMN campaign_id SET STATISTICS 0"))
    ctx.db.execute(text(f"""
        ALTER TABLE {message} ADD CONSTRAINT fk_{message}_decision
        FOREIGN KEY (campaign_id, contact_point_id, month, decided, cleared)
        REFERENCES {decision} (campaign_id, contact_point_id, month, attempt, cleared)"""))
    for parent, name in (("decision", decision), ("message", message)):
        ctx.db.execute(text(f"ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES IN ('{month}')"))


def _exists(ctx: Context, name: str) -> bool:
    return ctx.db.scalar(text("SELECT to_regclass(:name)"), {"name": name}) is not None
