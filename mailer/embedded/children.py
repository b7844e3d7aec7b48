"""The processes that `mailer run` looks after: started, watched, started again, ended with all they began."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailer.embedded.processes import private_log, runs, send, wait_until

PR_SET_PDEATHSIG = 1
AT_ONCE = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 4.0
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Child:
    """A process to keep alive: its name is that of its log, its environment is complete."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]


class Kept:
    """One child, alive or about to be started again."""

    def __init__(self, child: Child, logs: Path) -> None:
        self.child = child
        self._log = logs / f"{child.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._pause = FIRST_PAUSE
        self._not_before = 0.0
        self.starts = 0

    @property
    def pid(self) -> int:
        """The process id, 0 when it is not running."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    def mend(self) -> bool:
        """Start it when it is not running and its pause is over; returns whether it was started.

        A child that dies at once waits twice as long each time, 4 seconds at most.
        """
        if self.pid or time.monotonic() < self._not_before:
            return False
        if self._process is not None:
            return self._bury()
        self._start()
        return True

    def ask_to_end(self) -> None:
        """Send SIGTERM to the process, which ends its own children in order."""
        if self.pid:
            send(self.pid, signal.SIGTERM)

    def end_group(self) -> None:
        """Kill whatever is left of the process and all it began."""
        if self._process is None:
            return
        _kill_group(self._process.pid)
        self._process.wait()
        self._process = None

    def _bury(self) -> bool:
        short_lived = time.monotonic() - self._began < AT_ONCE
        self._pause = min(self._pause * 2, LONGEST_PAUSE) if short_lived and self.starts > 1 else FIRST_PAUSE
        self._not_before = time.monotonic() + self._pause
        self.end_group()
        return False

    def _start(self) -> None:
        with private_log(self._log) as words:
            self._process = subprocess.Popen(  # noqa: S603 (our own commands, no shell)
                list(self.child.argv), env=dict(self.child.env), stdin=subprocess.DEVNULL, stdout=words, stderr=words,
                start_new_session=True, umask=0o077, preexec_fn=_end_with(os.getpid()))
        self._began = time.monotonic()
        self.starts += 1


def end_left_over(pids: Sequence[int], marker: str, patience: float) -> None:
    """End processes of an earlier run that are still there: first asked, then killed with all they began."""
    ours = [pid for pid in pids if pid != os.getpid() and runs(pid, marker)]
    for pid in ours:
        send(pid, signal.SIGTERM)
    wait_until(lambda: not any(runs(pid, marker) for pid in ours), patience)
    for pid in ours:
        _kill_group(pid)


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _end_with(parent: int) -> Callable[[], None]:
    """Linux tells the child when we die, however we die; elsewhere the next run ends what is left over."""
    def ask() -> None:
        if _LIBC is not None:
            _LIBC.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)
    return ask
