"""The dispatcher's own database connection: while it waits for an answer the wire goes on sending.

One thread serves the database and every SMTP connection with one epoll, and the code that asks the database stays
straight-line: the connection's wait, which psycopg documents as the place to change, turns the wire meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from select import EPOLLIN, EPOLLOUT
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.waiting import Ready, Wait
from sqlalchemy import Engine

from mailer.core.wire import Wire

Cursor = psycopg.Cursor[tuple[Any, ...]]
T = TypeVar("T")

WHAT_TO_AWAIT = {Wait.R: EPOLLIN, Wait.W: EPOLLOUT, Wait.RW: EPOLLIN | EPOLLOUT}
NOT_READY = Ready.NONE

LOOK_UP = 0.1
"""Seconds after which a wait looks whether it was interrupted."""

PLANNER = " ".join(f"-c {name}={value}" for name, value in {
    # Statements of this road meet tables of any size; a plan made anew costs more than the work (decision 11).
    "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "enable_hashjoin": "off",
    "enable_mergejoin": "off", "enable_bitmapscan": "off", "jit": "off", "lock_timeout": "60s",
}.items())


class Road(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose waiting drives a wire."""

    wire: Wire | None = None

    def wait(self, gen: PQGen[T], interval: float = LOOK_UP, timeout: float | None = None) -> T:
        """Serve the wire until the database has answered."""
        wire = self.wire
        if wire is None or timeout is not None:
            return super().wait(gen, interval)
        file, turn = self.pgconn.socket, wire.turn
        try:
            awaited = WHAT_TO_AWAIT[next(gen)]
            while True:
                try:
                    ready = turn(LOOK_UP, file, awaited)
                except BaseException:
                    # The answer to a statement half done must not be taken for that of the next.
                    self.pgconn.finish()
                    raise
                awaited = WHAT_TO_AWAIT[gen.send(_readiness(ready))]
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # A generator's value has no type here.


def _readiness(events: int) -> Ready:
    if not events:
        return NOT_READY
    if events & EPOLLOUT:
        return Ready.RW if events & ~EPOLLOUT else Ready.W
    return Ready.R


def open_road(engine: Engine, kind: type[Road] = Road) -> Road:
    """A connection to the engine's database with the planner held to indexes. Raises: psycopg.OperationalError."""
    arguments = engine.dialect.create_connect_args(engine.url)[1]
    return kind.connect(**arguments, application_name="mailer dispatch", options=PLANNER, prepare_threshold=0,
                        autocommit=True, connect_timeout=10)


@contextmanager
def transaction(road: Road) -> Iterator[Cursor]:
    """One transaction; results travel in binary form."""
    with road.transaction(), road.cursor(binary=True) as cursor:
        yield cursor
