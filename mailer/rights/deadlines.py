"""How long an answer may take, as days of the calendar.

One month is the same date of the next month, or its last day where there is none (Regulation 1182/71 Art. 3). That
rule would let a period that ends on a weekend or holiday run on to the next working day; holidays differ from place
to place, so the earlier day is the one we keep.
"""

import calendar
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ANSWER_MONTHS, EXTENDED_MONTHS = 1, 3
"""GDPR Art. 12 (3): one month, and with reasons given two more."""
ACKNOWLEDGE_WITHIN = timedelta(days=3)
CHILD_WITHIN = timedelta(days=7)
"""From the report of a child to its erasure (decision 41)."""


def months_after(event: date, months: int) -> date:
    """The same date so many months later, or that month's last day."""
    year, month = divmod(event.month - 1 + months, 12)
    year, month = event.year + year, month + 1
    return date(year, month, min(event.day, calendar.monthrange(year, month)[1]))


def answer_by(event: datetime, zone: ZoneInfo, *, extended: bool = False) -> datetime:
    """The last second in which an answer is in time, by the calendar of that zone."""
    last = months_after(event.astimezone(zone).date(), EXTENDED_MONTHS if extended else ANSWER_MONTHS)
    return datetime.combine(last, time(23, 59, 59), zone)


def days_left(due: datetime, now: datetime, zone: ZoneInfo) -> int:
    """Whole days until the day it is due; negative once that day is over."""
    return (due.astimezone(zone).date() - now.astimezone(zone).date()).days
