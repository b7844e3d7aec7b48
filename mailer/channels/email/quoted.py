"""Quoted-printable, in lines that may be joined to others (RFC 2045 §6.7).

No line begins with a dot, so that a message needs no dot-stuffing on the wire (RFC 5321 §4.5.2).
"""

import re

SOFT_BREAK = b"=\r\n"
WIDTH = 76

PLAIN_AT_MOST = 75
"""Letters of a value that surely fit a line of their own."""

_ROW = WIDTH - len(b"=")
_DOT = b"=2E"
# Tabs and blanks after blanks too, so that a body is already in the form that DKIM hashes (RFC 6376 §3.4.4).
_UNSAFE = re.compile(rb"[^\x20-\x3c\x3e-\x7e]|(?<= ) ")
_END = re.compile(rb"[ \t]\Z")
_PLAIN = re.compile(r"[A-Za-z0-9:/+_~%-][A-Za-z0-9:/.+_~%-]{0,74}").fullmatch
_LEADING_DOTS = re.compile(rb"(?m)^\.+")


def encode(text: str) -> bytes:
    """A whole text, its line feeds as CRLF; no encoded line is longer than 76 octets.

    What is returned may stand at the beginning of a line and be followed by a soft break.
    """
    return b"\r\n".join(_line(line) for line in text.encode().split(b"\n"))


def encode_value(value: str) -> bytes:
    """A value that stands in a hole, on lines of its own between two soft breaks."""
    return value.encode() if _PLAIN(value) else encode(value)


def link(value: str) -> bytes:
    """A link of ours, known to need no escape; where it is too long for one line, its token has a line of its own."""
    base, slash, token = value.rpartition("/")
    if len(value) <= _ROW:
        return value.encode()
    return link_base(base + slash, len(token)) + _rows(token.encode())


def link_base(base: str, token: int) -> bytes:
    """A link up to its token of so many characters, broken off where the two do not fit one line."""
    return base.encode() if len(base) + token <= _ROW else _rows(base.encode()) + SOFT_BREAK


def without_leading_dots(encoded: bytes) -> bytes:
    """Quoted-printable of another's making with no line that begins with a dot."""
    return _LEADING_DOTS.sub(lambda match: (_DOT + SOFT_BREAK) * len(match[0]), encoded)


def _line(line: bytes) -> bytes:
    coded = _UNSAFE.sub(_octet, line)
    coded = _END.sub(_octet, coded)
    return _rows(coded)


def _rows(coded: bytes) -> bytes:
    if len(coded) <= _ROW and not coded.startswith(b"."):
        return coded
    rows, start = [], 0
    while start < len(coded):
        dot = coded.startswith(b".", start)
        end = start + _ROW - (len(_DOT) - 1 if dot else 0)
        if end < len(coded):
            # An escape of three octets is never cut.
            cut = coded.rfind(b"=", end - 2, end)
            end = cut if cut >= 0 else end
        rows.append(_DOT + coded[start + 1:end] if dot else coded[start:end])
        start = end
    return SOFT_BREAK.join(rows)


def _octet(match: re.Match[bytes]) -> bytes:
    return b"=%02X" % match[0][0]
