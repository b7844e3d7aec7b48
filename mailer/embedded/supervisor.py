"""Keeps the servers and the processes of one data folder alive, and ends them in order."""

import json
import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol

from mailer.core.errors import MailerError
from mailer.embedded.children import Child, Kept, end_left_over
from mailer.embedded.errors import PortTaken
from mailer.embedded.folders import private_folder
from mailer.embedded.processes import wait_until

log = logging.getLogger(__name__)

LOOK_EVERY = 0.2
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# Together with the servers' own patience this stays below the 20 seconds that an end may take.
CHILDREN_END_WITHIN = 8.0
TRY_SERVER_AGAIN_AFTER = 1.0


class Server(Protocol):
    """What the supervisor needs of a private PostgreSQL or Redis."""

    def start(self) -> str: ...
    def stop(self) -> None: ...
    def running(self) -> bool: ...


class Stopped(MailerError):
    """Someone asked us to end while something was still being started."""

    code = "stopped"


class Supervisor:
    """Servers first, children after; at the end children in the order of their adding, then servers backwards."""

    def __init__(self, data_dir: Path) -> None:
        self._logs = private_folder(private_folder(data_dir) / "logs")
        self._note = private_folder(data_dir / "run") / "children"
        self._servers: list[Server] = []
        self._again: dict[int, float] = {}
        self._kept: list[Kept] = []
        self._stopping = False
        self._may_interrupt = False

    @contextmanager
    def taking_signals(self) -> Iterator[None]:
        """Within this block a signal to end is heard, and whatever happens everything is ended with it."""
        before = {number: signal.signal(number, self._hear) for number in SIGNALS}
        try:
            end_left_over(_noted(self._note), CHILDREN_END_WITHIN)
            yield
        finally:
            self._stopping, self._may_interrupt = True, False
            self._end()
            for number, handler in before.items():
                signal.signal(number, handler)

    def start_server(self, server: Server) -> str:
        """Start a server and keep it alive from now on; returns its URL.

        Raises: ServerFailed; Stopped when a signal came meanwhile.
        """
        self._servers.append(server)
        with self.interruptible():
            return server.start()

    def keep(self, children: Sequence[Child]) -> None:
        """Start these and keep them alive."""
        self._kept += [Kept(child, self._logs) for child in children]
        self._mend_children()

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Start again whatever dies, until a signal comes or the answer is yes."""
        while not self._stopping and not until():
            for server in self._servers:
                self._mend_server(server)
            self._mend_children()
            time.sleep(LOOK_EVERY)

    @property
    def stopping(self) -> bool:
        """Whether a signal to end has come."""
        return self._stopping

    def pids(self) -> dict[str, int]:
        """The process ids of the children by their names."""
        return {kept.child.name: kept.pid for kept in self._kept}

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within this block a signal to end is an exception. Raises: Stopped, also when one came before."""
        if self._stopping:
            raise Stopped()
        self._may_interrupt = True
        try:
            yield
        finally:
            self._may_interrupt = False

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        if self._may_interrupt:
            self._may_interrupt = False
            raise Stopped()

    def _mend_server(self, server: Server) -> None:
        if server.running() or time.monotonic() < self._again.get(id(server), 0.0):
            return
        log.warning("server_died", extra={"server": type(server).__name__})
        self._again[id(server)] = time.monotonic() + TRY_SERVER_AGAIN_AFTER
        try:
            with self.interruptible():
                server.start()
        except Stopped:
            return
        except (MailerError, OSError) as error:
            log.error("server_not_started", extra={"server": type(server).__name__, "why": type(error).__name__})

    def _mend_children(self) -> None:
        if any([kept.mend() for kept in self._kept if not self._stopping]):
            fresh = self._note.with_suffix(".new")
            fresh.write_text(json.dumps(list(self.pids().values())), encoding="ascii")
            fresh.replace(self._note)

    def _end(self) -> None:
        for kept in self._kept:
            kept.ask_to_end()
        wait_until(lambda: not any(kept.pid for kept in self._kept), CHILDREN_END_WITHIN)
        for kept in self._kept:
            kept.end_group()
        for server in reversed(self._servers):
            server.stop()
        self._note.unlink(missing_ok=True)


def must_be_free(port: int) -> None:
    """Find out early whether the web server can listen on this port. Raises: PortTaken."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            raise PortTaken(port=port) from None


def _noted(note: Path) -> list[int]:
    try:
        return [int(pid) for pid in json.loads(note.read_text(encoding="ascii")) if pid]
    except (OSError, ValueError):
        return []
