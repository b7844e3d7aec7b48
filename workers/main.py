"""One worker process: takes nudges from the queue until it is told to end."""

import gc
import logging
import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

import dramatiq
import redis

from mailer.core import logs
from mailer.core.errors import BadSettings
from mailer.settings import Settings
from workers import (
    actors,  # noqa: F401 (importing it declares the actors to the broker)
    runtime,
)
from workers.broker import broker

log = logging.getLogger(__name__)

LOOK_EVERY_MS = 400
BEAT_EVERY = 1.0
FEWEST_THREADS = 2
END_WITHIN_MS = 6_000
GIVES_WAY = 10
"""Niceness: pages, and people who leave, come before a campaign on the same machine."""

GROUP = Path("/proc/self/autogroup")
"""Where Linux shares the processor out by session, a process's own niceness counts only within its session."""

GARBAGE = (50_000, 20, 50)
"""Objects made before the young, the middle and the old are searched for rings: a slice makes thousands and no ring."""


def main() -> None:
    """Run until SIGTERM or SIGINT; a slice in work has 6 seconds to end, the journal knows what is left.

    Raises: BadSettings without REDIS_URL or DATABASE_URL.
    """
    logs.set_up()
    settings = Settings.from_env()
    if not settings.redis_url:
        raise BadSettings(setting="REDIS_URL", why="set")
    if not settings.database_url:
        raise BadSettings(setting="DATABASE_URL", why="set")
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: told.set())
    # The broker was made before we were forked, and processes of one name would pass for each other when one dies.
    broker.broker_id = runtime.worker_name()
    broker.emit_after("process_boot")
    gc.set_threshold(*GARBAGE)
    os.nice(GIVES_WAY)
    leads = os.getsid(0) == os.getpid()
    worker = _worker(max(FEWEST_THREADS, settings.worker_threads))
    worker.start()
    log.info("worker_ready", extra={"threads": worker.worker_threads, "actors": len(broker.actors)})
    while not told.wait(BEAT_EVERY):
        with suppress(redis.RedisError):
            broker.beat()
        runtime.tidy()
        # Refused while another process has just done it.
        leads = leads and not _session_gives_way()
    runtime.STOP.set()
    worker.stop(timeout=END_WITHIN_MS)
    runtime.close()
    broker.close()
    log.info("worker_ended")


def _session_gives_way() -> bool:
    """Whether nothing is left to try: done, or not to be had on this machine."""
    try:
        GROUP.write_text(f"{GIVES_WAY}")
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _worker(threads: int) -> dramatiq.Worker:
    """A process takes at most so many campaigns, and so many nudges for single messages, that a thread stays free."""
    worker = dramatiq.Worker(broker, worker_threads=threads, worker_timeout=LOOK_EVERY_MS)
    worker.queue_prefetch = threads - 1
    return worker


if __name__ == "__main__":
    main()
