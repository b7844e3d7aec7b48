"""A dispatching thread's place: its name, its journal, its way out, and the programs it has compiled."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from mailer.core.channel import Copy, Program
from mailer.core.modes import Mode
from mailer.core.wire import Transport
from mailer.outbox.journal import FileJournal
from mailer.services import Services

log = logging.getLogger(__name__)

SEEN_EVERY = 10
"""Seconds between two signs of life; after 120 without one the host counts as gone."""

PROGRAMS_KEPT = 8


class Ways:
    """The ways out of one process, opened once and shared by its seats."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._open: dict[tuple[str, Mode], Transport] = {}
        self._lock = threading.Lock()

    def out(self, channel: str, mode: Mode) -> Transport:
        """Raises: CannotSend."""
        with self._lock:
            if (channel, mode) not in self._open:
                self._open[channel, mode] = self._services.transports.open(channel, mode)
            return self._open[channel, mode]

    def close(self) -> None:
        """Say goodbye to the providers, once no seat delivers."""
        for way in self._open.values():
            way.close()


class Seat:
    """Made once a thread; `worker` names the process."""

    def __init__(self, services: Services, worker: str, ways: Ways, stopping: Callable[[], bool]) -> None:
        self.services = services
        self.worker = worker
        self.ways = ways
        self.stopping = stopping
        self.journal = FileJournal(journal_folder(services.settings.data_dir), worker)
        self.unanswered: int | None = None
        """A slice whose commit has not been answered: it may stand in the database or not."""
        self._programs: dict[Copy, Program] = {}

    def program(self, channel: str, copy: Copy) -> Program:
        """The copy compiled, once a seat."""
        if copy not in self._programs:
            if len(self._programs) >= PROGRAMS_KEPT:
                self._programs.clear()
            self._programs[copy] = self.services.channels[channel].compile(copy)
        return self._programs[copy]

    def close(self) -> None:
        """Let the journal go; it stays when it holds something not yet recorded."""
        self.journal.close()


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
