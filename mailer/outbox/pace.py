"""Leave to send as fast as limits allow: token buckets in Redis, limits in the database, shared by every host.

Redis' own clock counts, so hosts need not agree on the time. A bucket with a limit grants nothing while Redis is
away; one without a limit never asks it. No name stands in Redis: keys are keyed hashes.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

import redis
from redis.exceptions import RedisError
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from mailer.core.clock import Clock
from mailer.core.lanes import Bucket
from mailer.outbox.buckets import Limit, Rule, least
from mailer.outbox.models import LaneLimit

log = logging.getLogger(__name__)

LOOK_AGAIN = 2.0
"""Seconds for which limits are believed."""

ASK_AGAIN = 1.0
"""Seconds for which a Redis that did not answer is left alone."""

# The arithmetic of buckets.take; tests hold the two equal. A bucket is forgotten when it is full again, never before.
TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local wanted = tonumber(ARGV[1])
local taken, held = wanted, {}
for i, key in ipairs(KEYS) do
  local rate, burst, least = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local level = redis.call('HMGET', key, 'tokens', 'at')
  held[i] = burst
  if level[1] then
    held[i] = math.min(burst, tonumber(level[1]) + math.max(0, now - level[2]) / 1000000 * rate)
  end
  if wanted > 0 then
    taken = math.max(0, math.min(taken, math.floor(held[i] - least)))
  end
end
for i, key in ipairs(KEYS) do
  local rate, burst = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local left = math.min(burst, held[i] - taken)
  redis.call('HSET', key, 'tokens', string.format('%.17g', left), 'at', string.format('%.0f', now))
  redis.call('PEXPIRE', key, string.format('%.0f', math.ceil((burst - left) / rate * 1000) + 1000))
end
return {taken, string.format('%.0f', now)}
"""


@dataclass(frozen=True)
class _Limits:
    """Every limit in force, by scope and name, and the lanes that have one."""

    rules: Mapping[Bucket, Rule]
    lanes: tuple[int, ...]


class RedisPace:
    """Implements `Pace`; may be shared by threads. It never raises."""

    def __init__(self, engine: Engine, client: redis.Redis, clock: Clock, hashed: Callable[[str, str], bytes]) -> None:
        self._engine = engine
        self._clock = clock
        self._hashed = hashed
        self._take = client.register_script(TAKE)
        self._limits: _Limits | None = None
        self._read_at = float("-inf")
        self._silent_since = float("-inf")
        self._silent = False
        self._reading = threading.Lock()

    def grant(self, buckets: Sequence[Bucket], wanted: int, *, urgent: bool = False) -> int:
        limits = self._current()
        if limits is None or wanted <= 0:
            return 0
        limited = _limited(limits, buckets)
        return self._ask(limited, wanted, urgent=urgent) if limited else wanted

    def restore(self, buckets: Sequence[Bucket], unused: int) -> None:
        limits = self._current()
        limited = _limited(limits, buckets) if limits is not None and unused > 0 else {}
        if limited:
            self._ask(limited, -unused)

    def limited_lanes(self) -> Sequence[int]:
        limits = self._current()
        return limits.lanes if limits is not None else ()

    def _ask(self, limited: Mapping[Bucket, Rule], wanted: int, *, urgent: bool = False) -> int:
        if self._silent and monotonic() - self._silent_since < ASK_AGAIN:
            return 0
        keys = ["pace:" + self._hashed("pace", f"{each.scope}\x00{each.name}").hex() for each in limited]
        numbers = [number for each, rule in limited.items()
                   for number in (*rule, least(rule, urgent=urgent) if each.scope == "server" else 0.0)]
        try:
            taken, _ = self._take(keys, [wanted, *numbers])
        except RedisError as error:
            self._silent_since = monotonic()
            if not self._silent:
                log.warning("pace_unknown", extra={"error": type(error).__name__})
            self._silent = True
            return 0
        self._silent = False
        return int(taken)

    def _current(self) -> _Limits | None:
        """The limits as read lately; one thread looks again, the others go on with what was read before."""
        if monotonic() - self._read_at > LOOK_AGAIN and self._reading.acquire(blocking=self._limits is None):
            try:
                if monotonic() - self._read_at > LOOK_AGAIN:
                    self._limits = self._stored() or self._limits
                    self._read_at = monotonic()
            finally:
                self._reading.release()
        return self._limits

    def _stored(self) -> _Limits | None:
        try:
            with Session(self._engine) as session:
                rows = session.scalars(select(LaneLimit)).all()
            today = self._clock.now().date()
        except SQLAlchemyError as error:
            log.warning("limits_unread", extra={"error": type(error).__name__})
            return None
        return _Limits({bucket_of(row): limit_of(row).rule(today) for row in rows},
                       tuple(row.lane for row in rows if row.scope == "domain"))


def bucket_of(row: LaneLimit) -> Bucket:
    """The bucket that a stored limit is for: a domain's by the number of its lane."""
    return Bucket(row.scope, str(row.lane) if row.scope == "domain" else row.name)


def limit_of(row: LaneLimit) -> Limit:
    """A stored limit as a value."""
    return Limit(row.per_second, row.burst, row.ramp_per_day, row.ramp_factor, row.ramp_from)


def _limited(limits: _Limits, buckets: Sequence[Bucket]) -> dict[Bucket, Rule]:
    if not limits.rules:
        return {}
    same = [Bucket(each.scope, each.name.lower()) if each.scope == "sender" else each for each in buckets]
    return {each: limits.rules[each] for each in same if each in limits.rules}
