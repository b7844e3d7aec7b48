"""The nudges we may give to workers. The row is the truth; a lost nudge only means later."""

from enum import StrEnum
from typing import Protocol


class Job(StrEnum):
    """One actor each in `workers/actors.py`; arguments are ids only."""

    LAUNCH = "launch"
    DISPATCH = "dispatch"
    SINGLES = "singles"


class Jobs(Protocol):
    """Hands a nudge to the queue."""

    def send(self, job: Job, *args: int) -> None: ...


class NoJobs:
    """Drops every nudge: for commands that leave the work to the ticker's sweep."""

    def send(self, job: Job, *args: int) -> None:
        return None
