"""Processes that may outlive us: started apart, found again by the next run, ended step by step."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from mailer.embedded.identity import Identity

PLAIN_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
LARGEST_LOG = 20_000_000
Steps = Sequence[tuple[signal.Signals, float]]


def read_pid(file: Path) -> int:
    """The process id on a file's first line, 0 where there is none."""
    try:
        first = file.read_text(encoding="ascii", errors="replace").split("\n", 1)[0].strip()
    except OSError:
        return 0
    return int(first) if first.isdigit() else 0


def runs(pid: int, marker: str) -> bool:
    """Whether this process lives and has `marker` on its command line: ids are given out again."""
    if pid <= 0:
        return False
    arguments = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self/cmdline").exists():
        try:
            return os.fsencode(marker) in arguments.read_bytes()
        except OSError:
            return False
    listed = subprocess.run(["/bin/ps", "-o", "command=", "-p", str(pid)],  # noqa: S603 (fixed program, a number)
                            capture_output=True, check=False)
    return os.fsencode(marker) in listed.stdout


def private_log(file: Path) -> BinaryIO:
    """A log to append to that only we can read; one that has grown past 20 MB is put aside first."""
    if file.exists() and file.stat().st_size > LARGEST_LOG:
        file.replace(file.with_suffix(".log.1"))
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


def wait_until(true: Callable[[], bool], seconds: float, pause: float = 0.03) -> bool:
    """Ask again until the answer is yes or the time, in seconds, is over; returns the last answer."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


class ServerProcess:
    """One server in a session of its own, so that Ctrl-C in a terminal reaches only us."""

    def __init__(self, marker: str) -> None:
        self.pid = 0
        self.marker = marker
        self._child: subprocess.Popen[bytes] | None = None

    def launch(self, argv: Sequence[str], log: Path, identity: Identity) -> None:
        """Start it with its words going to `log`; nothing of our environment goes along."""
        with private_log(log) as words:
            self._child = subprocess.Popen(  # noqa: S603 (fixed programs, no shell)
                [*identity.prefix, *argv], stdin=subprocess.DEVNULL, stdout=words, stderr=words, cwd="/",
                env=PLAIN_ENVIRONMENT, umask=0o077, start_new_session=True, **identity.drop())
        self.pid = self._child.pid

    def adopt(self, pid: int) -> None:
        """Take over a server of an earlier run."""
        self._child, self.pid = None, pid

    def running(self) -> bool:
        """Whether it lives; whether it answers is another question."""
        if self._child is not None:
            return self._child.poll() is None
        return runs(self.pid, self.marker)

    def end(self, steps: Steps) -> None:
        """Send each signal in turn and wait, in seconds, until one of them has worked."""
        for number, patience in steps:
            if not self.running():
                break
            send(self.pid, number)
            wait_until(lambda: not self.running(), patience)
        self.adopt(0)


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may have gone a moment ago."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return

