"""Keys and what they do: wrapping a person's key, sealing a field, fingerprinting an address.

One master key, one derived key a use (HKDF-SHA-256, RFC 5869); AES-256-GCM with the table, row and field as
associated data, so a sealed value moved elsewhere does not open.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mailer.core.errors import KeyProblem
from mailer.core.tokens import Tokens

NONCE = 12
_BODY: Final = 1 + NONCE
_DOES_NOT_OPEN: Final = (InvalidTag, ValueError, LookupError)


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


@dataclass(frozen=True)
class KeyRing:
    """Master keys by id; the newest wraps and signs, all of them open and verify."""

    keys: Mapping[int, bytes]

    def __post_init__(self) -> None:
        if not self.keys or any(len(key) != 32 or not 0 < number < 256 for number, key in self.keys.items()):
            raise KeyProblem(why="a key file holds keys of 32 octets with ids from 1 to 255")

    def __repr__(self) -> str:
        return f"KeyRing(ids={sorted(self.keys)})"

    @property
    def newest(self) -> int:
        return max(self.keys)

    def derive(self, use: Use, key_id: int | None = None) -> bytes:
        """The 32-octet key of one use. Raises: KeyProblem for an id that the key file does not hold."""
        number = self.newest if key_id is None else key_id
        if number not in self.keys:
            raise KeyProblem(why="unknown key id", key_id=number)
        return _derive(self.keys[number], use)


@cache
def _derive(master: bytes, use: Use) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"mailer/{use}".encode()).derive(master)


def _aad(table: str, row: object, field: str) -> bytes:
    return f"{table}\x00{row}\x00{field}".encode()


class Opener(Protocol):
    """The power to open what is sealed; a Context never holds it."""

    def unwrap(self, wrapped: bytes, *, person: int) -> bytes: ...

    def open(self, key: bytes, sealed: bytes, *, table: str, row: object, field: str) -> str: ...

    def unwrap_many(self, wrapped: Iterable[tuple[int, bytes | None]]) -> list[AESGCM | None]: ...

    def open_many(self, rows: Iterable[tuple[AESGCM | None, int, bytes | None]], *, table: str, field: str
                  ) -> list[str | None]: ...

    def open_shared(self, use: Use, sealed: bytes, *, table: str, row: object, field: str) -> bytes: ...


class Sealer:
    """Seals, fingerprints and signs; cannot open."""

    def __init__(self, ring: KeyRing, tokens: Tokens) -> None:
        self._ring = ring
        self._tokens = tokens

    def new_key(self, *, person: int) -> "SealingKey":
        """A fresh key for one person or pending request, wrapped by the master key."""
        key = self._tokens.random_bytes(32)
        nonce = self._tokens.random_bytes(NONCE)
        number = self._ring.newest
        wrapped = AESGCM(self._ring.derive(Use.WRAP)).encrypt(nonce, key, _aad("vault", person, "key"))
        return SealingKey(key, bytes([number]) + nonce + wrapped, self._tokens)

    def key_of(self, wrapped: bytes, *, person: int) -> "SealingKey":
        """The key of a person we already hold, to seal one more field."""
        return SealingKey(_unwrap(self._ring, wrapped, person), wrapped, self._tokens)

    def seal_shared(self, use: Use, plain: bytes, *, table: str, row: object, field: str) -> bytes:
        """Seal under the instance's own key of that use (staff, outbox, raw tokens)."""
        number = self._ring.newest
        nonce = self._tokens.random_bytes(NONCE)
        return bytes([number]) + nonce + AESGCM(self._ring.derive(use)).encrypt(nonce, plain, _aad(table, row, field))

    def fingerprint(self, channel: str, identity: str) -> bytes:
        """The keyed hash by which an address is found: 32 octets, layered over the keys (decision 17).

        Each later master key adds one HMAC layer over the one before, so entries without plaintext rotate too.
        """
        value = f"{channel}\x00{identity}".encode()
        for number in sorted(self._ring.keys):
            value = hmac.digest(self._ring.derive(Use.FINGERPRINT, number), value, "sha256")
        return value

    def fingerprints(self, channel: str, identity: str) -> list[bytes]:
        """Every version of an address's fingerprint, newest first: look-ups try them all during a rotation."""
        value, layers = f"{channel}\x00{identity}".encode(), []
        for number in sorted(self._ring.keys):
            value = hmac.digest(self._ring.derive(Use.FINGERPRINT, number), value, "sha256")
            layers.append(value)
        return layers[::-1]

    @property
    def fingerprint_version(self) -> int:
        return self._ring.newest

    def domain_hash(self, domain: str) -> bytes:
        """Eight octets that stand for a mail domain: the lane key (decision 12)."""
        return hmac.digest(self._ring.derive(Use.FINGERPRINT, min(self._ring.keys)), b"domain\x00" + domain.encode(),
                           "sha256")[:8]

    def bucket(self, kind: str, value: str) -> bytes:
        """A keyed hash for limits only: 16 octets that cannot be turned back."""
        return hmac.digest(self._ring.derive(Use.LIMIT), f"{kind}\x00{value}".encode(), "sha256")[:16]

    def secret(self, use: Use) -> bytes:
        """The instance's own secret of a use that opens nothing (session cookies)."""
        if use is not Use.SESSION:
            raise KeyProblem(why="only the session secret is lent")
        return self._ring.derive(use)

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature (64 octets, RFC 8032) of ledger heads and exports."""
        return Ed25519PrivateKey.from_private_bytes(self._ring.derive(Use.SIGNATURE)).sign(message)

    def is_ours(self, message: bytes, signature: bytes) -> bool:
        """Whether one of our keys, old ones too, signed this message."""
        return any(_signed_by(self._ring.derive(Use.SIGNATURE, number), message, signature)
                   for number in self._ring.keys)

    @property
    def public_key(self) -> bytes:
        """The 32 octets with which anybody can check `sign`."""
        return Ed25519PrivateKey.from_private_bytes(self._ring.derive(Use.SIGNATURE)).public_key().public_bytes_raw()


@dataclass(frozen=True)
class SealingKey:
    """One person's key in the hand that seals: it shows its wrapped form and hides itself."""

    _key: bytes
    wrapped: bytes
    _tokens: Tokens

    def __repr__(self) -> str:
        return "SealingKey()"

    def seal(self, plain: str, *, table: str, row: object, field: str) -> bytes:
        nonce = self._tokens.random_bytes(NONCE)
        return nonce + AESGCM(self._key).encrypt(nonce, plain.encode(), _aad(table, row, field))


class VaultOpener:
    """Opens sealed fields and counts each opening."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self.openings = 0

    def unwrap(self, wrapped: bytes, *, person: int) -> bytes:
        return _unwrap(self._ring, wrapped, person)

    def open(self, key: bytes, sealed: bytes, *, table: str, row: object, field: str) -> str:
        """The plain text. Raises: KeyProblem when the value was moved, cut or sealed by another key."""
        self.openings += 1
        return _decrypt(key, sealed, _aad(table, row, field)).decode()

    def unwrap_many(self, wrapped: Iterable[tuple[int, bytes | None]]) -> list[AESGCM | None]:
        """The keys of persons by number, ready to open; None in the place of one that does not unwrap."""
        unwrap = {number: AESGCM(self._ring.derive(Use.WRAP, number)).decrypt for number in self._ring.keys}
        keys: list[AESGCM | None] = []
        for person, key in wrapped:
            try:
                keys.append(AESGCM(unwrap[key[0]](key[1:_BODY], key[_BODY:], b"vault\x00%d\x00key" % person))
                            if key else None)
            except _DOES_NOT_OPEN:
                keys.append(None)
        return keys

    def open_many(self, rows: Iterable[tuple[AESGCM | None, int, bytes | None]], *, table: str, field: str
                  ) -> list[str | None]:
        """What is sealed under these keys in rows of these numbers; None where it, or its key, does not open.

        Nothing sealed opens as an empty text.
        """
        place = f"{table}\x00%d\x00{field}".encode()
        texts: list[str | None] = []
        for key, row, sealed in rows:
            try:
                texts.append("" if sealed is None else None if key is None
                             else key.decrypt(sealed[:NONCE], sealed[NONCE:], place % row).decode())
            except _DOES_NOT_OPEN:
                texts.append(None)
        self.openings += len(texts)
        return texts

    def open_shared(self, use: Use, sealed: bytes, *, table: str, row: object, field: str) -> bytes:
        self.openings += 1
        return _decrypt(self._ring.derive(use, sealed[0]), sealed[1:], _aad(table, row, field))


def _unwrap(ring: KeyRing, wrapped: bytes, person: int) -> bytes:
    return _decrypt(ring.derive(Use.WRAP, wrapped[0]), wrapped[1:], _aad("vault", person, "key"))


def _signed_by(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PrivateKey.from_private_bytes(key).public_key().verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _decrypt(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], aad)
    except (InvalidTag, ValueError) as error:
        raise KeyProblem(why="a sealed value does not open with this key file") from error
