"""Token buckets and warm-up ramps as plain rules; outbox/pace.py keeps them in Redis by the same arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import floor
from typing import Final, NamedTuple

MICROSECONDS: Final = 1_000_000
DAY_SECONDS: Final = 86_400
HOURS: Final = 24
LONGEST_RAMP_DAYS: Final = 3_650
SPARED: Final = 0.1
"""The share of a mail server's bucket, at least one message, that campaigns leave to single messages."""


class Rule(NamedTuple):
    """A bucket refills by `rate` a second and holds at most `burst`."""

    rate: float
    burst: float


class Level(NamedTuple):
    """What a bucket held at a reading of the clock in microseconds."""

    tokens: float
    at: int


@dataclass(frozen=True)
class Limit:
    """What a person has set: `per_second` messages, at most `burst` at once, growing from `ramp_per_day` a day."""

    per_second: float
    burst: int
    ramp_per_day: int | None = None
    ramp_factor: float = 2.0
    ramp_from: date | None = None

    def allowance(self, day: date) -> int | None:
        """How many messages the ramp allows on that day; None where there is no ramp or it has ended."""
        if self.ramp_per_day is None or self.ramp_from is None:
            return None
        # Before its first day, as after a clock set back, a ramp stands where it begins.
        return self._allowed(max(0, (day - self.ramp_from).days))

    def days_of_ramp(self) -> int:
        """Days from the first until nothing but `per_second` limits; 0 without a ramp."""
        return next((number for number in range(LONGEST_RAMP_DAYS) if self._allowed(number) is None),
                    LONGEST_RAMP_DAYS)

    def rule(self, day: date) -> Rule:
        """The bucket in force on that day.

        A ramp's bucket holds an hour's worth and refills by the rest of the day's, so a day stays within its
        allowance and a bucket that was lost costs no more than that hour's worth.
        """
        allowed = self.allowance(day)
        if allowed is None:
            return Rule(self.per_second, self.burst)
        burst = max(1, min(self.burst, allowed // HOURS))
        return Rule((allowed - burst) / DAY_SECONDS, burst)

    def _allowed(self, number: int) -> int | None:
        if self.ramp_per_day is None:
            return None
        try:
            grown = self.ramp_per_day * self.ramp_factor ** number
        except OverflowError:
            return None
        return floor(grown) if grown < self.per_second * DAY_SECONDS else None


def least(rule: Rule, *, urgent: bool) -> float:
    """What must stay in a mail server's bucket.

    A bucket that holds one can spare nothing, so what is urgent overdraws it by one; campaigns wait until that is
    refilled.
    """
    if rule.burst < 2:
        return -1.0 if urgent else 0.0
    return 0.0 if urgent else max(1.0, floor(rule.burst * SPARED))


def take(levels: Sequence[Level | None], rules: Sequence[Rule], wanted: int, now: int,
         leasts: Sequence[float] | None = None) -> tuple[int, list[Level]]:
    """Take up to `wanted` from all of these buckets together, or give back where it is negative.

    A bucket that was never seen is full; each keeps what `leasts` says, nothing where it is left out. Returns how
    many were taken and what each bucket holds then.
    """
    held = [_refilled(level, rule, now) for level, rule in zip(levels, rules, strict=True)]
    spare = [each - least for each, least in zip(held, leasts or [0.0] * len(held), strict=True)]
    taken = wanted if wanted <= 0 else max(0, min(wanted, *(floor(each) for each in spare)))
    return taken, [Level(min(rule.burst, each - taken), now) for each, rule in zip(held, rules, strict=True)]


def _refilled(level: Level | None, rule: Rule, now: int) -> float:
    if level is None:
        return rule.burst
    return min(rule.burst, level.tokens + max(0, now - level.at) / MICROSECONDS * rule.rate)
