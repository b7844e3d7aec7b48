"""A dispatching thread's place: its name, its journal, its way out, and the programs it has compiled."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from mailer.core.channel import Batch, Copy, Frame, Program
from mailer.core.modes import Mode
from mailer.core.wire import Transport, Wire
from mailer.outbox.failures import Watches
from mailer.outbox.journal import FileJournal
from mailer.outbox.road import Road, open_road
from mailer.services import Services

log = logging.getLogger(__name__)

SEEN_EVERY = 10
"""Seconds between two signs of life; after 120 without one the host counts as gone."""

PROGRAMS_KEPT = 8

IDLE_SECONDS = 30.0
"""How long connections to a provider are kept that nobody uses."""


class Ways:
    """The ways out of one process: wires with their open connections, lent to one seat at a time."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._open: dict[tuple[str, Mode], Transport] = {}
        self._idle: dict[tuple[str, Mode], list[tuple[float, Wire]]] = {}
        self._lock = threading.Lock()
        self.watches = Watches()

    def out(self, channel: str, mode: Mode) -> Transport:
        """Raises: CannotSend."""
        with self._lock:
            if (channel, mode) not in self._open:
                self._open[channel, mode] = self._services.transports.open(channel, mode)
            return self._open[channel, mode]

    @contextmanager
    def wire(self, channel: str, mode: Mode) -> Iterator[Wire]:
        """A wire for this thread alone; a fault closes it, otherwise it waits for the next with what it has open.

        Raises: CannotSend.
        """
        way = self.out(channel, mode)
        with self._lock:
            idle = self._idle.setdefault((channel, mode), [])
            wire = idle.pop()[1] if idle else None
        wire = wire or way.wire()
        try:
            yield wire
        except BaseException:
            wire.close()
            raise
        with self._lock:
            idle.append((monotonic(), wire))

    def tidy(self, older_than: float = IDLE_SECONDS) -> None:
        """Close the wires that nobody has wanted for so many seconds."""
        before = monotonic() - older_than
        with self._lock:
            old = [(idle, each) for idle in self._idle.values() for each in idle if each[0] <= before]
            for idle, each in old:
                idle.remove(each)
        for _, (_, wire) in old:
            wire.close()

    def close(self) -> None:
        """Say goodbye to the providers, once no seat delivers."""
        self.tidy(older_than=0)
        for way in self._open.values():
            way.close()


class Seat:
    """Made once a thread; `worker` names the process, `connect` opens its road to the database."""

    def __init__(self, services: Services, worker: str, ways: Ways, stopping: Callable[[], bool],
                 connect: Callable[[Engine], Road] = open_road) -> None:
        self.services = services
        self.worker = worker
        self.ways = ways
        self.stopping = stopping
        self._journals: list[FileJournal] = []
        self._connect = connect
        self._road: Road | None = None
        self._programs: dict[Copy, Program] = {}
        self._framed: tuple[Copy, Frame, Batch] | None = None

    def program(self, channel: str, copy: Copy) -> Program:
        """The copy compiled, once a seat."""
        if copy not in self._programs:
            if len(self._programs) >= PROGRAMS_KEPT:
                self._programs.clear()
            self._programs[copy] = self.services.channels[channel].compile(copy)
        return self._programs[copy]

    def batch(self, channel: str, copy: Copy, frame: Frame) -> Batch:
        """The copy within a frame, kept for as long as both stay the same. Raises: MailerError as `Program.batch`."""
        if self._framed is None or self._framed[:2] != (copy, frame):
            self._framed = copy, frame, self.program(channel, copy).batch(frame)
        return self._framed[2]

    def take_journal(self) -> FileJournal:
        """A journal for one slice, kept until the database surely has its results. Raises: OSError."""
        if self._journals:
            return self._journals.pop()
        return FileJournal(journal_folder(self.services.settings.data_dir), self.worker)

    def free_journal(self, journal: FileJournal) -> None:
        """Forget what it says: the database has it all."""
        journal.forget()
        self._journals.append(journal)

    def road(self, wire: Wire | None = None) -> Road:
        """This thread's connection for dispatching, opened anew where it was lost. Raises: psycopg.OperationalError.

        While it waits it drives `wire`, which the thread must hold, and none that was named before.
        """
        if self._road is None or self._road.closed:
            self._road = self._connect(self.services.engine)
        self._road.wire = wire
        return self._road

    def close(self) -> None:
        """Let everything go; what a journal holds that is not yet recorded stays for the reaper."""
        for journal in self._journals:
            journal.close()
        if self._road is not None:
            self._road.close()


def journal_folder(data_dir: Path) -> Path:
    """Where the journals of this host lie."""
    return data_dir / "journal"


class Pulse(threading.Thread):
    """Says in the database, every ten seconds, that this process lives."""

    def __init__(self, services: Services, worker: str) -> None:
        super().__init__(name="pulse", daemon=True)
        self._services = services
        self._worker = worker
        self._end = threading.Event()

    def run(self) -> None:
        while True:
            try:
                self.beat()
            except SQLAlchemyError:
                log.warning("pulse_missed", extra={"worker": self._worker})
            if self._end.wait(SEEN_EVERY):
                return

    def beat(self) -> None:
        """One sign of life."""
        with self._services.engine.begin() as connection:
            connection.execute(text("""
                INSERT INTO worker (id, host, started_at, seen_at)
                VALUES (:id, :host, clock_timestamp(), clock_timestamp())
                ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp()"""),
                {"id": self._worker, "host": self._services.exits_log.host})
            connection.execute(text("DELETE FROM worker WHERE seen_at < clock_timestamp() - :old"),
                               {"old": timedelta(days=1)})

    def stop(self) -> None:
        self._end.set()
