"""The dispatcher's own database connection: while it waits for an answer the wire goes on sending.

One thread serves the database and every SMTP connection with one epoll, and the code that asks the database stays
straight-line: the connection's wait, which psycopg documents as the place to change, turns the wire meanwhile.
Who leaves may call their rows back over it, which is a hint: nothing but their time depends on it.
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

LEAVING = "leaving"
"""The channel on which those who leave call their rows back; it says numbers of contact points, with commas."""

LOOK_UP = 0.1
"""Seconds after which a wait looks whether it was interrupted."""

PLANNER = " ".join(f"-c {name}={value}" for name, value in {
    # Statements of this road meet tables of any size; a plan made anew costs more than the work (decision 11).
    "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "enable_hashjoin": "off",
    "enable_mergejoin": "off", "enable_bitmapscan": "off", "jit": "off", "lock_timeout": "60s",
}.items())


class Road(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose waiting drives a wire. `called` collects the rows called back while it is `listening`."""

    wire: Wire | None = None
    called: set[int]
    listening = False

    def listen(self) -> None:
        """Hear from now on who calls their rows back. Raises: psycopg.OperationalError."""
        self.called = set()
        self.add_notify_handler(self._hear)
        self.execute(f"LISTEN {LEAVING}")
        self.listening = True

    def be_deaf(self) -> None:
        """Hear nobody any more: what nobody reads would pile up in the server."""
        if not self.listening or self.closed:
            return
        try:
            self.execute(f"UNLISTEN {LEAVING}")
        except psycopg.Error:
            self.close()
        self.remove_notify_handler(self._hear)
        self.listening = False

    def look(self) -> None:
        """Take in what came between statements. Raises: psycopg.OperationalError."""
        self.pgconn.consume_input()
        while (said := self.pgconn.notifies()) is not None:
            self._add(said.extra.decode())

    def _hear(self, said: psycopg.Notify) -> None:
        self._add(said.payload)

    def _add(self, numbers: str) -> None:
        self.called.update(map(int, numbers.split(",")))

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
