"""Quoted-printable, in lines that may be joined to others (RFC 2045 §6.7)."""

import re

SOFT_BREAK = b"=\r\n"
WIDTH = 76

_UNSAFE = re.compile(rb"[^\t\x20-\x3c\x3e-\x7e]")
_END = re.compile(rb"[ \t]\Z")
_PLAIN = re.compile(r"[A-Za-z0-9:/.+_~%-]*").fullmatch


def encode(text: str) -> bytes:
    """A whole text, its line feeds as CRLF; no encoded line is longer than 76 octets.

    What is returned may stand at the beginning of a line and be followed by a soft break.
    """
    return b"\r\n".join(_line(line) for line in text.encode().split(b"\n"))


def encode_value(value: str) -> bytes:
    """A value that stands in a hole, on lines of its own between two soft breaks."""
    return plain(value) if _PLAIN(value) else encode(value)


def plain(value: str) -> bytes:
    """Text that is known to need no escape, cut into lines."""
    if len(value) < WIDTH:
        return value.encode()
    row = WIDTH - 1
    return SOFT_BREAK.join(value[start:start + row].encode() for start in range(0, len(value), row))


def _line(line: bytes) -> bytes:
    coded = _UNSAFE.sub(_octet, line)
    coded = _END.sub(_octet, coded)
    if len(coded) <= WIDTH - 1:
        return coded
    rows, start = [], 0
    while len(coded) - start > WIDTH - 1:
        end = start + WIDTH - 1
        # An escape of three octets is never cut.
        cut = coded.rfind(b"=", end - 2, end)
        end = cut if cut >= 0 else end
        rows.append(coded[start:end])
        start = end
    rows.append(coded[start:])
    return SOFT_BREAK.join(rows)


def _octet(match: re.Match[bytes]) -> bytes:
    return b"=%02X" % match[0][0]
