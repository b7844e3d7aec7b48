"""Passes SMTP on, byte by byte, and notes when each envelope came past.

`python -m mailer.bench.relay FOLDER HOST PORT` writes its own port to FOLDER/relay.port and, when it is told to end,
a line a recipient to FOLDER/begun.tsv: nanoseconds of the monotonic clock, and the address.
"""

import select
import socket
import sys
import time
from pathlib import Path

from mailer.bench.serving import serve

READ = 262_144
RECIPIENT = b"RCPT TO:<"
LONGEST_LINE = 400
Begun = list[tuple[int, bytes]]


class Side:
    """One half of a connection, with what the other end has not taken yet."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self.file = connection.fileno()
        self.waiting = b""
        self.tail = b""

    def send(self, data: bytes) -> None:
        """Send as much as is taken and keep the rest."""
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        self.waiting = data[sent:]


class Relay:
    """One thread, one epoll, pairs of connections."""

    def __init__(self, host: str, port: int) -> None:
        self.begun: Begun = []
        self._beyond = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._poll = select.epoll()
        self._poll.register(self._server.fileno(), select.EPOLLIN)
        self._pairs: dict[int, tuple[Side, Side, bool]] = {}
        self.port = int(self._server.getsockname()[1])

    def turn(self) -> None:
        """Pass on what has come."""
        for file, events in self._poll.poll(1.0):
            if file == self._server.fileno():
                self._accept()
            elif file in self._pairs:
                self._serve(*self._pairs[file], events)

    def _accept(self) -> None:
        client = Side(self._server.accept()[0])
        beyond = Side(socket.create_connection(self._beyond))
        self._pairs[client.file] = (client, beyond, True)
        self._pairs[beyond.file] = (beyond, client, False)
        for side in (client, beyond):
            self._poll.register(side.file, select.EPOLLIN)

    def _serve(self, here: Side, there: Side, is_client: bool, events: int) -> None:
        try:
            if events & select.EPOLLOUT:
                here.send(here.waiting)
                if not here.waiting:
                    self._poll.modify(here.file, select.EPOLLIN)
                    self._poll.modify(there.file, select.EPOLLIN)
                return
            data = here.socket.recv(READ)
            if data:
                if is_client:
                    self._note(here, data)
                there.send(data)
                if there.waiting:
                    self._poll.modify(here.file, 0)
                    self._poll.modify(there.file, select.EPOLLOUT)
                return
        except OSError:
            pass
        for side in (here, there):
            self._poll.unregister(side.file)
            del self._pairs[side.file]
            side.socket.close()

    def _note(self, side: Side, data: bytes) -> None:
        """Each recipient once, also where its line came in two pieces."""
        now, seen = time.monotonic_ns(), side.tail + data if side.tail else data
        at, done = seen.find(RECIPIENT), 0
        while at >= 0 and (end := seen.find(b">", at)) >= 0:
            self.begun.append((now, seen[at + len(RECIPIENT):end]))
            at, done = seen.find(RECIPIENT, end), end
        # What follows the last line break may be the beginning of such a line; longer ones are none.
        start = max(done, seen.rfind(b"\n") + 1)
        side.tail = seen[start:] if len(seen) - start <= LONGEST_LINE else b""


def main(folder: Path, host: str, port: int) -> None:
    """Relay until SIGTERM."""
    relay = Relay(host, port)
    serve(folder / "relay.port", relay.port, relay.turn)
    with (folder / "begun.tsv").open("wb") as file:
        file.writelines(b"%d\t%s\n" % each for each in relay.begun)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
