"""A provider in memory: keeps the bytes, and answers as told. Passes the suite that the real transport passes."""

import select
import time
from collections.abc import Callable, Collection, Sequence

from mailer.core.channel import Clearance, Fate, Journal, Outcome, Parcel
from mailer.core.wire import Settled

AT_ONCE = 3
"""Messages handed over in one turn, as by so many connections."""


class FakeTransport:
    """Implements `Transport`. `answers` holds the outcome for an address in place of acceptance."""

    def __init__(self, on_begin: Callable[[Clearance], None] | None = None) -> None:
        self.delivered: list[Parcel] = []
        self.answers: dict[str, Outcome] = {}
        self.full = False
        self.closed = False
        self.on_begin = on_begin

    def wire(self) -> "FakeWire":
        """A wire into memory."""
        return FakeWire(self)

    def close(self) -> None:
        self.closed = True


class FakeWire:
    """Implements `Wire`; while the provider is `full` it has no room and begins nothing."""

    def __init__(self, provider: FakeTransport) -> None:
        self._provider = provider
        self._queue: list[tuple[Parcel, Journal]] = []
        self._settled: list[Settled] = []

    @property
    def unbegun(self) -> int:
        return len(self._queue)

    @property
    def under_way(self) -> int:
        return len(self._queue)

    def room(self, wanted: int, *, urgent: bool = False) -> int:
        return 0 if self._provider.full else wanted

    def deliver(self, parcels: Sequence[Parcel], journal: Journal) -> None:
        self._queue.extend((parcel, journal) for parcel in parcels)

    def turn(self, seconds: float, file: int = -1, events: int = 0) -> int:
        for _ in range(0 if self._provider.full else min(AT_ONCE, len(self._queue))):
            parcel, journal = self._queue.pop(0)
            self._settled.append(Settled(parcel.clearance, self._hand_over(parcel, journal)))
        poll = select.poll()
        if file >= 0:
            poll.register(file, events)
        ready = poll.poll(0 if self._settled else seconds * 1000)
        return ready[0][1] if ready else 0

    def settled(self) -> list[Settled]:
        found, self._settled = self._settled, []
        return found

    def recall(self) -> None:
        for parcel, _ in self._queue:
            self._settled.append(Settled(parcel.clearance, Outcome(parcel.clearance.row, Fate.UNBEGUN)))
        self._queue.clear()

    def call_back(self, rows: Collection[int]) -> None:
        queued, self._queue = self._queue, []
        for parcel, journal in queued:
            if parcel.clearance.row in rows:
                self._settled.append(Settled(parcel.clearance, Outcome(parcel.clearance.row, Fate.UNBEGUN)))
            else:
                self._queue.append((parcel, journal))

    def close(self) -> None:
        self.recall()

    def _hand_over(self, parcel: Parcel, journal: Journal) -> Outcome:
        clearance, provider = parcel.clearance, self._provider
        if time.monotonic() >= clearance.begin_before:
            return Outcome(clearance.row, Fate.UNBEGUN)
        if provider.on_begin is not None:
            provider.on_begin(clearance)
        answer = provider.answers.get(clearance.address)
        if answer is not None and answer.fate is not Fate.UNCERTAIN:
            return answer._replace(row=clearance.row)
        try:
            journal.begin(clearance)
        except OSError:
            return Outcome(clearance.row, Fate.UNBEGUN, "journal", operator=True)
        provider.delivered.append(parcel)
        outcome = answer._replace(row=clearance.row) if answer else Outcome(clearance.row, Fate.ACCEPTED, "250 2.0.0")
        journal.end(clearance, outcome)
        return outcome
