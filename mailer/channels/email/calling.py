"""Connections are opened in threads of their own, so that a server that does not answer holds up no other."""

import contextlib
import os
import queue
import socket
import ssl
import threading
from typing import NamedTuple

from mailer.channels.email.envelope import Offer
from mailer.channels.email.replies import Verdict
from mailer.channels.email.signon import NOBODY_THERE, NoSession, Server, plug_of, sign_on


class Line(NamedTuple):
    """A connection that is signed in and does not block; `heard` came unasked after the last reply."""

    plug: socket.socket
    offer: Offer
    heard: bytes = b""

    @property
    def encrypted(self) -> bool:
        return isinstance(self.plug, ssl.SSLSocket)


def open_line(server: Server) -> Line:
    """Connect, greet, encrypt, sign in. Raises: NoSession."""
    smtp = sign_on(server)
    try:
        plug = plug_of(smtp)
        plug.setblocking(False)
        heard = b""
        if smtp.file is not None:
            with contextlib.suppress(ssl.SSLWantReadError):
                heard = smtp.file.peek() or b""
            smtp.file.close()
    except OSError:
        smtp.close()
        raise NoSession(NOBODY_THERE) from None
    smtp.file, smtp.sock = None, None
    return Line(plug, Offer.read(smtp.esmtp_features), heard)


class Caller:
    """Opens lines for one wire; `fileno` turns readable when an answer is here."""

    def __init__(self) -> None:
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._answers: queue.SimpleQueue[tuple[Server, Line | Verdict]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False

    def fileno(self) -> int:
        return self._bell

    def call(self, server: Server) -> None:
        """Begin to open a line."""
        threading.Thread(target=self._call, args=(server,), name="smtp-call", daemon=True).start()

    def answers(self) -> list[tuple[Server, Line | Verdict]]:
        """The lines that were opened since last asked, or what became of them."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._bell)
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._answers.get_nowait())
        return found

    def close(self) -> None:
        """Whatever is still being opened is closed when it opens."""
        with self._lock:
            self._closed = True
            os.close(self._bell)
        for _, answer in self._unasked():
            answer.plug.close()

    def _unasked(self) -> list[tuple[Server, Line]]:
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                server, answer = self._answers.get_nowait()
                if isinstance(answer, Line):
                    found.append((server, answer))
        return found

    def _call(self, server: Server) -> None:
        answer: Line | Verdict
        try:
            answer = open_line(server)
        except NoSession as refusal:
            answer = refusal.verdict
        except (OSError, ValueError):
            # Such as a name that no resolver can be asked for; without an answer the wire would wait for ever.
            answer = NOBODY_THERE
        with self._lock:
            if not self._closed:
                self._answers.put((server, answer))
                os.eventfd_write(self._bell, 1)
                return
        if isinstance(answer, Line):
            answer.plug.close()
