"""Personal fields, as an author writes them: `{first name | there}`. `{{` stands for a plain brace."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

KNOWN = frozenset({"first name"})
"""The fields that exist. A new one also needs a value in Recipient.fields."""

BLOCK_MARKS = frozenset({"button", "decorative"})
"""Words in braces that mark a block of the message and name no field."""

LONGEST = 100
"""Characters of a value that are printed; a longer name is cut, so that it cannot push the message aside."""

# A name has an end, so that a long run of blanks costs no more than its length.
_PIECE = re.compile(r"\{\{|\{[ \t]*([^\W\d_][\w \t-]{0,60}?)[ \t]*(?:\|([^{}\n]*))?\}")
_DROPPED = re.compile("[\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]")
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


@dataclass(frozen=True)
class Chip:
    """One personal field in a text, with what is read where a person has none."""

    name: str
    fallback: str


@dataclass(frozen=True)
class Problem:
    """What is wrong with a field, and at which character: missing_fallback or unknown_field."""

    code: str
    at: int
    name: str


def parse(text: str) -> tuple[str | Chip, ...]:
    """The text in pieces; a field that does not exist stays as it was written."""
    pieces: list[str | Chip] = []
    plain, end = "", 0
    for match in _PIECE.finditer(text):
        plain, end = plain + text[end:match.start()], match.end()
        name = _name(match)
        if match[0] == "{{":
            plain += "{"
        elif name not in KNOWN:
            plain += match[0]
        else:
            pieces += [plain, Chip(name, clean(match[2] or ""))]
            plain = ""
    pieces.append(plain + text[end:])
    return tuple(piece for piece in pieces if piece != "")


def problems(text: str) -> list[Problem]:
    """What preflight must have mended before this text is sent."""
    found = []
    for match in _PIECE.finditer(text):
        name = _name(match)
        if match[0] == "{{" or (name in BLOCK_MARKS and match[2] is None):
            continue
        if name not in KNOWN:
            found.append(Problem("unknown_field", match.start(), name))
        elif not clean(match[2] or ""):
            found.append(Problem("missing_fallback", match.start(), name))
    return found


def names(pieces: tuple[str | Chip, ...]) -> tuple[str, ...]:
    """The fields named, each once, in order."""
    return tuple(dict.fromkeys(piece.name for piece in pieces if isinstance(piece, Chip)))


def value(chip: Chip, fields: Mapping[str, str]) -> str:
    """What this person reads in the chip's place, fit for one line."""
    return clean(fields.get(chip.name, "")) or chip.fallback


def clean(raw: str) -> str:
    """A person's own text made safe for one line: a bad name must not stop anyone's message, nor add to it.

    Line ends and control characters become spaces, direction overrides and noncharacters go, white space is folded.
    """
    if len(raw) <= LONGEST and raw.isprintable() and raw == raw.strip() and "  " not in raw:
        return raw
    kept = "".join(
        " " if unicodedata.category(letter) in _UNPRINTABLE else letter
        for letter in _DROPPED.sub("", raw[:10 * LONGEST]))
    return " ".join(kept.split())[:LONGEST].rstrip()


def _name(match: re.Match[str]) -> str:
    return " ".join((match[1] or "").lower().split())
