"""What a sender types for a friend: a first name and a few words, with nothing in them that leads anywhere."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from mailer.audience import contact_points
from mailer.context import Context
from mailer.core.card_numbers import holds_card_number
from mailer.core.channel import Address
from mailer.core.errors import InvalidAddress
from mailer.subscriptions.answers import JOINERS, UnfitAnswers

CHANNEL = "email"
LONGEST_NAME = 30
LONGEST_WORDS = 200
APOSTROPHES = " -'\u2019"

# Anything that a mail program might turn into a link: a scheme, an address, a name with a dot and letters after it.
LEADS_SOMEWHERE = re.compile(
    r"://|@|\bwww\.|\b(?:https?|mailto|tel|sms|data|javascript):|[^\W_][.\u3002\uff61](?:xn--|[^\W\d_]{2})"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b|\\\\", re.IGNORECASE)


@dataclass(frozen=True, repr=False)
class Typed:
    """As it was typed."""

    first_name: str
    sender: str
    friend: str
    words: str = ""


@dataclass(frozen=True, repr=False)
class Checked:
    """As it may be passed on; `words` is empty where there are none."""

    first_name: str
    sender: Address
    friend: Address
    words: str


def check(ctx: Context, typed: Typed) -> Checked:
    """What may be passed on. Raises: UnfitAnswers naming each field and why."""
    faults: dict[str, str] = {}
    sender, friend = _address(ctx, typed.sender, "sender", faults), _address(ctx, typed.friend, "friend", faults)
    name, words = _line(typed.first_name), _line(typed.words)
    faults |= {field: why for field, why in (("first_name", _name_fault(name)), ("words", _words_fault(words))) if why}
    if faults or sender is None or friend is None:
        raise UnfitAnswers(faults)
    return Checked(name, sender, friend, words)


def _address(ctx: Context, raw: str, field: str, faults: dict[str, str]) -> Address | None:
    try:
        return contact_points.parse(ctx, CHANNEL, raw)
    except InvalidAddress as error:
        faults[field] = str(error.context.get("why", "invalid"))
        return None


def _line(raw: str) -> str:
    return " ".join(unicodedata.normalize("NFC", raw).split())


def _name_fault(name: str) -> str:
    if not name:
        return "missing"
    if len(name) > LONGEST_NAME:
        return "too_long"
    letters = [letter for letter in name if letter not in APOSTROPHES]
    # Marks belong to letters of many scripts; digits, dots and slashes could make an address of a name.
    fits = letters and all(unicodedata.category(letter)[0] in "LM" or letter in JOINERS for letter in letters)
    return "" if fits and unicodedata.category(letters[0])[0] == "L" else "not_a_name"


def _words_fault(words: str) -> str:
    if len(words) > LONGEST_WORDS:
        return "too_long"
    seen = "".join(letter for letter in words if letter not in JOINERS and letter != "\ufe0f")
    if not seen.isprintable():
        return "control_character"
    if LEADS_SOMEWHERE.search(unicodedata.normalize("NFKC", seen)):
        return "link"
    return "card_number" if holds_card_number(words) else ""


SENTENCES: Mapping[tuple[str, str], str] = {
    ("first_name", "missing"): "Type your first name, so that your friend knows who asked",
    ("first_name", "too_long"): f"A first name has at most {LONGEST_NAME} letters",
    ("first_name", "not_a_name"): "Use letters only, as in a first name",
    ("words", "too_long"): f"Use at most {LONGEST_WORDS} characters",
    ("words", "control_character"): "The words hold a sign that cannot be seen",
    ("words", "link"): "Leave out links and addresses, and put a space after each full stop",
    ("words", "card_number"): "This looks like a card number. We pass none on",
}
