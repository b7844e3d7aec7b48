"""The ring of master keys: one derived key a use (HKDF-SHA-256, RFC 5869), and the layers of fingerprints."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Protocol

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mailer.core.errors import KeyProblem


class Use(StrEnum):
    """What a derived key is for; a key of one use opens nothing of another."""

    WRAP = "wrap"
    FINGERPRINT = "fingerprint"
    LINK = "link"
    VERP = "verp"
    SIGNATURE = "signature"
    STAFF = "staff"
    OUTBOX = "outbox"
    SESSION = "session"
    LIMIT = "limit"
    DKIM = "dkim"
    RIGHTS = "rights"
    CODE = "code"
    CHECK = "check"


class Keys(Protocol):
    """Where the key ring is asked for each time it is used, so that a process follows a rotation."""

    def current(self, needed: int = 0) -> "KeyRing":
        """The ring as it is now; looked for again where it lacks the key `needed`, which it may lack even then."""
        ...


@dataclass(frozen=True)
class KeyRing:
    """Master keys by id; the one in use wraps and signs, all of them open and verify.

    While keys rotate `latest` is known and not yet in use (`active`, 0 for the latest): decision 17.
    """

    keys: Mapping[int, bytes]
    active: int = 0

    def __post_init__(self) -> None:
        if not self.keys or any(len(key) != 32 or not 0 < number < 256 for number, key in self.keys.items()):
            raise KeyProblem(why="a key file holds keys of 32 octets with ids from 1 to 255")
        if self.active and self.active not in self.keys:
            raise KeyProblem(why="the key file does not hold the key that it says is in use")

    def __repr__(self) -> str:
        return f"KeyRing(ids={sorted(self.keys)}, in_use={self.newest})"

    def current(self, needed: int = 0) -> "KeyRing":
        """Itself, whatever is needed: a ring that stands still."""
        return self

    @property
    def newest(self) -> int:
        """The newest key in use."""
        return self.active or self.latest

    @property
    def latest(self) -> int:
        """The newest key known."""
        return max(self.keys)

    def derive(self, use: Use, key_id: int | None = None) -> bytes:
        """The 32-octet key of one use. Raises: KeyProblem for an id that the key file does not hold."""
        number = self.newest if key_id is None else key_id
        if number not in self.keys:
            raise KeyProblem(why="unknown key id", key_id=number)
        return _derive(self.keys[number], use)


class PinnedKeys:
    """The ring as it was first seen: the key in use stays, and keys that it lacks are added once they are needed."""

    __slots__ = ("_keys", "_ring")

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._ring: KeyRing | None = None

    def current(self, needed: int = 0) -> KeyRing:
        """The ring first seen; with what has come since then where it lacks the key `needed`."""
        ring = self._ring
        if ring is None:
            ring = self._ring = self._keys.current(needed)
        if needed and needed not in ring.keys:
            live = self._keys.current(needed)
            if needed in live.keys:
                ring = self._ring = KeyRing({**live.keys, **ring.keys}, ring.newest)
        return ring


@cache
def _derive(master: bytes, use: Use) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"mailer/{use}".encode()).derive(master)


def layers(ring: KeyRing, value: bytes, version: int) -> list[bytes]:
    """A value under each key newer than `version`, one over the other, oldest first."""
    found = []
    for number in sorted(ring.keys):
        if number > version:
            value = hmac.digest(ring.derive(Use.FINGERPRINT, number), value, "sha256")
            found.append(value)
    return found


def layer(ring: KeyRing, value: bytes, version: int, to: int) -> bytes:
    """The same, up to the key `to` alone."""
    for number in sorted(ring.keys):
        if version < number <= to:
            value = hmac.digest(ring.derive(Use.FINGERPRINT, number), value, "sha256")
    return value
