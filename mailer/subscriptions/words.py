"""What public pages say of topics, days and how often, in the words that consent is given to."""

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from mailer.context import Context
from mailer.organisation import profile

FREQUENCIES = {0: "as it happens", 7: "at most once a week", 30: "at most once a month"}
FORMATS = {"html": "text and pictures", "text": "text only"}
CHANNELS = {"email": "email", "sms": "text", "postal": "post"}


def zone(ctx: Context) -> ZoneInfo:
    """The organisation's time zone."""
    return ZoneInfo(profile.current(ctx).time_zone)


def day(when: date, today: date) -> str:
    """A day as people write it; the year only when it is another one."""
    return f"{when.day} {when:%B}" if when.year == today.year else f"{when.day} {when:%B %Y}"


def full_day(when: date) -> str:
    """A day with its year."""
    return f"{when.day} {when:%B %Y}"


def clock(ctx: Context, when: datetime) -> str:
    """A time of day in the organisation's zone, such as 14:02."""
    return f"{when.astimezone(zone(ctx)):%H:%M}"


def listed(names: Sequence[str]) -> str:
    """A, B and C."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
