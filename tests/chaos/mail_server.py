"""A mail server in a process of its own that no kill of ours reaches by mistake: it counts what it took."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.instance import PROJECT, free_port

SLOWLY = "dot:delay=0.02"
"""A campaign then takes a while, so that there is a middle."""

LIGHTLY = ("--fast", "--delay=0.02")
"""As slow for each message, and it leaves the processor to those who are measured."""


class Taken(NamedTuple):
    """One message that the server took at its final dot: when (monotonic seconds), for whom, which."""

    at: float
    recipient: str
    message_id: str


class MailServer:
    """Started, killed and started again on the same port; every message it took is a line in `out`.

    `faults` are faults, or options of `tests.fakes.smtp_server`; `prefix` are the words that a command begins with on
    this server's host (`ip netns exec …`).
    """

    def __init__(self, out: Path, *faults: str, port: int = 0, prefix: tuple[str, ...] = ()) -> None:
        self.out = out
        self.port = port or free_port()
        self.faults = faults
        self._prefix = prefix
        self._process: subprocess.Popen[str] | None = None
        self._read = self._count = 0
        out.touch()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        asked = [fault if fault.startswith("--") else f"--fault={fault}" for fault in self.faults]
        self._process = subprocess.Popen(
            [*self._prefix, sys.executable, "-m", "tests.fakes.smtp_server", "--port", str(self.port),
             "--out", str(self.out), *asked], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline(), "the mail server did not start"

    def kill(self) -> None:
        """SIGKILL; every connection breaks."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait(timeout=10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    def becomes(self, *faults: str) -> None:
        """From now on it has these faults and no others; open connections break."""
        self.kill()
        self.faults = faults
        self.start()

    @property
    def count(self) -> int:
        """How many messages were taken since it was made; cheap enough to ask all the time."""
        with self.out.open("rb") as file:
            file.seek(self._read)
            fresh = file.read()
        self._read += len(fresh)
        self._count += fresh.count(b"\n")
        return self._count

    def took(self, recipient: str) -> float:
        """When a message for this address was first taken (monotonic seconds); 0 while none was. Cheap as well."""
        content = self.out.read_bytes()
        found = content.find(f"\t{recipient}\t".encode())
        return int(content[content.rfind(b"\n", 0, found) + 1:found]) / 1e9 if found >= 0 else 0.0

    def taken(self) -> list[Taken]:
        """Everything taken, in order."""
        return [Taken(int(at) / 1e9, recipient, message_id) for at, recipient, message_id, *_ in (
            line.split("\t") for line in self.out.read_text().splitlines())]


@contextmanager
def serving(out: Path, *faults: str, port: int = 0, prefix: tuple[str, ...] = ()) -> Iterator[MailServer]:
    """A mail server from its first connection to its last."""
    server = MailServer(out, *faults, port=port, prefix=prefix)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def still_for(server: MailServer, seconds: float) -> bool:
    """Whether nothing at all is taken for so long."""
    before = server.count
    time.sleep(seconds)
    return server.count == before
