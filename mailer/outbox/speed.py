"""How large the next slice is: about 100 ms of work, by how fast the last ones ended (decision 7)."""

from time import monotonic

SLICE_SECONDS = 0.1
SMALLEST, LARGEST = 10, 500
"""Rows a slice: the cost of its statements is shared by more, but people who leave wait longer."""

GENTLE_SECONDS = 2.0
GENTLE_PART = 3
"""For so long after somebody was seen to leave, slices are so many times smaller: who leaves waits for their locks."""

MEASURED_OVER = 0.25
PRACTICE_SECONDS = 12
"""A campaign in Practice takes about this long, so that it can be watched and paused."""


class Speed:
    """`rows` is the size of the next slice, `between` the seconds from one claim to the next.

    `appetite` is how many rows are left unbegun when it is claimed: work for the wire while the database does its own.
    """

    def __init__(self, rows: int = 50, between: float = 0.0) -> None:
        self._rows, self.between = rows, between
        self._gentle_until = 0.0
        self._fixed = between > 0
        self._since, self._ended = monotonic(), 0

    @classmethod
    def to_be_watched(cls, planned: int) -> "Speed":
        """Slow enough that so many messages take as long as a campaign in Practice should."""
        return cls(max(2, round(planned * SLICE_SECONDS / PRACTICE_SECONDS)), SLICE_SECONDS)

    @property
    def rows(self) -> int:
        if self._fixed or monotonic() > self._gentle_until:
            return self._rows
        return max(SMALLEST, self._rows // GENTLE_PART)

    @property
    def appetite(self) -> int:
        return 0 if self._fixed else self.rows

    def be_gentle(self) -> None:
        """Somebody leaves."""
        self._gentle_until = monotonic() + GENTLE_SECONDS

    def learn(self, ended: int) -> None:
        """So many rows have ended since this was last called."""
        self._ended += ended
        seconds = monotonic() - self._since
        if self._fixed or seconds < MEASURED_OVER:
            return
        if self._ended:
            self._rows = max(SMALLEST, min(LARGEST, round(self._ended / seconds * SLICE_SECONDS)))
        self._since, self._ended = monotonic(), 0
