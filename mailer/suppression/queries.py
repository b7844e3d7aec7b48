"""How many stand on the stop list, by reason, channel and month; never who."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import exists, select, text

from mailer.context import Context
from mailer.organisation.profile import mode as mode_in_force
from mailer.suppression.models import Suppression

# Whole days alone: two looks within one cannot be subtracted to find who came between them.
BY_MONTH = text("""
    SELECT reason, channel, date_trunc('month', day)::date AS month, count(*) AS n FROM suppression
    WHERE day < :today AND mode = :mode AND (until IS NULL OR until > :today) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""")


class Total(NamedTuple):
    """So many entries of one reason and channel began in a month, named by its first day."""

    reason: str
    channel: str
    month: date
    n: int


def by_month(ctx: Context) -> list[Total]:
    """What stands, up to the end of yesterday, in the mode in force."""
    rows = ctx.db.execute(BY_MONTH, {"today": ctx.clock.now().date(), "mode": mode_in_force(ctx)})
    return [Total(row.reason, row.channel, row.month, row.n) for row in rows]


def any_entry(ctx: Context) -> bool:
    """Whether anybody stands on the list."""
    return bool(ctx.db.scalar(select(exists(select(Suppression.day)))))
