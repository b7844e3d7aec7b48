"""A way out that accepts everything at once, with no network: what is left is the road itself."""

import select
import time
from collections.abc import Callable, Collection, Iterator, Sequence

from mailer.core.channel import Fate, Journal, Outcome, Parcel
from mailer.core.modes import Mode
from mailer.core.wire import Settled, Transport, Wire

CODE = "250 2.0.0"


class InstantWire:
    """Implements `Wire`: what is delivered has been accepted."""

    unbegun = 0
    under_way = 0

    def __init__(self) -> None:
        self._settled: list[Settled] = []
        self._poll = select.poll()

    def room(self, wanted: int, *, urgent: bool = False) -> int:
        return wanted

    def deliver(self, parcels: Sequence[Parcel], journal: Journal) -> None:
        """Begin and end each in the journal, as for a real server."""
        for parcel in parcels:
            clearance = parcel.clearance
            outcome = Outcome(clearance.row, Fate.ACCEPTED, CODE)
            journal.begin(clearance)
            journal.end(clearance, outcome)
            self._settled.append(Settled(clearance, outcome))

    def turn(self, seconds: float, file: int = -1, events: int = 0) -> int:
        """Wait for the descriptor alone."""
        if file < 0:
            time.sleep(0 if self._settled else seconds)
            return 0
        self._poll.register(file, events)
        ready = self._poll.poll(seconds * 1000)
        self._poll.unregister(file)
        return ready[0][1] if ready else 0

    def settled(self) -> list[Settled]:
        ended, self._settled = self._settled, []
        return ended

    def recall(self) -> None:
        return None

    def call_back(self, rows: Collection[int]) -> None:
        return None

    def close(self) -> None:
        return None


class InstantTransport:
    """Implements `Transport` and opens it, for every channel and mode."""

    def open(self, channel: str, mode: Mode) -> Transport:
        return self

    def wire(self) -> Wire:
        return InstantWire()

    def deliver(self, parcels: Sequence[Parcel], *, journal: Journal, stopping: Callable[[], bool]
                ) -> Iterator[Outcome]:
        """One acceptance for each."""
        wire = InstantWire()
        wire.deliver([] if stopping() else parcels, journal)
        return (each.outcome for each in wire.settled())

    def close(self) -> None:
        return None
