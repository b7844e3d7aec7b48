"""Slices in hand: handed to the wire, not yet surely recorded."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from select import EPOLLIN
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

WORTH_WAITING = 0.1
"""Seconds for which the next claim makes way for what somebody who leaves waits for."""

AGAIN_AFTER = 0.2
"""Seconds until a database that is away is asked again."""

SURE = "UPDATE worker SET seen_at = clock_timestamp() WHERE id = %s"
"""Any small write: once its commit has waited for the disk, everything committed before it is safe too."""


@dataclass
class Slice:
    """`left` counts rows without an outcome; `since` is the monotonic reading since when outcomes may be waiting.

    `awaited` are those of its `rows` that somebody who leaves has called back and whose outcome is not recorded.
    """

    place: Place
    journal: FileJournal
    rows: frozenset[int]
    left: int
    since: float
    outcomes: list[Outcome] = field(default_factory=list)
    written: list[Outcome] = field(default_factory=list)
    """Recorded by a commit that has not waited for the disk: written again should the database fall over."""
    awaited: set[int] = field(default_factory=set)


class InHand:
    """What one thread has handed to its wire. Every slice keeps its journal until its results are safe."""

    def __init__(self, seat: Seat, wire: Wire) -> None:
        self._seat, self._wire = seat, wire
        self._road: Road | None = None
        self._heard, self._awaited_until = False, 0.0
        self._open: dict[int, Slice] = {}
        self._unsafe: list[Slice] = []

    @property
    def is_awaited(self) -> bool:
        """Whether somebody who leaves waits for what is recorded next."""
        return monotonic() < self._awaited_until and any(held.awaited for held in self._open.values())

    def has_heard(self) -> bool:
        """Whether somebody left since this was last asked."""
        heard, self._heard = self._heard, False
        return heard

    def take(self, place: Place, journal: FileJournal, failed: Sequence[Outcome], rows: Iterable[int]) -> None:
        """A committed slice goes to the wire: all of its rows will end there but those that `failed` to be packed."""
        held = frozenset(rows)
        self._open[place.slice_id] = Slice(place, journal, held, len(held) - len(failed), monotonic(), list(failed))

    def serve(self, seconds: float) -> list[Outcome]:
        """Let the wire work for at most so long and record what is due; the outcomes that came."""
        self._turn(seconds)
        came = self._gather()
        now = monotonic()
        for held in list(self._open.values()):
            if not held.left or (held.outcomes and now - held.since > RECORD_WITHIN):
                self._record(held)
            elif held.awaited:
                self._record_awaited(held)
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
        self._road = self._seat.road(self._wire)
        if not self._road.listening:
            self._road.listen()
        return self._road

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
        if self._road is not None:
            self._road.be_deaf()

    def leave(self) -> None:
        """After a fault, once the wire is closed: the reaper settles what the journals say."""
        if self._road is not None:
            self._road.close()
        for held in [*self._open.values(), *self._unsafe]:
            held.journal.close()

    def _gather(self) -> list[Outcome]:
        settled = self._wire.settled()
        for clearance, outcome in settled:
            held = self._open[clearance.slice]
            held.outcomes.append(outcome)
            held.left -= 1
        return [outcome for _, outcome in settled]

    def _turn(self, seconds: float) -> None:
        """Let the wire work until something happens there, or somebody who leaves calls rows back."""
        road = self._road
        if road is None or road.closed:
            self._wire.turn(seconds)
            return
        if road.called:
            self._call_back(road)
            seconds = 0
        if self._wire.turn(seconds, road.fileno(), EPOLLIN):
            try:
                road.look()
            except psycopg.OperationalError:
                road.close()
                self.fell_over()
        if road.called:
            self._call_back(road)

    def _call_back(self, road: Road) -> None:
        """Somebody waits for these: what was not begun of them ends now, the rest is recorded as soon as it ends."""
        called, road.called = road.called, set()
        self._heard, self._awaited_until = True, monotonic() + WORTH_WAITING
        for held in self._open.values():
            held.awaited |= called & held.rows
        self._wire.call_back(called)

    def _record_awaited(self, held: Slice) -> None:
        """Only what somebody waits for, as that is quickest."""
        due = [each for each in held.outcomes if each.row in held.awaited]
        if due:
            rest = [each for each in held.outcomes if each.row not in held.awaited]
            self._write(held, due, rest)

    def _record(self, held: Slice) -> None:
        self._write(held, held.outcomes, [])
        held.since = monotonic()

    def _write(self, held: Slice, outcomes: list[Outcome], rest: list[Outcome]) -> None:
        """Write down outcomes of a slice; it closes when nothing of it is left. Repeating it changes nothing."""
        held.outcomes = rest
        closes = not held.left and not rest
        try:
            self.ask(lambda cursor: _write_down(cursor, held.place, outcomes, closes=closes))
        except psycopg.Error:
            held.outcomes[:0] = outcomes
            raise
        held.written += outcomes
        held.awaited.difference_update(each.row for each in outcomes)
        if held not in self._unsafe:
            self._unsafe.append(held)
        if closes and not held.outcomes:
            del self._open[held.place.slice_id]


def _write_down(cursor: Cursor, place: Place, outcomes: Sequence[Outcome], *, closes: bool) -> None:
    code = outcomes[0].code if outcomes else ""
    rows = [each.row for each in outcomes]
    done = False
    if outcomes and all(each.fate is Fate.ACCEPTED and each.code == code for each in outcomes):
        done = record.record_accepted(cursor, place, rows, code, closes=closes, waits=False)
    elif outcomes and all(each.fate is Fate.UNBEGUN and not each.lane_down for each in outcomes):
        done = record.record_unbegun(cursor, place, rows, closes=closes)
    if done:
        return
    with cursor.connection.transaction():
        record.record(cursor, place, outcomes, closes=closes)
