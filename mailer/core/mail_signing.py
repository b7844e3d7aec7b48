"""The port of whoever signs mail in a domain's name (RFC 6376)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Algorithm(StrEnum):
    """What a key signs with: rsa-sha256 (RFC 6376 §3.3) or ed25519-sha256 (RFC 8463)."""

    RSA = "rsa"
    ED25519 = "ed25519"


@dataclass(frozen=True, repr=False)
class SigningKey:
    """A key in the hand that signs; `private` is PKCS #8 in DER and is never printed."""

    domain: str
    selector: str
    algorithm: Algorithm
    private: bytes

    def __repr__(self) -> str:
        return f"SigningKey({self.selector}._domainkey.{self.domain})"


class MailSigner(Protocol):
    """Signs for one domain, with every key of it that is in use."""

    def sign(self, message: bytes) -> bytes:
        """The header lines, CRLF at their ends, to put in front of a finished message."""


class MailSigners(Protocol):
    """Finds who signs for a sender."""

    def ready(self) -> None:
        """Make sure that the keys are known; asked before anything is claimed.

        Raises: CannotSend when a key does not open.
        """

    def of(self, address: str) -> MailSigner | None:
        """The signer for the domain of a From address, or None where it has no key in use.

        Cheap, but not for every message: ask once a slice, so that a rotation takes effect while mail flows.
        Raises: CannotSend when `ready` would.
        """
