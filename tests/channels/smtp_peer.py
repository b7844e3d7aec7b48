"""One connection without a network: the other end is a mail server that does as a script says."""


import socket
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mailer.channels.email.berth import Entry
from mailer.channels.email.calling import Line
from mailer.channels.email.connection import Connection
from mailer.channels.email.envelope import Offer
from mailer.channels.email.pipeline import Pipeline
from mailer.channels.email.relay import Relay
from mailer.channels.email.replies import Verdict
from mailer.channels.email.signon import Server, Timeouts
from mailer.core.channel import Clearance, Outcome, Parcel
from mailer.core.lanes import Unlimited
from tests.channels.smtp_world import MemoryJournal
from tests.fakes.certificates import NO_TRUST


class Desk:
    """Implements `Owner` for one connection."""

    def __init__(self, sent: Sequence[Parcel]) -> None:
        self.journal = MemoryJournal()
        self.queue: deque[Entry] = deque((parcel, self.journal) for parcel in sent)
        self.outcomes: dict[int, Outcome] = {}
        self.twice: list[int] = []
        self.given_back: list[int] = []
        self.broke: list[Verdict | None] = []
        self.praises = 0

    def take(self, relay: Relay) -> Entry | None:
        return self.queue.popleft() if self.queue else None

    def give_back(self, relay: Relay, entry: Entry) -> None:
        self.given_back.append(entry[0].clearance.row)

    def settle(self, clearance: Clearance, outcome: Outcome) -> None:
        if clearance.row in self.outcomes:
            self.twice.append(clearance.row)
        self.outcomes[clearance.row] = outcome

    def praise(self, relay: Relay) -> None:
        self.praises += 1

    def rest(self, connection: Connection) -> None:
        """It waits for what the test does next."""

    def watch(self, connection: Connection) -> None:
        """The test writes what is left by itself."""

    def gone(self, connection: Connection, broke: Verdict | None) -> None:
        self.broke.append(broke)


def connect(sent: Sequence[Parcel], offer: Offer) -> tuple[Desk, Pipeline, socket.socket]:
    """A connection with messages waiting, and the server's end of it."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    desk = Desk(sent)
    server = Server("smtp", "127.0.0.1", 25, "", "", "us.example", NO_TRUST, Timeouts())
    return desk, Pipeline(Line(ours, offer), Relay(server, "one", 1, Unlimited()), desk, None), theirs


@dataclass(frozen=True)
class Script:
    """What the server answers to one message; empty for the usual."""

    mail: str = ""
    rcpt: str = ""
    data: str = ""
    dot: str = ""


@dataclass
class ScriptedServer:
    """Understands what it is sent and says what the script of that message wants (RFC 5321, RFC 2920)."""

    scripts: dict[int, Script]
    taken: list[tuple[int, bytes]] = field(default_factory=list)
    to_nobody: list[bytes] = field(default_factory=list)
    dots: list[int] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _buffer: bytes = b""
    _row: int = 0
    _mail: str = ""
    _open: bool = False
    _recipient: bool = False
    _content: bool = False

    def hear(self, data: bytes) -> Iterator[str]:
        """The replies to what came, in order."""
        self._buffer += data
        while True:
            if self._content:
                body = self._until_dot()
                if body is None:
                    return
                yield self._dot(body)
            else:
                line, found, rest = self._buffer.partition(b"\r\n")
                if not found:
                    return
                self._buffer = rest
                yield self._command(line.decode())

    def _until_dot(self) -> bytes | None:
        if self._buffer.startswith(b".\r\n"):
            self._buffer = self._buffer[3:]
            return b""
        body, found, rest = self._buffer.partition(b"\r\n.\r\n")
        if not found:
            return None
        self._buffer = rest
        return body + b"\r\n"

    def _dot(self, body: bytes) -> str:
        self._content = self._open = False
        if not self._recipient:
            self.to_nobody.append(body)
            return "554 5.5.1 no valid recipients"
        self._recipient = False
        self.dots.append(self._row)
        reply = self.scripts[self._row].dot or "250 2.0.0 taken"
        if reply.startswith("2"):
            self.taken.append((self._row, body))
        return reply

    def _command(self, line: str) -> str:
        if line == "RSET":
            self._open = self._recipient = False
            return "250 2.0.0 ok"
        if line.startswith("MAIL"):
            self._mail = line
            if self._open:
                self.complaints.append("nested")
                return "503 5.5.1 nested MAIL command"
            # Whom it is for shows in the next line alone; the sender of each message names its row.
            self._row = int(line.split("news+")[1].split("@")[0])
            self.begun.append(self._row)
            reply = self.scripts[self._row].mail or "250 2.1.0 ok"
            self._open = reply.startswith("2")
            return reply
        if line.startswith("RCPT"):
            if not self._open:
                return "503 5.5.1 MAIL first"
            reply = self.scripts[self._row].rcpt or "250 2.1.5 ok"
            self._recipient = reply.startswith("2")
            return reply
        return self._on_data()

    def _on_data(self) -> str:
        script = self.scripts.get(self._row, Script())
        lenient = script.data.startswith("354") and self._open
        if not self._recipient and not lenient:
            return "554 5.5.1 no valid recipients"
        reply = script.data or "354 go ahead"
        self._content = reply.startswith("354")
        return reply
