"""Replies put together from whatever pieces the network brings (RFC 5321 section 4.2.1)."""

from mailer.core.errors import MailerError

LONGEST: int = 65536
"""Octets one reply may have, all its lines together; ten times what RFC 5321 section 4.5.3.1 leaves room for."""


class BrokenReply(MailerError):
    """What the server says is no reply, or has no end."""

    code = "broken_reply"


class ReplyReader:
    """Takes octets in pieces of any size, gives whole replies.

    A reply of one line is that line as it came, without its line feed; one of many lines is its last line with the
    texts of all lines, joined by line feeds.
    """

    __slots__ = ("_lines", "_rest", "_size")

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []
        self._size = 0

    @property
    def midway(self) -> bool:
        """Whether part of a reply is here."""
        return bool(self._rest or self._lines)

    def feed(self, data: bytes) -> list[bytes]:
        """The replies that these octets complete. Raises: BrokenReply."""
        if self._rest:
            data = self._rest + data
        lines = data.split(b"\n")
        self._rest = lines.pop()
        if self._size + len(self._rest) > LONGEST:
            raise BrokenReply()
        if not self._lines and b"-" not in data:
            return lines
        return [reply for line in lines if (reply := self._join(line)) is not None]

    def _join(self, line: bytes) -> bytes | None:
        going_on = line[3:4] == b"-"
        if not going_on and not self._lines:
            return line
        self._size += len(line)
        if self._size > LONGEST:
            raise BrokenReply()
        self._lines.append(line.rstrip(b"\r"))
        if going_on:
            return None
        codes = {each[:3] for each in self._lines}
        reply = line[:3] + b" " + b"\n".join(each[4:] for each in self._lines)
        self._lines, self._size = [], 0
        # Two codes in one reply say nothing that could be relied on.
        return reply if len(codes) == 1 else b"000 "


def code_of(reply: bytes) -> int:
    """The three digits a reply begins with, or -1 where there are none."""
    digits = reply[:3]
    return int(digits) if digits.isdigit() and len(digits) == 3 and reply[3:4] in b" \r" and digits[0] > 48 else -1


def words_of(reply: bytes) -> str:
    """What follows the code."""
    return reply[4:].decode("utf-8", "replace").strip()
