"""When a campaign pauses itself: 20 failures in a row, or more than one in ten of the last 1,000 handed (decision 31).

Accepted and failed count; an answer for later, an unsure one and a hand-over that never began say nothing yet. A
message failed for a fault of our own counts too: when a provider blocks us, everybody else would fail as well.
"""

import threading
from collections import deque
from collections.abc import Sequence

from mailer.core.channel import Fate, Outcome

IN_A_ROW = "failures_in_a_row"
TOO_MANY = "too_many_failures"

ROW = 20
WINDOW = 1_000
SHARE = 0.1

MOST_FAILURES = int(WINDOW * SHARE)
"""One more than these is too many, also before a thousand were handed: nothing to come could mend that share."""


class Watch:
    """Follows one campaign's outcomes."""

    def __init__(self) -> None:
        self._row = 0
        self._last: deque[bool] = deque(maxlen=WINDOW)
        self._failed = 0

    def add(self, outcomes: Sequence[Outcome]) -> str:
        """Take in outcomes in the order in which they ended; the reason to pause, or empty."""
        if not self._failed and outcomes and all(each.fate is Fate.ACCEPTED for each in outcomes):
            self._last.extend([False] * len(outcomes))
            self._row = 0
            return ""
        for each in outcomes:
            if each.fate not in (Fate.ACCEPTED, Fate.FAILED):
                continue
            failed = each.fate is Fate.FAILED
            self._row = self._row + 1 if failed else 0
            if len(self._last) == WINDOW:
                self._failed -= self._last[0]
            self._last.append(failed)
            self._failed += failed
            if self._row >= ROW:
                return IN_A_ROW
            if self._failed > MOST_FAILURES:
                return TOO_MANY
        return ""


class Watches:
    """The watches of one process, shared by its threads: a campaign that goes on after a pause is watched anew."""

    KEPT = 16

    def __init__(self) -> None:
        self._watches: dict[tuple[int, int], Watch] = {}
        self._lock = threading.Lock()

    def of(self, campaign_id: int, version: int) -> Watch:
        """`version` counts the campaign's moves, its pauses among them."""
        with self._lock:
            if (campaign_id, version) not in self._watches and len(self._watches) >= self.KEPT:
                del self._watches[next(iter(self._watches))]
            return self._watches.setdefault((campaign_id, version), Watch())
