"""Which e-mail addresses there are, and when two are the same."""

import re
import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from mailer.core.errors import InvalidAddress

LONGEST = 254
"""Octets of an address: a path is at most 256 with its angle brackets (RFC 5321 §4.5.3.1.3)."""
LONGEST_LOCAL = 64
"""Octets before the at sign (RFC 5321 §4.5.3.1.1)."""
LONGEST_TYPED = 1000

_INVISIBLE = re.compile(r"\A[\s\u200b-\u200d\u2060\ufeff]+|[\s\u200b-\u200d\u2060\ufeff]+\Z")
_LINE_SEPARATORS = frozenset("\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True, repr=False)
class EmailAddress:
    """An address we could send to. `parse` is the only way in, so there is no other kind."""

    normalised: str
    identity: str
    domain: str
    smtputf8: bool

    @classmethod
    def parse(cls, raw: str) -> "EmailAddress":
        """Read what a person typed or pasted, by syntax alone: no DNS.

        Raises: InvalidAddress, `why` being one of empty, control_character, white_space, no_at, many_at, too_long,
        before_at, after_at. Source: RFC 5321 §4.1.2, RFC 6531 §3.3, RFC 5890 (quoted local parts, address literals,
        comments and display names are refused by policy).
        """
        text = _trimmed(raw)
        _refuse_at_sight(text)
        checked = _checked(text)
        local, wire_domain = checked.local_part, checked.ascii_domain
        if len(local.encode()) > LONGEST_LOCAL or len(f"{local}@{wire_domain}".encode()) > LONGEST:
            raise InvalidAddress(channel="email", why="too_long")
        identity = unicodedata.normalize("NFC", local.lower()) + "@" + wire_domain.lower()
        return cls(checked.normalized, identity, wire_domain.lower(), not local.isascii())

    def __str__(self) -> str:
        return mask(self.normalised)

    def __repr__(self) -> str:
        return f"EmailAddress({self})"


def mask(normalised: str) -> str:
    """The address as staff see it in tables: its first letter and its domain."""
    local, _, domain = normalised.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def wire_form(normalised: str) -> str:
    """The address as it is written in headers and SMTP commands.

    A domain outside ASCII travels as A-labels, unless the local part needs SMTPUTF8 anyway (RFC 6531 §3.2).
    Raises: InvalidAddress.
    """
    local = normalised.rpartition("@")[0]
    if normalised.isascii() or not local.isascii():
        return normalised
    return f"{local}@{EmailAddress.parse(normalised).domain}"


def _trimmed(raw: str) -> str:
    if len(raw) > LONGEST_TYPED:
        raise InvalidAddress(channel="email", why="too_long")
    # str.strip and \s take line separators for white space; nobody types one by accident.
    if not _LINE_SEPARATORS.isdisjoint(raw):
        raise InvalidAddress(channel="email", why="control_character")
    return _INVISIBLE.sub("", raw)


def _refuse_at_sight(text: str) -> None:
    why = ""
    if not text:
        why = "empty"
    elif any(unicodedata.category(letter) in _HIDDEN for letter in text):
        why = "control_character"
    elif any(letter.isspace() for letter in text):
        why = "white_space"
    elif "@" not in text:
        why = "no_at"
    elif text.count("@") > 1:
        why = "many_at"
    if why:
        raise InvalidAddress(channel="email", why=why)


def _checked(text: str) -> ValidatedEmail:
    try:
        return validate_email(text, check_deliverability=False, strict=True)
    except EmailNotValidError:
        why = _which_side(text)
    # Raised outside the handler, so that no trace carries the library's words with the address in them.
    raise InvalidAddress(channel="email", why=why)


def _which_side(text: str) -> str:
    local, _, domain = text.partition("@")
    if len(local.encode()) > LONGEST_LOCAL or len(text.encode()) > LONGEST:
        return "too_long"
    try:
        validate_email(f"x@{domain}", check_deliverability=False)
    except EmailNotValidError:
        return "after_at"
    return "before_at"
