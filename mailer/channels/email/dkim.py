"""DKIM signatures over relaxed headers and bodies (RFC 6376, RFC 8463).

What is the same for every message of a kind is laid out once; what is left is two hashes and the signature.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from hashlib import sha256
from operator import itemgetter
from typing import Final, NamedTuple, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key

from mailer.core.clock import Clock
from mailer.core.mail_signing import Algorithm, SigningKey

OVERSIGNED: Final = (
    b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"mime-version", b"content-type",
    b"list-unsubscribe", b"list-unsubscribe-post",
)
"""Named once more than they are there, so that none can be added (RFC 6376 §5.4.2, §8.15; RFC 8058 §4)."""

SIGNED_IF_THERE: Final = (
    b"content-transfer-encoding", b"content-language", b"list-id", b"list-help", b"list-owner", b"list-post",
    b"feedback-id", b"auto-submitted", b"precedence", b"in-reply-to", b"references", b"cc", b"sender",
)

KINDS_KEPT: Final = 64
"""Sets of header names that are laid out at a time."""

_WIDTH: Final = 72
_NAMES_A_LINE: Final = 3


class _Frame(NamedTuple):
    """A signature's own header around what differs: time, body hash and signature; as sent, and as hashed."""

    before: bytes
    after: bytes
    hashed_before: bytes
    hashed_after: bytes
    make: Callable[[bytes], bytes]


class _Kind(NamedTuple):
    """A message with a certain set of headers: which are signed, in order, and the signatures' frames."""

    pick: Callable[[Sequence[bytes]], Sequence[bytes]]
    frames: Sequence[_Frame]


class DkimSigner:
    """Signs for one domain, once with each key."""

    def __init__(self, keys: Sequence[SigningKey], clock: Clock) -> None:
        self._keys = [(key, _signature_of(key)) for key in keys]
        self._clock = clock
        self._kinds: dict[tuple[bytes, ...], _Kind] = {}

    def sign(self, message: bytes) -> bytes:
        """The DKIM-Signature header of each key, to put in front of a message whose lines all end in CR LF."""
        end = message.find(b"\r\n\r\n")
        names, fields = canonical_head(message if end < 0 else message[:end])
        body = b64encode(_body_hash(message, len(message) if end < 0 else end + 4))
        kind = self._kinds.get(names) or self._lay_out(names)
        signed = sha256(b"".join(kind.pick(fields)))
        at = b"%d" % self._clock.now().timestamp()
        headers = []
        for frame in kind.frames:
            whole = signed.copy()
            whole.update(frame.hashed_before + at + frame.hashed_after + body + b"; b=")
            signature = frame.make(whole.digest())
            headers += [frame.before, at, frame.after, body, b";\r\n b=", signature, b"\r\n"]
        return b"".join(headers)

    def _lay_out(self, names: tuple[bytes, ...]) -> _Kind:
        if len(self._kinds) >= KINDS_KEPT:
            self._kinds.clear()
        wanted, places = _selection(names)
        kind = _Kind(_picker(places), [_frame(key, wanted, make) for key, make in self._keys])
        self._kinds[names] = kind
        return kind


def canonical_head(head: bytes) -> tuple[tuple[bytes, ...], list[bytes]]:
    """Header names in small letters, and each field with its CRLF in relaxed form (RFC 6376 §3.4.2)."""
    text = _single_blanks(head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" "))
    names, fields = [], []
    for line in text.removesuffix(b"\r\n").split(b"\r\n"):
        name, _, value = line.partition(b":")
        name = name.rstrip(b" ").lower()
        names.append(name)
        fields.append(name + b":" + value.strip(b" ") + b"\r\n")
    return tuple(names), fields


def canonical_body(body: bytes) -> bytes:
    """The body in relaxed form (RFC 6376 §3.4.4)."""
    text = _single_blanks(body).replace(b" \r\n", b"\r\n").rstrip(b" ").rstrip(b"\r\n")
    return text + b"\r\n" if text else b""


def _body_hash(message: bytes, start: int) -> bytes:
    is_canonical = (
        message.find(b"\t", start) < 0 and message.find(b"  ", start) < 0 and message.find(b" \r\n", start) < 0
        and message.endswith(b"\r\n") and not message.endswith(b"\r\n\r\n"))
    if is_canonical:
        # Quoted-printable as we write it is nearly always so, and needs no copy.
        return sha256(memoryview(message)[start:]).digest()
    return sha256(canonical_body(message[start:])).digest()


def _single_blanks(text: bytes) -> bytes:
    if b"\t" in text:
        text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def _selection(names: tuple[bytes, ...]) -> tuple[list[bytes], list[int]]:
    """What h= names, and where those fields stand, the lowest of a name first (RFC 6376 §5.4.2)."""
    wanted, places = [], []
    for name in (*OVERSIGNED, *SIGNED_IF_THERE):
        found = [place for place in range(len(names) - 1, -1, -1) if names[place] == name]
        wanted += [name] * (len(found) + (name in OVERSIGNED))
        places += found
    return wanted, places


def _picker(places: list[int]) -> Callable[[Sequence[bytes]], Sequence[bytes]]:
    if len(places) < 2:
        return lambda fields: [fields[place] for place in places]
    return cast(Callable[[Sequence[bytes]], Sequence[bytes]], itemgetter(*places))


def _frame(key: SigningKey, wanted: list[bytes], make: Callable[[bytes], bytes]) -> _Frame:
    rows = [b":".join(wanted[start:start + _NAMES_A_LINE]) for start in range(0, len(wanted), _NAMES_A_LINE)]
    before = f"v=1; a={key.algorithm}-sha256; c=relaxed/relaxed;\r\n d={key.domain}; s={key.selector};\r\n t=".encode()
    after = b";\r\n h=" + b":\r\n  ".join(rows) + b";\r\n bh="
    return _Frame(b"DKIM-Signature: " + before, after, b"dkim-signature:" + _unfolded(before), _unfolded(after), make)


def _unfolded(part: bytes) -> bytes:
    return _single_blanks(part.replace(b"\r\n", b""))


def _signature_of(key: SigningKey) -> Callable[[bytes], bytes]:
    """A hash's signature in base64, folded."""
    private = load_der_private_key(key.private, password=None)
    if key.algorithm is Algorithm.ED25519:
        edwards = cast(Ed25519PrivateKey, private)
        return lambda digest: _folded(edwards.sign(digest))
    rsa, padding, hashed = cast(RSAPrivateKey, private), PKCS1v15(), Prehashed(SHA256())
    return lambda digest: _folded(rsa.sign(digest, padding, hashed))


def _folded(signature: bytes) -> bytes:
    text = b64encode(signature)
    return b"\r\n  ".join([text[start:start + _WIDTH] for start in range(0, len(text), _WIDTH)])
