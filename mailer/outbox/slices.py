"""Slices in hand: handed to the wire, not yet surely recorded."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

import psycopg

from mailer.core.channel import Fate, Outcome
from mailer.core.wire import Wire
from mailer.outbox import record
from mailer.outbox.journal import FileJournal
from mailer.outbox.record import Place
from mailer.outbox.road import Cursor, Road
from mailer.outbox.seat import Seat

log = logging.getLogger(__name__)
T = TypeVar("T")

RECORD_WITHIN = 0.25
"""Seconds for which an outcome waits for the rest of its slice before it is recorded by itself."""

AGAIN_AFTER = 0.2
"""Seconds until a database that is away is asked again."""

SURE = "UPDATE worker SET seen_at = clock_timestamp() WHERE id = %s"
"""Any small write: once its commit has waited for the disk, everything committed before it is safe too."""


@dataclass
class Slice:
    """`left` counts rows without an outcome; `since` is the monotonic reading since when outcomes may be waiting."""

    place: Place
    journal: FileJournal
    left: int
    since: float
    outcomes: list[Outcome] = field(default_factory=list)
    written: list[Outcome] = field(default_factory=list)
    """Recorded by a commit that has not waited for the disk: written again should the database fall over."""


class InHand:
    """What one thread has handed to its wire. Every slice keeps its journal until its results are safe."""

    def __init__(self, seat: Seat, wire: Wire) -> None:
        self._seat, self._wire = seat, wire
        self._open: dict[int, Slice] = {}
        self._unsafe: list[Slice] = []

    def take(self, place: Place, journal: FileJournal, failed: Sequence[Outcome], *, left: int) -> None:
        """A committed slice goes to the wire: `left` rows will end there, `failed` could not be packed."""
        self._open[place.slice_id] = Slice(place, journal, left, monotonic(), list(failed))

    def serve(self, seconds: float) -> list[Outcome]:
        """Let the wire work for at most so long and record what is due; the outcomes that came."""
        self._wire.turn(seconds)
        came = self._gather()
        now = monotonic()
        for held in list(self._open.values()):
            if not held.left or (held.outcomes and now - held.since > RECORD_WITHIN):
                self._record(held)
        return came

    def ask(self, work: Callable[[Cursor], T]) -> T:
        """Do something in the database, however long it takes to come back; the wire goes on meanwhile.

        `work` must bear repetition. Raises: psycopg.Error while this process is being ended.
        """
        while True:
            try:
                with self.road().cursor(binary=True) as cursor:
                    return work(cursor)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                self.fell_over()
                if self._seat.stopping():
                    raise
                self._wire.turn(AGAIN_AFTER)

    def road(self) -> Road:
        """The connection, driving this wire while it waits. Raises: psycopg.OperationalError."""
        return self._seat.road(self._wire)

    def fell_over(self) -> None:
        """The database went away: what it had not surely kept is to be written again."""
        log.warning("record_waits", extra={"worker": self._seat.worker})
        for held in self._unsafe:
            held.outcomes[:0], held.written = held.written, []
            self._open[held.place.slice_id] = held
        self._unsafe.clear()

    def are_safe(self) -> None:
        """A commit has waited for the disk: slices recorded before it need their journals no more."""
        for held in self._unsafe:
            held.written.clear()
            if held.place.slice_id not in self._open:
                self._seat.free_journal(held.journal)
        self._unsafe.clear()

    def make_safe(self) -> None:
        """See to it that everything recorded is on the disk."""
        while self._open or self._unsafe:
            self.serve(0)
            if self._unsafe:
                self.ask(lambda cursor: cursor.execute(SURE, (self._seat.worker,)))
                self.are_safe()

    def leave(self) -> None:
        """After a fault, once the wire is closed: the reaper settles what the journals say."""
        for held in [*self._open.values(), *self._unsafe]:
            held.journal.close()

    def _gather(self) -> list[Outcome]:
        settled = self._wire.settled()
        for clearance, outcome in settled:
            held = self._open[clearance.slice]
            held.outcomes.append(outcome)
            held.left -= 1
        return [outcome for _, outcome in settled]

    def _record(self, held: Slice) -> None:
        """Write down what a slice has; it closes when nothing of it is left. Repeating it changes nothing."""
        outcomes, held.outcomes = held.outcomes, []
        closes = not held.left
        try:
            self.ask(lambda cursor: _write_down(cursor, held.place, outcomes, closes=closes))
        except psycopg.Error:
            held.outcomes[:0] = outcomes
            raise
        held.written += outcomes
        held.since = monotonic()
        if held not in self._unsafe:
            self._unsafe.append(held)
        if closes and not held.outcomes:
            del self._open[held.place.slice_id]


def _write_down(cursor: Cursor, place: Place, outcomes: Sequence[Outcome], *, closes: bool) -> None:
    code = outcomes[0].code if outcomes else ""
    if outcomes and all(each.fate is Fate.ACCEPTED and each.code == code for each in outcomes):
        rows = [each.row for each in outcomes]
        if record.record_accepted(cursor, place, rows, code, closes=closes, waits=False):
            return
    with cursor.connection.transaction():
        record.record(cursor, place, outcomes, closes=closes)
