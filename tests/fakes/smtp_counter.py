"""A mail server that only counts, as fast as Python can: thousands of messages a second."""

import asyncio
import re
import socket
import sys
import time
from collections.abc import Callable
from typing import BinaryIO

MESSAGE_ID = re.compile(rb"^message-id:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
PATH = re.compile(rb"<([^>]*)>")
GREETING = b"250-fake.invalid\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE 67108864\r\n250 DSN\r\n"


class Counter(asyncio.Protocol):
    """One connection. Each message is written down before the answer to its dot."""

    def __init__(self, out: BinaryIO, later: Callable[[Callable[[], None]], object] | None) -> None:
        self._out = out
        self._later = later
        self._buffer = bytearray()
        self._replies: list[bytes] = []
        self._in_content = self._waiting = False
        self._recipient, self._mail_at = b"", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.write(b"220 fake.invalid ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._waiting:
            self._go_on()

    def _go_on(self) -> None:
        while not self._waiting and (self._content() if self._in_content else self._command()):
            continue
        if self._replies:
            self._transport.write(b"".join(self._replies))
            self._replies.clear()

    def _command(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[:end + 2]
        verb = line[:4].upper()
        if verb == b"QUIT":
            self._transport.write(b"221 2.0.0 bye\r\n")
            self._transport.close()
            return False
        if verb == b"MAIL":
            self._mail_at = time.monotonic_ns()
        elif verb == b"RCPT":
            path = PATH.search(line)
            self._recipient = path[1] if path else b""
        self._in_content = verb == b"DATA"
        self._replies.append(b"354 go ahead\r\n" if self._in_content else GREETING if verb == b"EHLO"
                             else b"250 2.0.0 ok\r\n")
        return True

    def _content(self) -> bool:
        empty = self._buffer.startswith(b".\r\n")
        end = 0 if empty else self._buffer.find(b"\r\n.\r\n")
        if end < 0:
            return False
        size = 0 if empty else end + 2
        found = MESSAGE_ID.search(self._buffer, 0, size)
        fields = (b"%d" % time.monotonic_ns(), self._recipient, found[1].strip() if found else b"-", b"%d" % size,
                  b"%d" % self._mail_at)
        self._out.write(b"\t".join(fields) + b"\n")
        del self._buffer[:size + 3]
        self._in_content = False
        if self._later is None:
            self._replies.append(b"250 2.0.0 taken\r\n")
        else:
            self._waiting = True
            self._later(self._answer)
        return True

    def _answer(self) -> None:
        self._waiting = False
        self._replies.append(b"250 2.0.0 taken\r\n")
        if not self._transport.is_closing():
            self._go_on()


async def count(port: int, out: BinaryIO, delay: float = 0) -> None:
    """Serve until killed; `out` is not buffered, and gets a line a message as smtp_server writes it."""
    loop = asyncio.get_running_loop()
    later = (lambda answer: loop.call_later(delay, answer)) if delay else None
    server = await loop.create_server(lambda: Counter(out, later), "127.0.0.1", port, backlog=256)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()
