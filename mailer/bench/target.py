"""The mail server that is written to: the one named, on this machine alone, or a counting one of our own."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mailer.bench.errors import BenchFailed, NotThisMachine
from mailer.bench.scratch import Scratch, Started
from mailer.embedded.processes import wait_until
from mailer.settings import LOOPBACK


def must_be_here(url: str) -> None:
    """Raises: NotThisMachine unless it is plain SMTP to a loopback address."""
    try:
        parts = urlsplit(url)
        here = parts.scheme == "smtp" and parts.hostname in LOOPBACK and parts.port != 0
    except ValueError:
        here = False
    if not here:
        raise NotThisMachine()


def must_answer(url: str) -> None:
    """Raises: BenchFailed where nothing listens."""
    parts = urlsplit(url)
    with socket.socket(socket.AF_INET6 if ":" in (parts.hostname or "") else socket.AF_INET) as attempt:
        if attempt.connect_ex((parts.hostname or "", parts.port or 25)) != 0:
            raise BenchFailed(step="mail server", why="nothing listens at that address")


@dataclass
class Target:
    """Where mail goes; `own` is our counting server's process and `folder` where it writes."""

    url: str
    own: Started | None = None
    folder: Path | None = None

    def counted(self) -> Mapping[str, tuple[int, int]]:
        """Messages and octets by envelope sender, from our own server, which ends; empty for another's."""
        if self.own is None or self.folder is None:
            return {}
        self.own.end()
        found: dict[str, list[int]] = json.loads((self.folder / "sink.json").read_text())
        return {sender: (messages, octets) for sender, (messages, octets) in found.items()}


def target(scratch: Scratch, url: str | None) -> Target:
    """The server at this URL, or our own. Raises: NotThisMachine, BenchFailed."""
    if url is not None:
        must_be_here(url)
        must_answer(url)
        return Target(url)
    started = scratch.keep("sink", "mailer.bench.sink", str(scratch.folder))
    port = scratch.folder / "sink.port"
    if not wait_until(port.exists, 20.0):
        raise BenchFailed(step="sink", why="it did not come up")
    return Target(f"smtp://127.0.0.1:{port.read_text()}", started, scratch.folder)
