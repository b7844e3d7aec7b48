"""What is written for one message: its envelope, as this server takes it, and its content (RFC 5321, 1870, 6531)."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import idna

from mailer.channels.email.replies import Action, Verdict
from mailer.core.channel import Fate, Parcel

BARE_LINE_END = re.compile(rb"\r\n|\r|\n")
UNSAFE = re.compile(r"[\x00-\x1f\x7f<>]")
PLAIN = re.compile(r"[!-;=?-~]+").fullmatch
"""ASCII without blanks, control characters and angle brackets: what nearly every address is."""

UNSENDABLE_ADDRESS = Verdict(Action.SOFT, Fate.FAILED, "5.1.3")
NEEDS_SMTPUTF8 = Verdict(Action.SOFT, Fate.FAILED, "5.6.7")
NEEDS_8BITMIME = Verdict(Action.BLOCK, Fate.FAILED, "5.6.3", operator=True)
TOO_BIG = Verdict(Action.BLOCK, Fate.FAILED, "5.3.4", operator=True)


class Offer(NamedTuple):
    """What a server said it can do; `size` is the largest message in octets, 0 for no limit, None where not offered."""

    pipelining: bool = False
    eight_bit: bool = False
    utf8: bool = False
    size: int | None = None

    @classmethod
    def read(cls, features: Mapping[str, str]) -> "Offer":
        """From the EHLO keywords in small letters with their parameters."""
        limit = features["size"].strip() if "size" in features else None
        size = None if limit is None else int(limit) if limit.isdigit() else 0
        return cls("pipelining" in features, "8bitmime" in features, "smtputf8" in features, size)


def envelope(parcel: Parcel, offer: Offer) -> tuple[bytes, bytes] | Verdict:
    """MAIL and RCPT as this server takes them, or why it cannot take the message."""
    sender, recipient, body = parcel.sender, parcel.clearance.address, parcel.body
    if parcel.tidy and PLAIN(recipient) and (path := _reverse_path(sender)) is not None:
        if offer.size is None:
            return path + b"\r\n", b"RCPT TO:<%b>\r\n" % recipient.encode()
        if len(body) <= (offer.size or len(body)):
            return b"%b SIZE=%d\r\n" % (path, len(body)), b"RCPT TO:<%b>\r\n" % recipient.encode()
    if not recipient or UNSAFE.search(recipient) or UNSAFE.search(sender):
        return UNSENDABLE_ADDRESS
    if not (recipient.isascii() and sender.isascii() and body.isascii()):
        return _international(parcel, offer)
    if offer.size is None:
        return b"MAIL FROM:<%b>\r\n" % sender.encode(), b"RCPT TO:<%b>\r\n" % recipient.encode()
    size = len(body)
    if 0 < offer.size < size:
        return TOO_BIG
    return b"MAIL FROM:<%b> SIZE=%d\r\n" % (sender.encode(), size), b"RCPT TO:<%b>\r\n" % recipient.encode()


@lru_cache(maxsize=64)
def _reverse_path(sender: str) -> bytes | None:
    """MAIL for a sender that needs nothing special, or None."""
    return b"MAIL FROM:<%b>" % sender.encode() if PLAIN(sender) else None


def _international(parcel: Parcel, offer: Offer) -> tuple[bytes, bytes] | Verdict:
    sender, recipient, body = _wire_form(parcel.sender), _wire_form(parcel.clearance.address), parcel.body
    if sender is None or recipient is None:
        return UNSENDABLE_ADDRESS
    mail = f"MAIL FROM:<{sender}>"
    plain = body.isascii()
    head = body if plain else body.partition(b"\r\n\r\n")[0]
    if not (sender.isascii() and recipient.isascii() and head.isascii()):
        if not offer.utf8:
            return NEEDS_SMTPUTF8
        mail += " SMTPUTF8"
    if not plain:
        if not offer.eight_bit:
            return NEEDS_8BITMIME
        mail += " BODY=8BITMIME"
    if offer.size is not None:
        if 0 < offer.size < len(body):
            return TOO_BIG
        mail += f" SIZE={len(body)}"
    return f"{mail}\r\n".encode(), f"RCPT TO:<{recipient}>\r\n".encode()


def _wire_form(address: str) -> str | None:
    """The address with its domain as A-labels (RFC 6531 section 3.3), or None when it cannot be written."""
    if address.isascii():
        return address
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError:
        return None


def wire_content(body: bytes) -> bytes:
    """A message as DATA carries it: CRLF line ends, doubled leading dots, the final dot (RFC 5321 section 4.5.2).

    Bare line ends are mended, so that no server can read a second message into the first.
    """
    pairs = body.count(b"\r\n")
    if body.count(b"\n") != pairs or body.count(b"\r") != pairs:
        body = BARE_LINE_END.sub(b"\r\n", body)
    if body.startswith(b"."):
        body = b"." + body
    if b"\n." in body:
        body = body.replace(b"\n.", b"\n..")
    return body + (b".\r\n" if body.endswith(b"\r\n") or not body else b"\r\n.\r\n")
