"""The yardstick: ready-made bytes over ten pipelined connections, one round trip a message, no database.

The end of a message travels with the envelope of the next one, in one write; one thread, one epoll.
"""

import select
import socket
from collections.abc import Iterator
from itertools import islice
from time import monotonic
from urllib.parse import urlsplit

from mailer.bench.errors import BenchFailed

CONNECTIONS = 10
SENDER = "plain@example.org"
REPLIES_TO_A_MESSAGE = 4
"""To the dot, MAIL, RCPT and DATA."""

WAIT_SECONDS = 30.0


class _Line:
    """One connection between two messages."""

    def __init__(self, address: tuple[str, int], first: bytes) -> None:
        self.socket = socket.create_connection(address, timeout=WAIT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.replies = b""
        self.unsent = b""
        self.is_last = False
        self._expect(b"220")
        self.socket.sendall(b"EHLO localhost\r\n")
        if b"PIPELINING" not in self._expect(b"250"):
            raise BenchFailed(step="plain sender", why="the mail server offers no PIPELINING")
        self.socket.sendall(first)
        while self.replies.count(b"\n") < REPLIES_TO_A_MESSAGE - 1:
            self.replies += self._some()
        self.taken()
        self.socket.setblocking(False)

    def _some(self) -> bytes:
        data = self.socket.recv(65_536)
        if not data:
            raise BenchFailed(step="plain sender", why="the mail server closed the connection")
        return data

    def _expect(self, code: bytes) -> bytes:
        said = b""
        while not said.endswith(b"\n") or said.splitlines()[-1][3:4] == b"-":
            said += self._some()
        if not said.startswith(code):
            raise BenchFailed(step="plain sender", why=said.decode("ascii", "replace").strip())
        return said

    def push(self, data: bytes) -> None:
        sent = self.socket.send(data)
        self.unsent = data[sent:] if sent < len(data) else b""

    def pull(self) -> bool:
        """Whether all replies to the last write are here."""
        self.replies += self._some()
        return self.replies.count(b"\n") >= (1 if self.is_last else REPLIES_TO_A_MESSAGE)

    def taken(self) -> None:
        for reply in self.replies.splitlines():
            if reply[:1] not in b"23":
                raise BenchFailed(step="plain sender", why=reply.decode("ascii", "replace"))
        self.replies = b""


def rate(url: str, message: bytes, count: int) -> float:
    """Messages a second, from the first write of a message to the last reply. Raises: BenchFailed."""
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or 25)
    end = message.replace(b"\r\n.", b"\r\n..").removesuffix(b"\r\n") + b"\r\n.\r\n"
    envelopes = iter([f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<plain{number}@example.org>\r\nDATA\r\n".encode()
                      for number in range(count)])
    lines = [_Line(address, envelope) for envelope in islice(envelopes, min(CONNECTIONS, count))]
    began = monotonic()
    _drive({line.socket.fileno(): line for line in lines}, end, envelopes)
    seconds = monotonic() - began
    for line in lines:
        line.socket.close()
    return count / seconds


def _drive(lines: dict[int, _Line], end: bytes, envelopes: Iterator[bytes]) -> None:
    poll = select.epoll()
    for file, line in lines.items():
        poll.register(file, select.EPOLLIN)
        _next(poll, line, end, envelopes)
    left = len(lines)
    while left:
        ready = poll.poll(WAIT_SECONDS)
        if not ready:
            raise BenchFailed(step="plain sender", why="the mail server has not answered for 30 seconds")
        for file, events in ready:
            line = lines[file]
            if events & select.EPOLLOUT:
                _go_on(poll, line)
            elif line.pull():
                line.taken()
                if line.is_last:
                    poll.unregister(file)
                    left -= 1
                else:
                    _next(poll, line, end, envelopes)
    poll.close()


def _next(poll: select.epoll, line: _Line, end: bytes, envelopes: Iterator[bytes]) -> None:
    envelope = next(envelopes, None)
    line.is_last = envelope is None
    line.push(end + (envelope or b""))
    if line.unsent:
        poll.modify(line.socket.fileno(), select.EPOLLOUT)


def _go_on(poll: select.epoll, line: _Line) -> None:
    line.push(line.unsent)
    if not line.unsent:
        poll.modify(line.socket.fileno(), select.EPOLLIN)
