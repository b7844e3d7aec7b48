"""The links and identifiers we print: tokens that say who and what, and that only we could have made.

A token is lower-case base32 of 35 octets, 56 characters: version, key id, purpose, the two 64-bit ids enciphered as
one AES block (two tokens of one person share nothing), and a 128-bit MAC. It fits a local part (RFC 5321 §4.5.3.1.1).
"""

import base64
import hmac
from dataclasses import dataclass
from enum import IntEnum

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from mailer.core.errors import BadToken
from mailer.core.vault import KeyRing, Use

VERSION = 1
LENGTH = 56


class Link(IntEnum):
    """What a token is for; one purpose never passes for another."""

    LEAVE = 1
    PREFERENCES = 2
    WHY = 3
    ONE_CLICK = 4
    MESSAGE_ID = 5
    VERP = 6
    UNDO = 7
    TEST = 8


@dataclass(frozen=True)
class Claim:
    """What a token says: `first` is mostly a contact point, `second` mostly a campaign (0 for none)."""

    link: Link
    first: int
    second: int


class LinkSigner:
    """Makes and reads tokens with the key ring; verification keys are kept for ever."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._newest = ring.newest
        self._ciphers = {number: _cipher(ring, number) for number in ring.keys}
        self._macs = {number: ring.derive(Use.LINK, number) for number in ring.keys}

    def sign(self, link: Link, first: int, second: int = 0) -> str:
        """A token of 56 characters for two ids (0 ≤ id < 2⁶³)."""
        number = self._newest
        head = bytes((VERSION, number, link))
        block = self._ciphers[number].encryptor().update(first.to_bytes(8, "big") + second.to_bytes(8, "big"))
        mac = hmac.digest(self._macs[number], head + block, "sha256")[:16]
        return base64.b32encode(head + block + mac).decode().lower()

    def read(self, token: str, *links: Link) -> Claim:
        """What a token says. Raises: BadToken when it is cut, forged, upper-case or of another purpose."""
        if len(token) != LENGTH or not token.isascii() or token != token.lower():
            raise BadToken()
        try:
            raw = base64.b32decode(token.upper())
        except ValueError as error:
            raise BadToken() from error
        head, block, mac = raw[:3], raw[3:19], raw[19:]
        if head[0] != VERSION or head[1] not in self._macs or head[2] not in links:
            raise BadToken()
        if not hmac.compare_digest(mac, hmac.digest(self._macs[head[1]], head + block, "sha256")[:16]):
            raise BadToken()
        plain = self._ciphers[head[1]].decryptor().update(block)
        return Claim(Link(head[2]), int.from_bytes(plain[:8], "big"), int.from_bytes(plain[8:], "big"))


def _cipher(ring: KeyRing, number: int) -> Cipher[ECB]:
    key = hmac.digest(ring.derive(Use.LINK, number), b"ids", "sha256")
    # One block of two ids under its own key: nothing repeats, so the plain block cipher is the permutation wanted.
    return Cipher(AES(key), ECB())  # noqa: S305 - a single-block permutation, authenticated by the MAC beside it.
