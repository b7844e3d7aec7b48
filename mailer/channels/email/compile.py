"""Compiles a content version once, so that one message is one join of bytes.

What differs from person to person stands on lines of its own between soft line breaks, so nothing around it has to
be encoded or wrapped again. The result reads exactly as compose_campaign's.
"""

import hashlib
import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from mailer.channels.email import headers, quoted, render
from mailer.channels.email.holes import Holes, split
from mailer.channels.email.mime import constant_headers
from mailer.core.channel import Copy, Recipient

Fill = Callable[[Recipient], bytes]

_TEXT: Final = b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
_HTML: Final = b'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'


@dataclass(frozen=True)
class Hole:
    """A place to be filled, named so that what is filled in once is not made again for the same person."""

    name: str
    fill: Fill


class EmailProgram:
    """A content version as byte segments, with and without HTML."""

    def __init__(self, fields: tuple[str, ...], both: "_Segments", text_only: "_Segments") -> None:
        self._fields = fields
        self._both = both
        self._text_only = text_only

    @property
    def fields(self) -> tuple[str, ...]:
        return self._fields

    def build(self, recipient: Recipient) -> bytes:
        """The finished message. Raises: UnsafeHeader when an address, link or identifier cannot be printed."""
        return (self._text_only if recipient.text_only else self._both).build(recipient)


class _Segments:
    def __init__(self, pieces: Iterable[bytes | Hole]) -> None:
        self._parts: list[bytes] = [b""]
        self._slots: list[tuple[int, int]] = []
        self._fills: list[Fill] = []
        known: dict[str, int] = {}
        for piece in pieces:
            if isinstance(piece, bytes):
                self._parts[-1] += piece
                continue
            if piece.name not in known:
                known[piece.name] = len(self._fills)
                self._fills.append(piece.fill)
            self._slots.append((len(self._parts), known[piece.name]))
            self._parts += [b"", b""]

    def build(self, recipient: Recipient) -> bytes:
        values = [fill(recipient) for fill in self._fills]
        parts = self._parts.copy()
        for place, value in self._slots:
            parts[place] = values[value]
        return b"".join(parts)


def compile_copy(copy: Copy) -> EmailProgram:
    """The program of a content version. Raises: UnsafeHeader."""
    rendered = render.campaign(copy)
    holes = rendered.holes
    head = [*_headers(copy, rendered.subject, holes), b"MIME-Version: 1.0\r\n"]
    text = list(_body(rendered.text, "text", holes, str))
    page = list(_body(rendered.html, "html", holes, html.escape))
    boundary = b"=_" + hashlib.sha256((rendered.text + rendered.html).encode()).hexdigest()[:32].encode()
    both = [
        *head, b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n\r\n',
        b"--" + boundary + b"\r\n", _TEXT, *text,
        b"\r\n--" + boundary + b"\r\n", _HTML, *page,
        b"\r\n--" + boundary + b"--\r\n",
    ]
    names = tuple(dict.fromkeys(chip.name for chip in holes.chips.values()))
    return EmailProgram(names, _Segments(both), _Segments([*head, _TEXT, *text]))


def _headers(copy: Copy, subject: str, holes: Holes) -> list[bytes | Hole]:
    pieces: list[bytes | Hole] = [
        b"".join(f"{name}: {value}\r\n".encode() for name, value in constant_headers(copy)),
        b"To: ", Hole("to", lambda recipient: headers.address(recipient.address, "To").encode()),
        b"\r\nDate: ", Hole("date", lambda recipient: headers.date(recipient.date).encode()),
        b"\r\nMessage-ID: ", Hole("message-id", lambda recipient: headers.message_id(recipient.message_id).encode()),
        b"\r\nSubject: ", _subject(subject, holes),
    ]
    if copy.one_click:
        pieces += [b"\r\nList-Unsubscribe: ", Hole("one-click", _one_click)]
    return [*pieces, b"\r\n"]


def _subject(subject: str, holes: Holes) -> bytes | Hole:
    if len(split(subject)) == 1:
        return headers.unstructured(subject, "Subject").encode()
    # Checked now, so that a fault of the author's does not wait for the first person.
    headers.checked(holes.usual(subject), "Subject")
    return Hole("subject", lambda recipient: headers.unstructured(holes.fill(subject, recipient), "Subject").encode())


def _one_click(recipient: Recipient) -> bytes:
    return headers.url(recipient.links.one_click, "List-Unsubscribe").encode()


def _body(marked: str, place: str, holes: Holes, escape: Callable[[str], str]) -> Iterable[bytes | Hole]:
    pieces = split(marked)
    for position, piece in enumerate(pieces):
        if position % 2 == 0:
            yield quoted.encode(piece)
            continue
        before, after = pieces[position - 1], pieces[position + 1]
        if not before.endswith("\n"):
            yield quoted.SOFT_BREAK
        yield _hole(piece, place, holes, escape)
        if not after.startswith("\n"):
            yield quoted.SOFT_BREAK


def _hole(key: str, place: str, holes: Holes, escape: Callable[[str], str]) -> Hole:
    if key in holes.chips:
        return Hole(f"{place} {key}", lambda recipient: quoted.encode_value(escape(holes.value(key, recipient))))
    # A link of ours reads the same in HTML and in text, so it is made once for both.
    return Hole(key, lambda recipient: quoted.plain(holes.value(key, recipient)))
