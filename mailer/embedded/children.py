"""The processes that `mailer run` looks after: started, watched, started again, ended with all they began."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailer.embedded.forks import OUR_MARK, fork
from mailer.embedded.processes import runs, send, wait_until

AT_ONCE = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 4.0


@dataclass(frozen=True)
class Child:
    """A process to keep alive: its name is that of its log, its module stands on its command line."""

    name: str
    module: str
    work: Callable[[], object]


class Kept:
    """One child, alive or about to be started again."""

    def __init__(self, child: Child, logs: Path) -> None:
        self.child = child
        self._log = logs / f"{child.name}.log"
        self._leader = 0
        """The process id of the child, also once it is dead and what it began may live on; 0 before and after."""
        self._dead = False
        self._began = 0.0
        self._pause = FIRST_PAUSE
        self._not_before = 0.0
        self.starts = 0

    @property
    def pid(self) -> int:
        """The process id, 0 when it is not running."""
        if self._leader and not self._dead:
            self._dead = os.waitpid(self._leader, os.WNOHANG)[0] != 0
        return 0 if self._dead else self._leader

    def mend(self) -> bool:
        """Start it when it is not running and its pause is over; returns whether it was started.

        A child that dies at once waits twice as long each time, 4 seconds at most.
        """
        if self.pid or time.monotonic() < self._not_before:
            return False
        if self._leader:
            return self._bury()
        self._start()
        return True

    def ask_to_end(self) -> None:
        """Send SIGTERM to the process, which ends its own children in order."""
        if self.pid:
            send(self.pid, signal.SIGTERM)

    def end_group(self) -> None:
        """Kill whatever is left of the process and all it began."""
        if not self._leader:
            return
        _kill_group(self._leader)
        if self.pid:
            # Right after the fork it may not lead a group yet.
            send(self._leader, signal.SIGKILL)
            os.waitpid(self._leader, 0)
        self._leader, self._dead = 0, False

    def _bury(self) -> bool:
        short_lived = time.monotonic() - self._began < AT_ONCE
        self._pause = min(self._pause * 2, LONGEST_PAUSE) if short_lived and self.starts > 1 else FIRST_PAUSE
        self._not_before = time.monotonic() + self._pause
        self.end_group()
        return False

    def _start(self) -> None:
        self._leader = fork(self.child.name, self.child.module, self.child.work, self._log)
        self._began = time.monotonic()
        self.starts += 1


def end_left_over(pids: Sequence[int], patience: float) -> None:
    """End processes of an earlier run that are still there: first asked, then killed with all they began."""
    ours = [pid for pid in pids if pid != os.getpid() and runs(pid, OUR_MARK)]
    for pid in ours:
        send(pid, signal.SIGTERM)
    wait_until(lambda: not any(runs(pid, OUR_MARK) for pid in ours), patience)
    for pid in ours:
        _kill_group(pid)


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return

