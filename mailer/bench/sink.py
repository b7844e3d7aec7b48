"""A mail server that takes everything and counts it: stands in where no other is named.

`python -m mailer.bench.sink FOLDER` writes its port to FOLDER/sink.port and, when it is told to end, what it took by
envelope sender to FOLDER/sink.json.
"""

import json
import select
import socket
import sys
from pathlib import Path

from mailer.bench.serving import serve

GREETING = b"220 sink ESMTP\r\n"
OFFERS = b"250-sink\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
OK, GO, BYE = b"250 2.0.0 Ok\r\n", b"354 End with a dot\r\n", b"221 2.0.0 Bye\r\n"
READ = 262_144
END_OF_DATA = b"\r\n.\r\n"


class Conversation:
    """One connection: bytes in, replies out, and what was taken counted by envelope sender."""

    def __init__(self, taken: dict[str, list[int]]) -> None:
        self._taken = taken
        self._buffer = b""
        self._in_data = False
        self._sender = ""
        self.ended = False

    def feed(self, data: bytes) -> bytes:
        """The replies that these bytes call for."""
        self._buffer += data
        replies: list[bytes] = []
        while not self.ended and (self._end_data(replies) if self._in_data else self._command(replies)):
            continue
        return b"".join(replies)

    def _end_data(self, replies: list[bytes]) -> bool:
        end = self._buffer.find(END_OF_DATA)
        if end < 0:
            return False
        count = self._taken.setdefault(self._sender, [0, 0])
        count[0] += 1
        count[1] += end + 2
        self._buffer = self._buffer[end + len(END_OF_DATA):]
        self._in_data = False
        replies.append(OK)
        return True

    def _command(self, replies: list[bytes]) -> bool:
        line, separator, rest = self._buffer.partition(b"\r\n")
        if not separator:
            return False
        self._buffer = rest
        verb = line[:4].upper()
        if verb == b"MAIL":
            self._sender = line.partition(b"<")[2].partition(b">")[0].decode("utf-8", "replace")
        self._in_data, self.ended = verb == b"DATA", verb == b"QUIT"
        replies.append({b"EHLO": OFFERS, b"DATA": GO, b"QUIT": BYE}.get(verb, OK))
        return True


class Sink:
    """One thread, one epoll, as many connections as come."""

    def __init__(self) -> None:
        self.taken: dict[str, list[int]] = {}
        self._server = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._poll = select.epoll()
        self._poll.register(self._server.fileno(), select.EPOLLIN)
        self._open: dict[int, tuple[socket.socket, Conversation]] = {}
        self.port = int(self._server.getsockname()[1])

    def turn(self) -> None:
        """Take in what has come."""
        for file, _ in self._poll.poll(1.0):
            if file == self._server.fileno():
                self._accept()
            else:
                self._serve(file)

    def _accept(self) -> None:
        connection, _ = self._server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(GREETING)
        self._open[connection.fileno()] = (connection, Conversation(self.taken))
        self._poll.register(connection.fileno(), select.EPOLLIN)

    def _serve(self, file: int) -> None:
        connection, conversation = self._open[file]
        try:
            data = connection.recv(READ)
            if data and (replies := conversation.feed(data)):
                connection.sendall(replies)
        except OSError:
            data = b""
        if not data or conversation.ended:
            self._poll.unregister(file)
            connection.close()
            del self._open[file]


def main(folder: Path) -> None:
    """Serve until SIGTERM."""
    sink = Sink()
    serve(folder / "sink.port", sink.port, sink.turn)
    (folder / "sink.json").write_text(json.dumps(sink.taken))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
