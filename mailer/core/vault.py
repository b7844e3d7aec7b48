"""Keys and what they do: wrapping a person's key, sealing a field, fingerprinting an address.

One master key, one derived key a use (HKDF-SHA-256, RFC 5869); AES-256-GCM with the table, row and field as
associated data, so a sealed value moved elsewhere does not open.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mailer.core.errors import KeyProblem
from mailer.core.keyring import KeyRing as KeyRing
from mailer.core.keyring import Keys as Keys
from mailer.core.keyring import PinnedKeys, layer, layers
from mailer.core.keyring import Use as Use
from mailer.core.tokens import Tokens

NONCE = 12
_BODY: Final = 1 + NONCE
_DOES_NOT_OPEN: Final = (InvalidTag, ValueError, LookupError)


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

    def __init__(self, keys: Keys, tokens: Tokens) -> None:
        self._keys = keys
        self._tokens = tokens

    def pinned(self) -> "Sealer":
        """The same for one unit of work: what it makes and the version that it tells are of one key ring."""
        return Sealer(PinnedKeys(self._keys), self._tokens)

    @property
    def _ring(self) -> KeyRing:
        return self._keys.current()

    def new_key(self, *, person: int) -> "SealingKey":
        """A fresh key for one person or pending request, wrapped by the master key."""
        key = self._tokens.random_bytes(32)
        return SealingKey(key, self._wrap(key, person), self._tokens)

    def key_of(self, wrapped: bytes, *, person: int) -> "SealingKey":
        """The key of a person we already hold, to seal one more field."""
        return SealingKey(_unwrap(self._keys.current(wrapped[0]), wrapped, person), wrapped, self._tokens)

    def wrap_again(self, wrapped: bytes, *, person: int) -> bytes:
        """The same key, wrapped by the master key in use. Raises: KeyProblem when it does not unwrap."""
        return self._wrap(_unwrap(self._keys.current(wrapped[0]), wrapped, person), person)

    def seal_shared_again(self, use: Use, sealed: bytes, *, table: str, row: object, field: str) -> bytes:
        """What is sealed under an instance key, sealed under the one in use. Raises: KeyProblem."""
        ring = self._keys.current(sealed[0])
        plain = _decrypt(ring.derive(use, sealed[0]), sealed[1:], _aad(table, row, field))
        return self.seal_shared(use, plain, table=table, row=row, field=field)

    def _wrap(self, key: bytes, person: int) -> bytes:
        ring, nonce = self._ring, self._tokens.random_bytes(NONCE)
        wrapped = AESGCM(ring.derive(Use.WRAP)).encrypt(nonce, key, _aad("vault", person, "key"))
        return bytes([ring.newest]) + nonce + wrapped

    def seal_shared(self, use: Use, plain: bytes, *, table: str, row: object, field: str) -> bytes:
        """Seal under the instance's own key of that use (staff, outbox, raw tokens)."""
        ring, nonce = self._ring, self._tokens.random_bytes(NONCE)
        return bytes([ring.newest]) + nonce + AESGCM(ring.derive(use)).encrypt(nonce, plain, _aad(table, row, field))

    def fingerprint(self, channel: str, identity: str, version: int | None = None) -> bytes:
        """The keyed hash by which an address is found: 32 octets, layered over the keys (decision 17).

        Each later master key adds one HMAC layer over the one before, so entries without plaintext rotate too.
        Raises: KeyProblem for a version whose key the key file does not hold.
        """
        ring = self._keys.current(version or 0)
        to = ring.newest if version is None else version
        if to not in ring.keys:
            raise KeyProblem(why="unknown key id", key_id=to)
        return layer(ring, f"{channel}\x00{identity}".encode(), 0, to)

    def fingerprints(self, channel: str, identity: str) -> list[bytes]:
        """Every version of an address's fingerprint, newest first: look-ups try them all during a rotation."""
        return layers(self._ring, f"{channel}\x00{identity}".encode(), 0)[::-1]

    @property
    def fingerprint_version(self) -> int:
        """The version of what `fingerprint` makes."""
        return self._ring.newest

    @property
    def known_version(self) -> int:
        """The newest version that this process can make by adding layers."""
        return self._ring.latest

    def knows_version(self, version: int) -> bool:
        """Whether the key file holds this key; it is read again where it does not."""
        return version in self._keys.current(version).keys

    def key_check(self, version: int) -> bytes:
        """Eight octets by which two key files show that they mean the same key. Raises: KeyProblem."""
        return hmac.digest(self._keys.current(version).derive(Use.CHECK, version), b"check", "sha256")[:8]

    def layer_up(self, fingerprint: bytes, version: int, to: int | None = None) -> bytes:
        """A fingerprint of an older version under a newer key, the one in use unless said.

        Raises: KeyProblem when the key file lacks one of them, or the fingerprint is of a newer key than that.
        """
        ring = self._keys.current(max(version, to or 0))
        target = ring.newest if to is None else to
        if version not in ring.keys or target not in ring.keys:
            raise KeyProblem(why="unknown key id", key_id=version if version not in ring.keys else target)
        if version > target:
            raise KeyProblem(why="a fingerprint never goes back to an older key", key_id=version)
        return layer(ring, fingerprint, version, target)

    def above(self, fingerprint: bytes, version: int | None = None) -> list[bytes]:
        """What a fingerprint is under each newer key; of one whose version is unknown (None), all that may be."""
        ring = self._ring
        oldest = version if version is not None else min(ring.keys)
        starts = [oldest] if version is not None else sorted(ring.keys)[:-1]
        found = [each for start in starts for each in layers(ring, fingerprint, start)]
        return list(dict.fromkeys(found))

    def with_newer(self, fingerprints: Iterable[bytes]) -> list[bytes]:
        """Fingerprints of whatever version, and what each would be under newer keys: what a look-up must try."""
        return [each for one in fingerprints for each in (one, *self.above(one))]

    def domain_hash(self, domain: str) -> bytes:
        """Eight octets that stand for a mail domain: the lane key (decision 12)."""
        ring = self._ring
        return hmac.digest(ring.derive(Use.FINGERPRINT, min(ring.keys)), b"domain\x00" + domain.encode(),
                           "sha256")[:8]

    def bucket(self, kind: str, value: str) -> bytes:
        """A keyed hash for limits only: 16 octets that cannot be turned back. The first key's, whatever rotates."""
        ring = self._ring
        return hmac.digest(ring.derive(Use.LIMIT, min(ring.keys)), f"{kind}\x00{value}".encode(), "sha256")[:16]

    def code_hashes(self, code: str) -> list[bytes]:
        """How a code that people type is kept, under each key, newest first: new ones take the first."""
        return [hmac.digest(self._ring.derive(Use.CODE, number), code.encode(), "sha256")
                for number in sorted(self._ring.keys, reverse=True)]

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

    @property
    def public_keys(self) -> list[bytes]:
        """The same of every key that we hold, the newest first: what an older key signed is still checked by it."""
        return [Ed25519PrivateKey.from_private_bytes(self._ring.derive(Use.SIGNATURE, number)).public_key()
                .public_bytes_raw() for number in sorted(self._ring.keys, reverse=True)]


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

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self.openings = 0

    def unwrap(self, wrapped: bytes, *, person: int) -> bytes:
        return _unwrap(self._keys.current(wrapped[0]), wrapped, person)

    def open(self, key: bytes, sealed: bytes, *, table: str, row: object, field: str) -> str:
        """The plain text. Raises: KeyProblem when the value was moved, cut or sealed by another key."""
        self.openings += 1
        return _decrypt(key, sealed, _aad(table, row, field)).decode()

    def unwrap_many(self, wrapped: Iterable[tuple[int, bytes | None]]) -> list[AESGCM | None]:
        """The keys of persons by number, ready to open; None in the place of one that does not unwrap."""
        asked = list(wrapped)
        ring = self._keys.current(max((key[0] for _, key in asked if key), default=0))
        unwrap = {number: AESGCM(ring.derive(Use.WRAP, number)).decrypt for number in ring.keys}
        keys: list[AESGCM | None] = []
        for person, key in asked:
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
        return _decrypt(self._keys.current(sealed[0]).derive(use, sealed[0]), sealed[1:], _aad(table, row, field))


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
