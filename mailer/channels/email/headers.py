"""Header values, written so that nothing in them can begin another header (RFC 5322, RFC 2047)."""

import base64
import re
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from mailer.channels.email.address import EmailAddress, wire_form
from mailer.core.errors import InvalidAddress, MailerError

WIDTH = 76
LONGEST_WORD = 60
LONGEST_LINE = 900

_LINE_END_OR_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ADDRESS_LETTERS = "[^\\s<>()\\[\\]\\\\,;:\"@\x00-\x20\x7f-\xa0\ud800-\udfff]{1,254}"
_ADDRESS = re.compile(f"{_ADDRESS_LETTERS}@{_ADDRESS_LETTERS}")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+( [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_TOKEN = re.compile(r"[A-Za-z0-9-]{1,60}")
_DOT_ATOM = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*", re.ASCII)
_URL = re.compile(r"https?://[!-;=?-~]{1,800}", re.ASCII)
_PLAIN_LINK = re.compile(r"https?://[][A-Za-z0-9:/._~%+-]{1,800}", re.ASCII)
_MESSAGE_ID = re.compile(r"[!-;=?-~]{1,200}@[!-;=?-~]{1,255}", re.ASCII)


class UnsafeHeader(MailerError):
    """A value holds what may not stand in a header, such as a line break; `field` names the header."""

    code = "unsafe_header"
    status = 422


def checked(value: str, field: str) -> str:
    """The value itself, tabs as spaces.

    Raises: UnsafeHeader for CR, LF, NUL and every other control character and line separator (CWE-93).
    """
    value = value.replace("\t", " ")
    if _LINE_END_OR_CONTROL.search(value):
        raise UnsafeHeader(field=field)
    return value


def unstructured(value: str, field: str) -> str:
    """A text such as a subject, folded, encoded where it must be. Raises: UnsafeHeader."""
    value = checked(value, field)
    words = value.split(" ")
    plain = value.isascii() and "=?" not in value and all(0 < len(word) <= LONGEST_WORD for word in words)
    if plain:
        return _folded(words, len(field) + 2)
    return _encoded_words(value, len(field) + 2) if value else ""


def phrase(value: str, field: str) -> str:
    """A display name: atoms, a quoted string, or encoded-words (RFC 2047 §5). Raises: UnsafeHeader."""
    value = " ".join(checked(value, field).split())
    if not value.isascii() or "=?" in value or len(value) > LONGEST_WORD:
        return _encoded_words(value, len(field) + 2)
    if not value or _ATOMS.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def address(value: str, field: str) -> str:
    """A bare address as it goes on the wire. Raises: UnsafeHeader."""
    if not _ADDRESS.fullmatch(value):
        raise UnsafeHeader(field=field)
    if value.isascii():
        return value
    try:
        return wire_form(value)
    except InvalidAddress:
        pass
    raise UnsafeHeader(field=field)


def mailbox(name: str, value: str, field: str) -> str:
    """A name and its address. Raises: UnsafeHeader."""
    words = phrase(name, field)
    bare = address(value, field)
    if not words:
        return bare
    last = len(words) - words.rfind("\n") - 1 + (0 if "\n" in words else len(field) + 2)
    return words + ("\r\n <" if last + len(bare) + 3 > WIDTH else " <") + bare + ">"


def one_mailbox(value: str, field: str) -> str:
    """A single address that someone typed, as Reply-To wants it. Raises: UnsafeHeader."""
    try:
        return wire_form(EmailAddress.parse(checked(value, field)).normalised)
    except InvalidAddress:
        pass
    raise UnsafeHeader(field=field)


def url(value: str, field: str) -> str:
    """A link in angle brackets, which is never folded (RFC 2369 §2). Raises: UnsafeHeader."""
    if not _URL.fullmatch(value):
        raise UnsafeHeader(field=field)
    return f"<{value}>"


def plain_link(value: str) -> str:
    """A link of ours, of letters that mean nothing in HTML, text or a header. Raises: UnsafeHeader."""
    if not _PLAIN_LINK.fullmatch(value):
        raise UnsafeHeader(field="link")
    return value


def host(value: str, field: str) -> str:
    """A host name in A-labels. Raises: UnsafeHeader."""
    if value.isascii():
        return checked(value.lower(), field)
    return one_mailbox(f"x@{value}", field).rpartition("@")[2]


def message_id(value: str) -> str:
    """An identifier in its angle brackets. Raises: UnsafeHeader."""
    bare = value[1:-1] if value.startswith("<") and value.endswith(">") else value
    if not _MESSAGE_ID.fullmatch(bare):
        raise UnsafeHeader(field="Message-ID")
    return f"<{bare}>"


@lru_cache(maxsize=16)
def date(value: datetime) -> str:
    """A moment with its numeric zone (RFC 5322 §3.3)."""
    return format_datetime(value)


def list_id(name: str, label: str, host: str) -> str:
    """`phrase <label.list.host>`, or the label alone where it is whole (RFC 2919 §2). Raises: UnsafeHeader."""
    whole = label if "." in label else f"{label}.list.{host}"
    if not _DOT_ATOM.fullmatch(whole) or len(whole) > 255:
        raise UnsafeHeader(field="List-Id")
    words = phrase(name, "List-Id")
    return f"{words}\r\n <{whole}>" if words else f"<{whole}>"


def further(name: str, value: str) -> tuple[str, str]:
    """A further header of a letter, fit for its place. Raises: UnsafeHeader."""
    if not _TOKEN.fullmatch(name):
        raise UnsafeHeader(field="header name")
    if name.lower() == "reply-to":
        return name, one_mailbox(value, name)
    if name.lower().startswith("list-") or name.lower() in ("in-reply-to", "references", "auto-submitted"):
        value = checked(value, name)
        if not value.isascii() or not value.strip() or len(value) > LONGEST_LINE:
            raise UnsafeHeader(field=name)
        return name, value
    return name, unstructured(value, name)


def _folded(words: list[str], used: int) -> str:
    line, lines = "", []
    for word in words:
        if line and used + len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line, used = word, 1
        else:
            line = f"{line} {word}" if line else word
    return "\r\n ".join([*lines, line])


def _encoded_words(value: str, used: int) -> str:
    """Words of at most 75 characters that never cut a letter; base64 is fit for every place (RFC 2047 §2, §5)."""
    words, chunk = [], b""
    for letter in value:
        octets = letter.encode()
        room = WIDTH - max(used, 1) - len("=?utf-8?b??=")
        if chunk and len(chunk) + len(octets) > room // 4 * 3:
            words.append(chunk)
            chunk, used = b"", 1
        chunk += octets
    words.append(chunk)
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in words)
