"""Limits on a real Redis and database: every process and host together stay within them."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.commands.core import Script
from sqlalchemy.orm import Session

from mailer.core.lanes import OWN, Bucket
from mailer.outbox.buckets import Level, Rule, least, take
from mailer.outbox.models import LaneLimit
from mailer.outbox.pace import TAKE, RedisPace
from mailer.services import Services
from tests.conftest import FixedClock

RELAY, NEWS, BIG = Bucket("server", "relay"), Bucket("sender", "news@example.org"), OWN | 7
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as opened:
        yield opened


@pytest.fixture
def pace(services: Services, client: redis.Redis) -> RedisPace:
    return RedisPace(services.engine, client, services.clock, services.sealer.bucket)


def limit(services: Services, scope: str, name: str, *, burst: int, lane: int = 0, per_second: float = 0.001,
          ramp: tuple[int, date] | None = None) -> None:
    """Store one limit, slow enough that nothing flows in during a test."""
    with Session(services.engine) as session, session.begin():
        session.add(LaneLimit(scope=scope, name=name, lane=lane, per_second=per_second, burst=burst, updated_at=NOON,
                              ramp_per_day=ramp[0] if ramp else None, ramp_from=ramp[1] if ramp else None))


def test_without_a_limit_everything_is_granted_and_redis_is_never_asked(services: Services) -> None:
    """Decision 38: a lane has no limit until one is set."""
    nowhere = redis.Redis.from_url("redis://127.0.0.1:1/0")
    pace = RedisPace(services.engine, nowhere, services.clock, services.sealer.bucket)
    assert pace.grant([RELAY, NEWS], 500) == 500
    assert pace.limited_lanes() == ()


def test_a_limit_is_shared_by_every_process_and_thread(services: Services, client: redis.Redis) -> None:
    limit(services, "sender", "news@example.org", burst=300)
    granted = []

    def ask() -> None:
        mine = RedisPace(services.engine, client, services.clock, services.sealer.bucket)
        granted.extend(mine.grant([NEWS], 7) for _ in range(50))

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert sum(granted) == 300


def test_buckets_asked_together_give_together(services: Services, pace: RedisPace) -> None:
    limit(services, "server", "relay", burst=10)
    limit(services, "sender", "news@example.org", burst=4)
    assert pace.grant([RELAY, Bucket("sender", "News@Example.org"), Bucket("server", "free")], 8) == 4
    assert pace.grant([RELAY], 8) == 5
    pace.restore([RELAY, NEWS], 3)
    assert pace.grant([RELAY, NEWS], 8) == 3


def test_a_domain_is_limited_by_its_lane(services: Services, pace: RedisPace) -> None:
    limit(services, "domain", "big.example", burst=5, lane=BIG)
    assert pace.limited_lanes() == (BIG,)
    assert pace.grant([Bucket("domain", str(BIG))], 9) == 5


def test_while_redis_is_away_what_has_a_limit_waits_and_the_rest_goes_on(services: Services) -> None:
    limit(services, "server", "relay", burst=10)
    nowhere = redis.Redis.from_url("redis://127.0.0.1:1/0")
    pace = RedisPace(services.engine, nowhere, services.clock, services.sealer.bucket)
    assert pace.grant([RELAY], 1) == 0
    pace.restore([RELAY], 1)
    assert pace.grant([NEWS], 9) == 9


def test_a_redis_that_lost_everything_costs_one_burst_at_most(services: Services, pace: RedisPace,
                                                              client: redis.Redis, clock: FixedClock) -> None:
    limit(services, "server", "relay", burst=500, per_second=100, ramp=(2400, clock.now().date()))
    for _ in range(2):
        assert pace.grant([RELAY], 1000) == 90
        assert pace.grant([RELAY], 1000, urgent=True) == 10
        assert pace.grant([RELAY], 1000, urgent=True) == 0
        client.flushall()


@pytest.mark.parametrize("burst, campaigns, singles", [(1, 1, 1), (2, 1, 1), (9, 8, 1), (50, 45, 5)])
def test_campaigns_leave_some_of_a_servers_bucket_to_single_messages(
        services: Services, pace: RedisPace, burst: int, campaigns: int, singles: int) -> None:
    """Decision 36: a confirmation overtakes also where a warm-up lets few messages pass."""
    limit(services, "server", "relay", burst=burst)
    assert pace.grant([RELAY], 1000) == campaigns
    assert pace.grant([RELAY], 1000, urgent=True) == singles
    assert pace.grant([RELAY], 1) == pace.grant([RELAY], 1, urgent=True) == 0


def test_a_bucket_that_refills_over_days_is_not_forgotten_before_it_is_full(
        services: Services, pace: RedisPace, client: redis.Redis) -> None:
    client.flushall()
    limit(services, "sender", "news@example.org", burst=500)
    assert pace.grant([NEWS], 500) == 500
    (key,) = client.keys()
    assert 490_000 < client.pttl(key) / 1000 < 502_000


def test_redis_learns_no_name(services: Services, pace: RedisPace, client: redis.Redis) -> None:
    """Promise: no personal data in Redis."""
    client.flushall()
    limit(services, "sender", "news@example.org", burst=4)
    pace.grant([NEWS], 1)
    (key,) = client.keys()
    assert key.startswith(b"pace:") and b"news" not in key and b"example" not in key
    assert 0 < client.pttl(key) <= 1_001_000


rules = st.builds(Rule, st.floats(0.001, 100_000), st.integers(1, 500).map(float))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limits=st.lists(rules, min_size=1, max_size=3), asks=st.lists(st.integers(-50, 400), min_size=1, max_size=12),
       urgent=st.booleans())
def test_redis_counts_as_the_plain_rule_does(client: redis.Redis, limits: list[Rule], asks: list[int], urgent: bool
                                             ) -> None:
    script: Script = client.register_script(TAKE)
    keys = [f"pace:test:{number}" for number in range(len(limits))]
    client.delete(*keys)
    levels: list[Level | None] = [None] * len(limits)
    leasts = [least(rule, urgent=urgent) for rule in limits]
    numbers = [number for rule, stays in zip(limits, leasts, strict=True) for number in (*rule, stays)]
    for wanted in asks:
        taken, now = script(keys, [wanted, *numbers])
        expected, after = take(levels, limits, wanted, int(now), leasts)
        levels = list(after)
        assert taken == expected
        kept = [client.hmget(key, "tokens", "at") for key in keys]
        assert [Level(float(tokens), int(at)) for tokens, at in kept] == levels
