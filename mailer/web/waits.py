"""How long somebody has to wait, as pages say it."""

import math

from mailer.core.clock import SystemClock
from mailer.web.doors import LIMITER

UNKNOWN = 60
"""Seconds named where a limit does not say when it ends."""


def in_words(seconds: float) -> str:
    """Rounded up, so that whoever waits so long has waited enough: `45 seconds`, `12 minutes`, `2 hours 5 minutes`."""
    whole = max(1, math.ceil(seconds))
    if whole < 60:
        return _count(whole, "second")
    hours, minutes = divmod(math.ceil(whole / 60), 60)
    parts = [_count(number, name) for number, name in ((hours, "hour"), (minutes, "minute")) if number]
    return " ".join(parts)


def of_limit() -> float:
    """Seconds until the limit that this request met lets the network through again.

    Limits go by real time, whatever `mailer clock` says (decision 33).
    """
    met = LIMITER.current_limit
    return max(1.0, met.reset_at - SystemClock().now().timestamp()) if met is not None else UNKNOWN


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'s' if number != 1 else ''}"
