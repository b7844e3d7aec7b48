"""What a server's replies do to a connection: several commands travel at once, so each reply finds its own (RFC 2920).
"""

from mailer.channels.email.berth import Entry
from mailer.channels.email.connection import BROKEN, DATA, LONE_DOT, LOST, MAIL, RCPT, RSET, Connection
from mailer.channels.email.replies import Action, Stage, Verdict, classify, read_enhanced
from mailer.channels.email.reply_reader import BrokenReply, code_of, words_of
from mailer.core.channel import Fate, Outcome

STAGES = (Stage.ANY, Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.DATA_END)

USUAL = (b"250 ", b"25", b"25", b"354 ")
"""To a content, and to the envelope that travelled behind it."""

COMMON: dict[bytes, str] = {}
"""Codes by the beginning of the replies that say them, for the few that say that all went well."""


class Pipeline(Connection):
    """A connection that listens."""

    __slots__ = ()

    def readable(self) -> None:
        """Take in what the server says."""
        try:
            data = self.plug.read()
            if data is None or (self._next is not None and self._is_usual(data)):
                return
            replies = self._reader.feed(data)
        except (OSError, BrokenReply):
            self.lose()
            return
        if len(replies) == len(USUAL) and self._dot is not None and self._next is not None:
            self._learn(replies)
        last = len(replies) - 1
        for number, reply in enumerate(replies):
            self._hear(reply, number < last)
            if self.closed:
                return
        if not data:
            self.lose()

    def _is_usual(self, data: bytes) -> bool:
        """Take in, in one step, what a good server says at full speed: yes to the content that went, and to the
        whole envelope behind it, in words that it used before."""
        first, _, rest = data.partition(b"\n")
        dot, code = self._dot, COMMON.get(first[:10])
        if (rest != self.relay.usual or code is None or dot is None or self._next is None or self._at != MAIL
                or self._refused or self.plug.left or self._reader.midway or not self.relay.praised):
            return False
        self._dot = None
        self._end(dot, None, Outcome(dot[0].clearance.row, Fate.ACCEPTED, code))
        self._handed += 1
        self._grouped = True
        self.relay.strikes = 0
        self._at = DATA
        self._content(self._next)
        return True

    def _learn(self, replies: list[bytes]) -> None:
        """The usual words that follow the reply to a content."""
        if all(reply.startswith(code) for reply, code in zip(replies, USUAL, strict=True)):
            self.relay.usual = b"\n".join([*replies[1:], b""])

    def expire(self) -> None:
        """The server took too long."""
        if self._grouped and self._piped and self._dot is None and self._next is not None:
            # A server that answers a part of what came in one piece may have thrown the rest away.
            self.relay.pipelining = False
        self.lose()

    def _hear(self, reply: bytes, more: bool) -> None:
        if self._dot is not None:
            self._ended(self._dot, reply)
        elif self._next is None:
            self.lose()
        elif self._refused or self._at == RSET:
            self._aside(code_of(reply))
        elif self._at < DATA and reply.startswith(b"25"):
            self._go_on()
        elif self._at == DATA and reply.startswith(b"354"):
            if more or self._reader.midway:
                # An answer that was here before the content can be no answer to it.
                self._break(BROKEN)
            else:
                self._content(self._next)
        else:
            self._judge(self._next, reply)

    def _go_on(self) -> None:
        self._at += 1
        self._grouped = True
        if not self._piped:
            self._say()

    def _judge(self, entry: Entry, reply: bytes) -> None:
        """A reply to the envelope that is not the usual one."""
        words = words_of(reply)
        verdict = classify(code_of(reply), read_enhanced(words), words, STAGES[self._at])
        if verdict.fate is None and self._at < DATA:
            self._go_on()
        elif verdict.code.startswith("421"):
            self.lose(LOST if self._at == MAIL and self._handed else verdict)
        elif verdict.fate is None or verdict.action is Action.PROTOCOL_ERROR:
            self._break(verdict if verdict.fate else BROKEN)
        else:
            self._owner.settle(entry[0].clearance, verdict.outcome(entry[0].clearance.row))
            self._refused = True
            self._dirty = self._at > MAIL
            if self._piped and self._at < DATA:
                self._at += 1
            else:
                self._free()

    def _break(self, verdict: Verdict) -> None:
        """What the server says is no answer to what we said."""
        if self._piped:
            self.relay.pipelining = False
        self.lose(verdict)

    def _aside(self, code: int) -> None:
        """A reply that tells nothing of a message: to RSET, or to the rest of an envelope that was refused."""
        if self._at == RSET and code == 250:
            self._go_on()
        elif self._at == LONE_DOT and code != 421:
            self._free()
        elif self._at == RCPT and code >= 400 and code != 421:
            self._at = DATA
        elif self._at == DATA and code >= 400 and code != 421:
            self._free()
        elif self._at == DATA and code == 354 and self._dirty:
            # Its one recipient was refused, so this ends a message to nobody (RFC 2920 section 3.1).
            self._at, self._dirty = LONE_DOT, False
            self._write(b".\r\n", 3)
        else:
            self.lose()

    def _ended(self, entry: Entry, reply: bytes) -> None:
        """The reply to a message's last dot."""
        if self.plug.left and len(self.plug.left) > self._tail:
            self._early(entry, reply)
            return
        code = COMMON.get(reply[:10])
        self._dot = None
        if code is not None:
            self._end(entry, None, Outcome(entry[0].clearance.row, Fate.ACCEPTED, code))
        else:
            verdict = _verdict_of(reply)
            if verdict.action is Action.UNCERTAIN:
                self._dot = entry
                self.lose()
                return
            self._end(entry, verdict)
            if verdict.code.startswith("421"):
                self.lose()
                return
        self._handed += 1
        self._grouped = True
        relay = self.relay
        relay.strikes = 0
        if not relay.praised and code is not None:
            self._owner.praise(relay)
        if self._next is None:
            self._free()

    def _early(self, entry: Entry, reply: bytes) -> None:
        """An answer before the whole content is written can only be a refusal, and the rest cannot be unsaid."""
        verdict = _verdict_of(reply)
        if verdict.fate in (Fate.DEFERRED, Fate.FAILED):
            self._dot = None
            self._end(entry, verdict)
        self.lose()


def _verdict_of(reply: bytes) -> Verdict:
    """What a reply to the last dot means."""
    words = words_of(reply)
    verdict = classify(code_of(reply), read_enhanced(words), words, Stage.DATA_END)
    if verdict.fate is Fate.ACCEPTED and len(COMMON) < 64 and (reply[9:10] == b" " or not reply[4:5].isdigit()):
        COMMON[reply[:10]] = verdict.code
    return verdict
