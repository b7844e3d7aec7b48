"""A provider in memory: keeps the bytes, and answers as told. Passes the suite that the real transport passes."""

import time
from collections.abc import Callable, Iterator, Sequence

from mailer.core.channel import Clearance, Fate, Journal, Outcome, Parcel


class FakeTransport:
    """Implements `Transport`. `answers` holds the outcome for an address in place of acceptance."""

    def __init__(self, on_begin: Callable[[Clearance], None] | None = None) -> None:
        self.delivered: list[Parcel] = []
        self.answers: dict[str, Outcome] = {}
        self.closed = False
        self._on_begin = on_begin

    def deliver(self, parcels: Sequence[Parcel], *, journal: Journal, stopping: Callable[[], bool]
                ) -> Iterator[Outcome]:
        """Hand over each parcel at most once and yield one outcome for each."""
        for parcel in parcels:
            if stopping() or time.monotonic() >= parcel.clearance.begin_before:
                yield Outcome(parcel.clearance.row, Fate.UNBEGUN)
                continue
            if self._on_begin is not None:
                self._on_begin(parcel.clearance)
            yield self._hand_over(parcel, journal)

    def close(self) -> None:
        self.closed = True

    def _hand_over(self, parcel: Parcel, journal: Journal) -> Outcome:
        clearance = parcel.clearance
        answer = self.answers.get(clearance.address)
        if answer is not None and answer.fate is not Fate.UNCERTAIN:
            return answer._replace(row=clearance.row)
        try:
            journal.begin(clearance)
        except OSError:
            return Outcome(clearance.row, Fate.UNBEGUN, "journal", operator=True)
        self.delivered.append(parcel)
        outcome = answer._replace(row=clearance.row) if answer else Outcome(clearance.row, Fate.ACCEPTED, "250 2.0.0")
        journal.end(clearance, outcome)
        return outcome
