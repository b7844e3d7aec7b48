"""A dispatching thread's place: its name, its journal, its way out, and the programs it has compiled."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mailer.core.channel import Copy, Program, Transport
from mailer.core.modes import Mode
from mailer.outbox.journal import FileJournal
from mailer.services import Services

log = logging.getLogger(__name__)

SEEN_EVERY = 10
"""Seconds between two signs of life; after 120 without one the host counts as gone."""

PROGRAMS_KEPT = 8


class Seat:
    """Made once a thread. `worker` names the process, `host` the machine (its data folder)."""

    def __init__(self, services: Services, worker: str, stopping: Callable[[], bool]) -> None:
        self.services = services
        self.worker = worker
        self.stopping = stopping
        self.journal = FileJournal(journal_folder(services.settings.data_dir), worker)
        self._ways: dict[tuple[str, Mode], Transport] = {}
        self._programs: dict[Copy, Program] = {}

    def transport(self, channel: str, mode: Mode) -> Transport:
        """This seat's own way out, kept open. Raises: CannotSend."""
        key = (channel, mode)
        if key not in self._ways:
            self._ways[key] = self.services.transports.open(channel, mode)
        return self._ways[key]

    def program(self, channel: str, copy: Copy) -> Program:
        """The copy compiled, once a seat."""
        if copy not in self._programs:
            if len(self._programs) >= PROGRAMS_KEPT:
                self._programs.clear()
            self._programs[copy] = self.services.channels[channel].compile(copy)
        return self._programs[copy]

    def close(self) -> None:
        for way in self._ways.values():
            way.close()
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
            except DBAPIError:
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
