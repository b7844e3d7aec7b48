"""How a list of people grew: who came in and who left, a number for each step of time and nobody's name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import text

from mailer.analytics import k_anonymity
from mailer.context import Context
from mailer.organisation import profile as organisation

WEEKS = 12
WIDTHS = (1, 2, 3, 4, 6, 12)
"""Weeks that one step may cover: the narrowest in which no step points at anybody."""

# One row a change of one consent; somebody comes in with the first that lives and leaves with the last that ends.
BY_DAY = text("""
    WITH touched AS (
        SELECT DISTINCT subject FROM ledger_entry
        WHERE at >= :since AND at < :until AND mode = :mode AND purpose = 'own_offers'),
    acts AS (
        SELECT subject, seq, at, (act = 'granted')::int AS live,
               coalesce(lag((act = 'granted')::int) OVER (
                   PARTITION BY subject, channel, list_id, topic_id ORDER BY seq), 0) AS before
        FROM ledger_entry JOIN touched USING (subject)
        WHERE mode = :mode AND purpose = 'own_offers' AND at < :until),
    steps AS (
        SELECT at, live - before AS step, sum(live - before) OVER (PARTITION BY subject ORDER BY seq) AS after
        FROM acts)
    SELECT (at AT TIME ZONE :zone)::date AS day,
           count(*) FILTER (WHERE step = 1 AND after = 1) AS joined,
           count(*) FILTER (WHERE step = -1 AND after = 0) AS gone
    FROM steps WHERE at >= :since GROUP BY day
""")


@dataclass(frozen=True)
class Growth:
    """Twelve weeks in steps of `width` weeks, the oldest first; `begins` names the first day of each."""

    width: int
    begins: Sequence[date]
    joined: Sequence[int]
    left: Sequence[int]


def counted_until(ctx: Context) -> datetime:
    """The last full hour; the hour keeps two looks from being subtracted to find one person."""
    return ctx.clock.now().replace(minute=0, second=0, microsecond=0)


def of_weeks(ctx: Context) -> Growth | None:
    """The last twelve weeks up to the last full hour, in the mode in force; None where numbers are too small."""
    profile = organisation.current(ctx)
    zone = ZoneInfo(profile.time_zone)
    until = counted_until(ctx)
    first = until.astimezone(zone).date() - timedelta(days=7 * WEEKS - 1)
    since = datetime(first.year, first.month, first.day, tzinfo=zone)
    joined, left = [0] * WEEKS, [0] * WEEKS
    for row in ctx.db.execute(BY_DAY, {"since": since, "until": until, "mode": profile.mode, "zone": zone.key}):
        week = (row.day - first).days // 7
        joined[week] += row.joined
        left[week] += row.gone
    found = k_anonymity.widened([joined, left], WIDTHS)
    if found is None:
        return None
    width, (joined_wide, left_wide) = found
    begins = [first + timedelta(days=7 * week) for week in range(0, WEEKS, width)]
    return Growth(width, begins, joined_wide, left_wide)
