"""One connection to a mail server: what we write, and what becomes of messages when it ends (RFC 5321, 2920)."""

import contextlib
from collections.abc import Callable
from time import monotonic

from mailer.channels.email.berth import Entry, Owner
from mailer.channels.email.calling import Line
from mailer.channels.email.envelope import envelope, wire_content
from mailer.channels.email.plug import Plug
from mailer.channels.email.relay import Relay
from mailer.channels.email.replies import Action, Stage, Verdict, classify
from mailer.channels.email.reply_reader import ReplyReader
from mailer.core.channel import Clearance, Fate, Outcome

RSET, MAIL, RCPT, DATA, LONE_DOT = range(5)

LOST = Verdict(Action.RETRY, Fate.UNBEGUN, "lost", lane_down=True)
NOT_JOURNALLED = Verdict(Action.RETRY, Fate.UNBEGUN, "journal", operator=True)
BROKEN = Verdict(Action.PROTOCOL_ERROR, Fate.DEFERRED, "protocol")
TOO_LATE = Verdict(Action.RETRY, Fate.UNBEGUN)
NEVER_ANSWERED = classify(0, None, "", Stage.DATA_END)

QUIETLY = contextlib.suppress(OSError)
"""Made once: it stands on the road of every message."""

IDLE = 30.0
"""Seconds after which a connection without work is closed."""


class Connection:
    """At most one message with its content on the way, and one envelope behind it.

    The first is `_dot` until its last reply is here, the second `_next`; `_at` is the reply that `_next` waits for
    once the other has had its own. `_refused` means that `_next` has ended and only its replies are still to come.
    """

    __slots__ = ("_at", "_dirty", "_dot", "_grouped", "_handed", "_next", "_offer", "_on_begin", "_owner", "_piped",
                 "_reader", "_refused", "_tail", "closed", "deadline", "kept", "plug", "recalled", "relay", "watched")

    def __init__(self, line: Line, relay: Relay, owner: Owner, on_begin: Callable[[Clearance], None] | None) -> None:
        self.plug = Plug(line)
        self.relay = relay
        self.deadline = 0.0
        self.closed = self.recalled = self.watched = self.kept = False
        self._offer = line.offer
        self._owner = owner
        self._on_begin = on_begin
        self._reader = ReplyReader()
        self._dot: Entry | None = None
        self._next: Entry | None = None
        self._at = MAIL
        self._piped = line.offer.pipelining
        self._refused = self._dirty = self._grouped = False
        self._handed = 0
        self._tail = 0

    @property
    def is_idle(self) -> bool:
        return self._dot is None and self._next is None

    @property
    def is_midway(self) -> bool:
        """Whether a part of a reply is here."""
        return self._reader.midway

    @property
    def can_begin(self) -> bool:
        """Whether an envelope may be written now."""
        return self._next is None and not self.plug.left and (self._dot is None or self._may_pipe())

    @property
    def patience(self) -> float:
        """Seconds to wait for what comes next."""
        waits = self.relay.server.timeouts
        if self.plug.left:
            return waits.block
        if self._dot is not None:
            return waits.dot
        if self._next is None:
            return IDLE
        if self._grouped and self._piped:
            return min(waits.group, waits.command)
        return waits.data if self._at == DATA else waits.command

    def _may_pipe(self) -> bool:
        return self._offer.pipelining and self.relay.pipelining

    def writable(self) -> None:
        """Write more of what is left."""
        try:
            self.plug.flush()
        except OSError:
            self.lose()
            return
        if not self.plug.left:
            self._owner.watch(self)
            if self._dot is not None and self.can_begin:
                self.begin_next()

    def begin_next(self) -> bool:
        """Write the envelope of the next message, if there is one; only when `can_begin`."""
        head = self._envelope()
        if head is None:
            return False
        self._write(head, len(head))
        return True

    def lose(self, verdict: Verdict = LOST) -> None:
        """End the connection and what hangs on it.

        What may have been taken is uncertain; what no server answered yet goes to another connection, unless it is
        what this one was opened for.
        """
        dot, entry = self._dot, self._next
        unsent = len(self.plug.left) > self._tail
        self._dot = self._next = None
        broke = None
        self.close()
        if dot is not None:
            broke = LOST if unsent else NEVER_ANSWERED
            self._end(dot, broke)
        if entry is not None and not self._refused:
            was_good = self._handed or self.kept or dot is not None
            if self._at <= MAIL and verdict is LOST and was_good and not self.recalled:
                self._owner.give_back(self.relay, entry)
            else:
                broke = broke or verdict
                self._owner.settle(entry[0].clearance, verdict.outcome(entry[0].clearance.row))
        self._owner.gone(self, None if self._handed or verdict is NOT_JOURNALLED else broke)

    def quit(self) -> None:
        """Say goodbye; the connection stays until the server has closed it, or `close`."""
        with QUIETLY:
            self.plug.write(b"QUIT\r\n")

    def close(self) -> None:
        """Close without a word."""
        self.closed = True
        self.plug.close()

    def _end(self, entry: Entry, verdict: Verdict | None, outcome: Outcome | None = None) -> None:
        clearance = entry[0].clearance
        if verdict is not None:
            outcome = verdict.outcome(clearance.row)
        assert outcome is not None
        # The journal only matters to a successor; this outcome is on its way to the database already.
        with QUIETLY:
            entry[1].end(clearance, outcome)
        self._owner.settle(clearance, outcome)

    def _free(self) -> None:
        """The connection can take the next message."""
        self._next, self._at = None, MAIL
        if not self.begin_next():
            self._owner.rest(self)

    def _envelope(self) -> bytes | None:
        """What begins the next message, looked up at the last moment before it is written."""
        while (entry := self._owner.take(self.relay)) is not None:
            lines = envelope(entry[0], self._offer)
            if isinstance(lines, Verdict):
                self._owner.settle(entry[0].clearance, lines.outcome(entry[0].clearance.row))
                continue
            dirty, self._dirty = self._dirty, False
            self._next, self._at, self._piped = entry, RSET if dirty else MAIL, self._may_pipe()
            self._refused = self._grouped = self.recalled = False
            if dirty and not self._piped:
                return b"RSET\r\n"
            if self._on_begin is not None:
                self._on_begin(entry[0].clearance)
            if not self._piped:
                return lines[0]
            return b"RSET\r\n%b%bDATA\r\n" % lines if dirty else b"%b%bDATA\r\n" % lines
        return None

    def _say(self) -> None:
        """The next command, to a server that takes one at a time."""
        assert self._next is not None
        parcel = self._next[0]
        if self._at == MAIL:
            if monotonic() >= parcel.clearance.begin_before:
                self._owner.settle(parcel.clearance, TOO_LATE.outcome(parcel.clearance.row))
                self._free()
                return
            if self._on_begin is not None:
                self._on_begin(parcel.clearance)
        lines = envelope(parcel, self._offer)
        if not isinstance(lines, Verdict):
            command = (*lines, b"DATA\r\n")[self._at - MAIL]
            self._write(command, len(command))

    def _content(self, entry: Entry) -> None:
        """The server waits for the content: write it, and behind it the next envelope where all of it surely fits."""
        parcel, journal = entry
        try:
            journal.begin(parcel.clearance)
        except BaseException as fault:
            # Without its dot the server throws the message away (RFC 5321 section 4.1.1.4).
            self.lose(NOT_JOURNALLED)
            if not isinstance(fault, OSError):
                raise
            return
        self._dot, self._next, self._at = entry, None, MAIL
        content, end = parcel.body, b".\r\n"
        if not (parcel.tidy and content.endswith(b"\r\n")):
            content, end = wire_content(content), b""
        pipes = self._may_pipe()
        size = len(content) + len(end)
        head = self._envelope() if pipes and size < self.plug.fits else None
        if head is None:
            self._write(content + end, 0)
            if pipes and not self.closed and not self.plug.left:
                self.begin_next()
            return
        if self._write(b"".join((content, end, head)), len(head)) <= size and not self.closed:
            # Nothing of it left this process, so its time is looked at anew.
            self.plug.left = self.plug.left[:-len(head)]
            self._tail = 0
            back, self._next = self._next, None
            if back is not None:
                self._owner.give_back(self.relay, back)

    def _write(self, data: bytes, tail: int) -> int:
        """How many octets went; `tail` of them at the end are an envelope's."""
        self._tail = tail
        try:
            sent = self.plug.write(data)
        except OSError:
            self.plug.left = memoryview(data)
            self.lose()
            return 0
        if sent < len(data):
            self._owner.watch(self)
        return sent
