"""The queue: nudges in Redis that may be lost, because the rows in the database are the truth."""

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import ShutdownNotifications, TimeLimit
from redis.backoff import NoBackoff
from redis.retry import Retry

from mailer.settings import Settings

# With the defaults a killed worker's nudges come back after 161 seconds, with these after 5 (measured).
HEARTBEAT_TIMEOUT_MS = 5_000
MAINTENANCE_CHANCE = 100_000
DEFAULT_URL = "redis://127.0.0.1:6379/0"


class NudgeBroker(RedisBroker):
    """Knows no delayed messages, so that no process asks for them four times a second."""

    def declare_queue(self, queue_name: str) -> None:
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)

    def beat(self) -> None:
        """Say that this process lives, also while all its places are taken and it asks for nothing.

        Raises: RedisError.
        """
        if self.queues:
            self.do_qsize(min(self.queues))


def broker_on(url: str) -> NudgeBroker:
    """A broker on this Redis (its default address where the URL is empty); it connects when it is first used.

    No retries: dramatiq keeps a failed message's traceback in Redis, and a traceback may quote a person. The sweep
    of the ticker brings back what failed.
    """
    client = redis.Redis.from_url(url or DEFAULT_URL, socket_timeout=10, socket_connect_timeout=2,
                                  health_check_interval=30, retry=Retry(NoBackoff(), 1))
    return NudgeBroker(  # type: ignore[no-untyped-call]  # this class of dramatiq's has no types.
        client=client, middleware=[TimeLimit(), ShutdownNotifications()],
        heartbeat_timeout=HEARTBEAT_TIMEOUT_MS, maintenance_chance=MAINTENANCE_CHANCE)


broker = broker_on(Settings.from_env().redis_url)
dramatiq.set_broker(broker)
