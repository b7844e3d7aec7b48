"""A connected socket that never waits, and what it has not taken yet."""

import contextlib
import socket
import ssl

from mailer.channels.email.calling import Line

BLOCKED = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
CHUNK = 65536


class Plug:
    """`left` is what still has to be written; with TLS it is written again exactly as it was."""

    __slots__ = ("_encrypted", "_plug", "fd", "fits", "left")

    def __init__(self, line: Line) -> None:
        self._plug = line.plug
        self._encrypted = line.encrypted
        self.fd = line.plug.fileno()
        self.left: bytes | memoryview = b""
        self.fits = 0 if self._encrypted else line.plug.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) // 4
        """What an empty socket surely takes in one write."""

    def write(self, data: bytes) -> int:
        """Write what can be written now and keep the rest; how many octets went. Raises: OSError.

        Only with nothing left over from before.
        """
        try:
            sent = self._plug.send(data)
        except BLOCKED:
            sent = 0
        if sent < len(data):
            self.left = memoryview(data)[sent:]
        return sent

    def flush(self) -> None:
        """Write more of what is left. Raises: OSError."""
        try:
            sent = self._plug.send(self.left)
        except BLOCKED:
            return
        self.left = self.left[sent:] if sent < len(self.left) else b""

    def read(self) -> bytes | None:
        """What is here: None for nothing yet, empty when the other side has ended. Raises: OSError."""
        if self._encrypted:
            return self._read_all()
        try:
            return self._plug.recv(CHUNK)
        except BLOCKED:
            return None

    def _read_all(self) -> bytes | None:
        # What lies decrypted in memory wakes no poll.
        found = b""
        with contextlib.suppress(*BLOCKED):
            while len(found) < CHUNK:
                data = self._plug.recv(CHUNK)
                if not data:
                    return found
                found += data
        return found or None

    def close(self) -> None:
        self._plug.close()
