"""The links and identifiers we print: tokens that say who and what, and that only we could have made.

A token is lower-case base32 of 35 octets, 56 characters: version, key id, purpose, the two 64-bit ids enciphered as
one AES block (two tokens of one person share nothing), and a 128-bit MAC over both (AES-CMAC, RFC 4493; in tokens of
version 1 HMAC-SHA-256, cut). It fits a local part (RFC 5321 §4.5.3.1.1).
"""

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.cmac import CMAC

from mailer.core.errors import BadToken
from mailer.core.vault import KeyRing, Keys, Use

VERSION, FIRST_VERSION = 2, 1
LENGTH = 56
OCTETS = 35


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
    FRIEND = 9
    ADDRESS_UNDO = 10


MAILED = (Link.LEAVE, Link.ONE_CLICK, Link.PREFERENCES, Link.WHY, Link.MESSAGE_ID)
"""What a campaign's message bears, in the order in which a Batch takes it."""


@dataclass(frozen=True)
class Claim:
    """What a token says: `first` is mostly a contact point, `second` mostly a campaign (0 for none)."""

    link: Link
    first: int
    second: int


class LinkSigner:
    """Makes and reads tokens with the key ring; verification keys are kept for ever."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._made = _Made(keys.current())

    def sign(self, link: Link, first: int, second: int = 0) -> str:
        """A token of 56 characters for two ids (0 ≤ id < 2⁶³)."""
        made = self._now()
        number = made.ring.newest
        head = bytes((VERSION, number, link))
        block = made.ciphers[number].encryptor().update(first.to_bytes(8, "big") + second.to_bytes(8, "big"))
        return base64.b32encode(head + block + made.mac(head, block)).decode().lower()

    def sign_many(self, links: Sequence[Link], firsts: Sequence[int], second: int = 0) -> list[list[bytes]]:
        """For each of `firsts` the tokens that `sign` makes, one a link in their order; a set costs far less."""
        made, count = self._now(), len(links)
        number = made.ring.newest
        tail = second.to_bytes(8, "big")
        blocks = made.ciphers[number].encryptor().update(b"".join([one.to_bytes(8, "big") + tail for one in firsts]))
        heads = [bytes((VERSION, number, link)) for link in links]
        macs = cmac_many(made.macs[number], blocks, heads)
        raw, place = bytearray(OCTETS * count * len(firsts)), 0
        for part, width in ((b"".join(heads) * len(firsts), 3), (_each(blocks, count), 16), (macs, 16)):
            for octet in range(width):
                raw[place::OCTETS] = part[octet::width]
                place += 1
        tokens = base32(bytes(raw))
        row = LENGTH * count
        return [[tokens[at:at + LENGTH] for at in range(start, start + row, LENGTH)]
                for start in range(0, row * len(firsts), row)] if links else [[] for _ in firsts]

    def read(self, token: str, *links: Link) -> Claim:
        """What a token says. Raises: BadToken when it is cut, forged, upper-case or of another purpose."""
        if len(token) != LENGTH or not token.isascii() or token != token.lower():
            raise BadToken()
        try:
            raw = base64.b32decode(token.upper())
        except ValueError as error:
            raise BadToken() from error
        head, block, mac = raw[:3], raw[3:19], raw[19:]
        made = self._now(head[1])
        if head[0] not in (VERSION, FIRST_VERSION) or head[1] not in made.macs or head[2] not in links:
            raise BadToken()
        if not hmac.compare_digest(mac, made.mac(head, block)):
            raise BadToken()
        plain = made.ciphers[head[1]].decryptor().update(block)
        return Claim(Link(head[2]), int.from_bytes(plain[:8], "big"), int.from_bytes(plain[8:], "big"))

    def _now(self, needed: int = 0) -> "_Made":
        ring = self._keys.current(needed)
        if ring is not self._made.ring:
            self._made = _Made(ring)
        return self._made


class _Made:
    """What is made from one key ring, once."""

    def __init__(self, ring: KeyRing) -> None:
        self.ring = ring
        self.ciphers = {number: _cipher(ring, number) for number in ring.keys}
        self.macs = {number: hmac.digest(ring.derive(Use.LINK, number), b"mac", "sha256") for number in ring.keys}

    def mac(self, head: bytes, block: bytes) -> bytes:
        """The MAC over both ids and the head, as the version in the head says."""
        if head[0] == FIRST_VERSION:
            return hmac.digest(self.ring.derive(Use.LINK, head[1]), head + block, "sha256")[:16]
        mac = CMAC(AES(self.macs[head[1]]))
        mac.update(block + head)
        return mac.finalize()


def cmac_many(key: bytes, blocks: bytes, ends: Sequence[bytes]) -> bytes:
    """The AES-CMAC (RFC 4493 section 2.4) of each block of 16 octets followed by each end of 1 to 15 octets.

    A set shares its first half: the block is enciphered once, and all ends of all blocks in one go.
    """
    cipher = Cipher(AES(key), ECB()).encryptor()  # noqa: S305 - the block cipher itself is what CMAC is made of.
    subkey = _doubled(_doubled(int.from_bytes(cipher.update(bytes(16)), "big")))
    last = b"".join((int.from_bytes((end + b"\x80").ljust(16, b"\0"), "big") ^ subkey).to_bytes(16, "big")
                    for end in ends) * (len(blocks) // 16)
    first = _each(cipher.update(blocks), len(ends))
    mixed = int.from_bytes(first, "big") ^ int.from_bytes(last, "big")
    return cipher.update(mixed.to_bytes(len(last), "big"))


def _doubled(value: int) -> int:
    """In GF(2^128), as CMAC makes its subkeys (RFC 4493 section 2.3)."""
    return (value << 1 & (1 << 128) - 1) ^ (0x87 if value >> 127 else 0)


def _each(blocks: bytes, times: int) -> bytes:
    """Every block of 16 octets so many times in a row."""
    return b"".join([blocks[at:at + 16] * times for at in range(0, len(blocks), 16)])


def base32(octets: bytes) -> bytes:
    """Lower-case base32 (RFC 4648 §6) of a multiple of five octets, however many, at the speed of C.

    Five octets are eight letters of five bits. Each letter takes its bits from one octet or from two neighbours, so
    the octets that stand first, second … in their group are looked up together and neighbours joined by one OR.
    """
    one, two, three, four, five = (octets[place::5] for place in range(5))
    count = len(one)
    left = one.translate(_LOW[3]) + two.translate(_LOW[1]) + three.translate(_LOW[4]) + four.translate(_LOW[2])
    right = two.translate(_HIGH[6]) + three.translate(_HIGH[4]) + four.translate(_HIGH[7]) + five.translate(_HIGH[5])
    both = (int.from_bytes(left, "big") | int.from_bytes(right, "big")).to_bytes(4 * count, "big")
    values = bytearray(8 * count)
    values[0::8] = one.translate(_HIGH[3])
    values[1::8] = both[:count]
    values[2::8] = two.translate(_HIGH[1])
    values[3::8] = both[count:2 * count]
    values[4::8] = both[2 * count:3 * count]
    values[5::8] = four.translate(_HIGH[2])
    values[6::8] = both[3 * count:]
    values[7::8] = five
    return bytes(values.translate(_LETTERS))


_HIGH = {shift: bytes((octet >> shift) & 31 for octet in range(256)) for shift in range(1, 8)}
"""The bits of an octet from `shift` up, five at most."""

_LOW = {bits: bytes((octet << 5 - bits) & 31 for octet in range(256)) for bits in range(1, 5)}
"""The lowest so many bits of an octet, as the highest of five."""

_LETTERS = b"abcdefghijklmnopqrstuvwxyz234567" * 8
"""A letter for each value; of an octet only the lowest five bits are looked at."""


def _cipher(ring: KeyRing, number: int) -> Cipher[ECB]:
    key = hmac.digest(ring.derive(Use.LINK, number), b"ids", "sha256")
    # One block of two ids under its own key: nothing repeats, so the plain block cipher is the permutation wanted.
    return Cipher(AES(key), ECB())  # noqa: S305 - a single-block permutation, authenticated by the MAC beside it.
