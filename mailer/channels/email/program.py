"""A compiled content version: segments of bytes with holes between them, filled for one person by one join."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from mailer.channels.email import headers, quoted
from mailer.core.channel import Frame, Recipient
from mailer.core.links import LENGTH

Personal = Callable[[Mapping[str, str]], bytes]

_TO: Final = 0
_TOKENS: Final = {"leave": 1, "one_click": 2, "preferences": 3, "why": 4, "message_id": 5}
_FIELDS: Final = 6
"""Where each value stands in what a batch joins: the address, the tokens, and then the personal fields."""

_KNOWN_AT_MOST: Final = 1000


@dataclass(frozen=True)
class Hole:
    """A place to be filled: `personal` from somebody's fields, otherwise by what its name says."""

    name: str
    personal: Personal | None = field(default=None, compare=False)


Piece = bytes | Hole


class EmailProgram:
    """A content version as byte segments, with and without HTML."""

    def __init__(self, fields: tuple[str, ...], both: Iterable[Piece], text_only: Iterable[Piece]) -> None:
        self._fields = fields
        self._both = tuple(both)
        self._text_only = tuple(text_only)
        self._known: dict[tuple[str | None, ...], list[bytes]] = {}

    @property
    def fields(self) -> tuple[str, ...]:
        return self._fields

    def build(self, recipient: Recipient) -> bytes:
        """The finished message. Raises: UnsafeHeader when an address, link or identifier cannot be printed."""
        pieces = self._text_only if recipient.text_only else self._both
        return b"".join(piece if isinstance(piece, bytes) else _value(piece, recipient) for piece in pieces)

    def batch(self, frame: Frame) -> "EmailBatch":
        """Raises: UnsafeHeader when a link's base or the host cannot be printed."""
        personal = {piece: None for piece in self._both if isinstance(piece, Hole) and piece.personal}
        holes = {hole: _FIELDS + number for number, hole in enumerate(personal)}
        return EmailBatch(
            self._fields, [hole.personal for hole in holes if hole.personal], self._known,
            _Layout(self._both, frame, holes), _Layout(self._text_only, frame, holes))


class EmailBatch:
    """A program within its frame; `known` is what was filled before for people of the same fields."""

    def __init__(self, fields: tuple[str, ...], personal: Sequence[Personal],
                 known: dict[tuple[str | None, ...], list[bytes]], both: "_Layout", text_only: "_Layout") -> None:
        self._fields = fields
        self._personal = personal
        self._known = known
        self._both = both
        self._text_only = text_only

    def build(self, address: str, text_only: bool, fields: Mapping[str, str], tokens: Sequence[bytes]) -> bytes:
        """The finished message. Raises: UnsafeHeader when the address cannot be printed."""
        key = tuple(map(fields.get, self._fields))
        personal = self._known.get(key)
        if personal is None:
            personal = self._fill(key, fields)
        layout = self._text_only if text_only else self._both
        parts = layout.parts.copy()
        parts[1::2] = layout.pick((headers.address(address, "To").encode(), *tokens, *personal))
        return b"".join(parts)

    def _fill(self, key: tuple[str | None, ...], fields: Mapping[str, str]) -> list[bytes]:
        if len(self._known) >= _KNOWN_AT_MOST:
            self._known.clear()
        self._known[key] = [fill(fields) for fill in self._personal]
        return self._known[key]


class _Layout:
    """Segments at even places, room for the values at odd ones, and which value goes where."""

    def __init__(self, pieces: Iterable[Piece], frame: Frame, personal: Mapping[Hole, int]) -> None:
        self.parts: list[bytes] = [b""]
        places: list[int] = []
        for piece in pieces:
            before, place, after = _framed(piece, frame, personal)
            self.parts[-1] += before
            if place is not None:
                places.append(place)
                self.parts += [b"", after]
        self.pick = itemgetter(*places)


def _framed(piece: Piece, frame: Frame, personal: Mapping[Hole, int]) -> tuple[bytes, int | None, bytes]:
    if isinstance(piece, bytes):
        return piece, None, b""
    match piece.name:
        case "to":
            return b"", _TO, b""
        case "date":
            return headers.date(frame.date).encode(), None, b""
        case "message_id":
            return b"<", _TOKENS["message_id"], headers.message_id(f"x@{frame.host}")[2:].encode()
        case "one_click":
            return headers.url(frame.bases.one_click, "List-Unsubscribe")[:-1].encode(), _TOKENS["one_click"], b">"
        case "leave" | "preferences" | "why":
            base = headers.plain_link(getattr(frame.bases, piece.name))
            return quoted.link_base(base, LENGTH), _TOKENS[piece.name], b""
    return b"", personal[piece], b""


def _value(hole: Hole, recipient: Recipient) -> bytes:
    if hole.personal:
        return hole.personal(recipient.fields)
    match hole.name:
        case "to":
            return headers.address(recipient.address, "To").encode()
        case "date":
            return headers.date(recipient.date).encode()
        case "message_id":
            return headers.message_id(recipient.message_id).encode()
        case "one_click":
            return headers.url(recipient.links.one_click, "List-Unsubscribe").encode()
        case _:
            return quoted.link(headers.plain_link(getattr(recipient.links, hole.name)))
