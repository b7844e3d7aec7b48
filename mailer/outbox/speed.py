"""How large the next slice is: about 100 ms of work, by how fast the last ones ended (decision 7)."""

from time import monotonic

SLICE_SECONDS = 0.1
SMALLEST, LARGEST = 10, 500
"""Rows a slice: the cost of its statements is shared by more, but people who leave wait longer."""

MEASURED_OVER = 0.25
PRACTICE_SECONDS = 12
"""A campaign in Practice takes about this long, so that it can be watched and paused."""


class Speed:
    """`rows` is the size of the next slice, `between` the seconds from one claim to the next.

    `appetite` is how many rows are left unbegun when it is claimed: work for the wire while the database does its own.
    """

    def __init__(self, rows: int = 50, between: float = 0.0) -> None:
        self.rows, self.between = rows, between
        self._fixed = between > 0
        self._since, self._ended = monotonic(), 0

    @classmethod
    def to_be_watched(cls, planned: int) -> "Speed":
        """Slow enough that so many messages take as long as a campaign in Practice should."""
        return cls(max(2, round(planned * SLICE_SECONDS / PRACTICE_SECONDS)), SLICE_SECONDS)

    @property
    def appetite(self) -> int:
        return 0 if self._fixed else self.rows

    def learn(self, ended: int) -> None:
        """So many rows have ended since this was last called."""
        self._ended += ended
        seconds = monotonic() - self._since
        if self._fixed or seconds < MEASURED_OVER:
            return
        if self._ended:
            self.rows = max(SMALLEST, min(LARGEST, round(self._ended / seconds * SLICE_SECONDS)))
        self._since, self._ended = monotonic(), 0
