"""Keys of a domain, and an independent verifier (dkimpy) with a DNS of our own."""

import base64
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import Message

import dkim
import nacl.exceptions
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from mailer.channels.email.dkim import DkimSigner
from mailer.core.mail_signing import Algorithm, SigningKey

DOMAIN = "cadenza.example.org"
RSA, ED25519 = Algorithm.RSA, Algorithm.ED25519
_PRIVATE = {RSA: generate_private_key(65537, 2048), ED25519: Ed25519PrivateKey.generate()}
PEM = _PRIVATE[RSA].private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
_PUBLIC = {
    RSA: _PRIVATE[RSA].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ED25519: _PRIVATE[ED25519].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)}
DNS = {f"s-{kind}._domainkey.{DOMAIN}.".encode(): f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}".encode()
       for kind, public in _PUBLIC.items()}


class LongAgo:
    """A clock before every verifier's, so that no signature comes from the future."""

    def now(self) -> datetime:
        return datetime(2024, 2, 29, 12, tzinfo=UTC)


def key(kind: Algorithm) -> SigningKey:
    return SigningKey(DOMAIN, f"s-{kind}", kind,
                      _PRIVATE[kind].private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def signer(*kinds: Algorithm) -> DkimSigner:
    return DkimSigner([key(kind) for kind in kinds], LongAgo())


def signed(message: bytes, *kinds: Algorithm) -> bytes:
    return signer(*kinds).sign(message) + message


def passes(message: bytes, dns: dict[bytes, bytes] = DNS) -> bool:
    """Whether every signature of a message is right, by dkimpy, and there is one at all."""
    count = message.lower().count(b"\ndkim-signature:") + message.lower().startswith(b"dkim-signature:")
    verifier = dkim.DKIM(message)
    try:
        return count > 0 and all(
            verifier.verify(place, dnsfunc=lambda name, timeout=5: dns.get(name)) for place in range(count))
    except (dkim.DKIMException, nacl.exceptions.CryptoError, nacl.exceptions.ValueError):
        return False


def tags(header: bytes) -> dict[str, str]:
    """The tags of a DKIM-Signature field, without white space."""
    value = header.partition(b":")[2].decode()
    return {name.strip(): "".join(text.split()) for name, _, text in (tag.partition("=") for tag in value.split(";"))}


def defects(message: bytes) -> list[object]:
    """What the standard parser finds wrong anywhere in a message."""
    read: Message = message_from_bytes(message, policy=policy.default)
    return [defect for part in read.walk() for defect in part.defects] + [
        defect for part in read.walk() for value in part.values() for defect in getattr(value, "defects", ())]
