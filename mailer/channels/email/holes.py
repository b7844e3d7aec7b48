"""Marks where a message differs from person to person, so that it can be laid out before anyone is known.

A mark is a key between two noncharacters (U+FDD0 and U+FDD1), which no text may hold; authors' texts lose theirs.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from mailer.channels.email import fields
from mailer.channels.email.fields import Chip
from mailer.channels.email.headers import plain_link
from mailer.core.channel import Recipient

LEAVE: Final = "leave"
PREFERENCES: Final = "preferences"
WHY: Final = "why"
BRACE: Final = "\ufdd2"
"""Stands for a plain brace until Markdown has been read, so that it is not taken for a block's mark."""

_MARK = re.compile("\ufdd0(\\w+)\ufdd1")
_NONCHARACTERS = re.compile("[\ufdd0-\ufdef\ufffe\uffff]")
_LINK_LENGTH = 90


def mark(key: str) -> str:
    """The mark of a hole."""
    return f"\ufdd0{key}\ufdd1"


def without_marks(text: str) -> str:
    """An author's text without anything that could pass for a mark."""
    return _NONCHARACTERS.sub("", text)


def split(marked: str) -> list[str]:
    """Plain text and keys in turn: plain text at even places, keys at odd ones."""
    return _MARK.split(marked)


def has_mark(text: str) -> bool:
    """Whether there is a hole in a text, also in one that has been percent-encoded."""
    return "\ufdd0" in text or "%EF%B7%90" in text.upper()


@dataclass(frozen=True)
class Holes:
    """The chips behind the keys of one message; links have names of their own."""

    chips: dict[str, Chip] = field(default_factory=dict)

    def put(self, text: str, *, brace: str = "{") -> str:
        """An author's text with a mark for each of its fields."""
        marked = ""
        for piece in fields.parse(without_marks(text).replace("{{", BRACE)):
            marked += piece if isinstance(piece, str) else mark(self._key(piece))
        return marked.replace(BRACE, brace)

    def value(self, key: str, recipient: Recipient) -> str:
        """What stands in a hole for one person, not yet escaped for its place. Raises: UnsafeHeader."""
        if key in self.chips:
            return fields.value(self.chips[key], recipient.fields)
        link: str = getattr(recipient.links, key)
        return plain_link(link)

    def fill(self, marked: str, recipient: Recipient, escape: Callable[[str], str] = str) -> str:
        """The text as one person reads it."""
        return _MARK.sub(lambda match: escape(self.value(match[1], recipient)), marked)

    def fill_fields(self, marked: str, values: Mapping[str, str]) -> str:
        """A text that holds no link, as somebody with these fields reads it."""
        return _MARK.sub(lambda match: fields.value(self.chips[match[1]], values), marked)

    def usual(self, marked: str) -> str:
        """The text as someone reads it whose fields are all empty; links are left out."""
        return _MARK.sub(lambda match: self.chips[match[1]].fallback if match[1] in self.chips else "", marked)

    def length(self, marked: str) -> int:
        """About how many characters the text will take: what lines are wrapped by."""
        return len(_MARK.sub(
            lambda match: self.chips[match[1]].fallback if match[1] in self.chips else "-" * _LINK_LENGTH, marked))

    def _key(self, chip: Chip) -> str:
        for key, known in self.chips.items():
            if known == chip:
                return key
        key = f"field{len(self.chips)}"
        self.chips[key] = chip
        return key
