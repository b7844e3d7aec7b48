"""Parcels, clearances and a journal in memory, for the tests of handing over."""

import math
import threading
import time
from collections.abc import Sequence

from mailer.core.channel import Clearance, Journal, Outcome, Parcel
from mailer.core.wire import Wire


def a_parcel(row: int, *, address: str = "", body: bytes | None = None, begin_before: float = math.inf,
             sender: str = "news@sender.example") -> Parcel:
    """A message to person `row`, cleared without end unless told otherwise."""
    clearance = Clearance(slice=1, row=row, attempt=1, channel="email", address=address or f"person{row}@example.org",
                          begin_before=begin_before)
    content = b"Subject: News\r\nMessage-ID: <%d@sender.example>\r\n\r\nHello\r\n" % row
    return Parcel(clearance, sender, content if body is None else body)


def parcels(count: int) -> list[Parcel]:
    return [a_parcel(row) for row in range(1, count + 1)]


class MemoryJournal:
    """Implements `Journal`; refuses to begin the rows in `full_for`."""

    def __init__(self, full_for: frozenset[int] = frozenset()) -> None:
        self.begun: dict[int, Outcome | None] = {}
        self.twice: list[int] = []
        self._full_for = full_for
        self._lock = threading.Lock()

    def begin(self, clearance: Clearance) -> None:
        if clearance.row in self._full_for:
            raise OSError(28, "no space")
        with self._lock:
            if clearance.row in self.begun:
                self.twice.append(clearance.row)
            self.begun[clearance.row] = None

    def end(self, clearance: Clearance, outcome: Outcome) -> None:
        with self._lock:
            self.begun[clearance.row] = outcome


def send(wire: Wire, sent: Sequence[Parcel], journal: Journal | None = None, seconds: float = 30) -> list[Outcome]:
    """Queue parcels and turn the wire until each has ended."""
    wire.deliver(sent, journal or MemoryJournal())
    until = time.monotonic() + seconds
    found: list[Outcome] = []
    while wire.under_way and time.monotonic() < until:
        wire.turn(0.05)
        found.extend(each.outcome for each in wire.settled())
    found.extend(each.outcome for each in wire.settled())
    assert wire.under_way == wire.unbegun == 0
    assert sorted(each.row for each in found) == sorted(each.clearance.row for each in sent)
    return found
