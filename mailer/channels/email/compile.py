"""Compiles a content version once, so that one message is one join of bytes.

What differs from person to person stands on lines of its own between soft line breaks, so nothing around it has to
be encoded or wrapped again. The result reads exactly as compose_campaign's.
"""

import hashlib
import html
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from mailer.channels.email import fields, headers, quoted, render
from mailer.channels.email.holes import Holes, split
from mailer.channels.email.mime import constant_headers
from mailer.channels.email.program import EmailProgram, Hole, Piece
from mailer.core.channel import Copy

_TEXT: Final = b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
_HTML: Final = b'Content-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'


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
    return EmailProgram(names, _joined(both), _joined([*head, _TEXT, *text]))


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    joined: list[Piece] = [b""]
    for piece in pieces:
        last = joined[-1]
        if isinstance(piece, bytes) and isinstance(last, bytes):
            joined[-1] = last + piece
        else:
            joined.append(piece)
    return joined


def _headers(copy: Copy, subject: str, holes: Holes) -> list[Piece]:
    pieces: list[Piece] = [
        b"".join(f"{name}: {value}\r\n".encode() for name, value in constant_headers(copy)),
        b"To: ", Hole("to"), b"\r\nDate: ", Hole("date"), b"\r\nMessage-ID: ", Hole("message_id"),
        b"\r\nSubject: ", _subject(subject, holes),
    ]
    if copy.one_click:
        pieces += [b"\r\nList-Unsubscribe: ", Hole("one_click")]
    return [*pieces, b"\r\n"]


def _subject(subject: str, holes: Holes) -> Piece:
    if len(split(subject)) == 1:
        return headers.unstructured(subject, "Subject").encode()
    # Checked now, so that a fault of the author's does not wait for the first person.
    headers.checked(holes.usual(subject), "Subject")
    return Hole("subject", lambda values: headers.unstructured(holes.fill_fields(subject, values), "Subject").encode())


def _body(marked: str, place: str, holes: Holes, escape: Callable[[str], str]) -> Iterable[Piece]:
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
    if key not in holes.chips:
        # A link of ours reads the same in HTML and in text.
        return Hole(key)
    chip = holes.chips[key]

    def fill(values: Mapping[str, str]) -> bytes:
        raw = values.get(chip.name, "")
        # Plain letters need no escape in any place; most names are such.
        if raw.isalpha() and raw.isascii() and len(raw) <= quoted.PLAIN_AT_MOST:
            return raw.encode()
        return quoted.encode_value(escape(fields.value(chip, values)))

    return Hole(f"{place} {key}", fill)
