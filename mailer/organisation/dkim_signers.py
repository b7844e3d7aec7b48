"""Who signs for which sender at this moment: the keys in use, read again every few seconds."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from mailer.core.errors import CannotSend, InvalidAddress, KeyProblem
from mailer.core.mail_signing import MailSigner, SigningKey
from mailer.core.vault import Opener
from mailer.organisation.dkim import signing_keys
from mailer.organisation.models import DkimKey

log = logging.getLogger(__name__)

READ_EVERY = 3.0
"""Seconds after which a rotation has reached every process that sends."""


@dataclass(frozen=True)
class _Kept:
    """A domain's signer, and the numbers of the keys it was made from."""

    keys: tuple[int, ...]
    signer: MailSigner


class StoredSigners:
    """MailSigners over the table of keys; may be shared by threads."""

    def __init__(self, engine: Engine, opener: Opener, sign_with: Callable[[Sequence[SigningKey]], MailSigner],
                 domain_of: Callable[[str], str]) -> None:
        self._engine = engine
        self._opener = opener
        self._sign_with = sign_with
        self._domain_of = domain_of
        self._by_domain: dict[str, _Kept] = {}
        self._read_at = float("-inf")

    def ready(self) -> None:
        """Read the keys, unless they were read just now.

        Raises: CannotSend when a key does not open, DBAPIError; neither once keys were read: those stay in use.
        """
        if monotonic() - self._read_at <= READ_EVERY:
            return
        try:
            self._read()
        except (DBAPIError, KeyProblem) as error:
            # What goes wrong for a moment, or with a new key, is no reason to send unsigned.
            if self._read_at > float("-inf"):
                log.warning("dkim_keys_not_read", extra={"why": type(error).__name__})
            elif isinstance(error, KeyProblem):
                raise CannotSend(lacks="DKIM keys that open with this key file") from error
            else:
                raise
        self._read_at = monotonic()

    def of(self, address: str) -> MailSigner | None:
        """The signer for a From address, or None. Raises: as `ready`."""
        self.ready()
        if not self._by_domain:
            return None
        try:
            kept = self._by_domain.get(self._domain_of(address))
        except InvalidAddress:
            return None
        return kept.signer if kept else None

    def _read(self) -> None:
        with Session(self._engine) as session:
            rows = session.scalars(select(DkimKey).where(DkimKey.state == "active").order_by(DkimKey.id)).all()
        by_domain: dict[str, list[DkimKey]] = {}
        for row in rows:
            by_domain.setdefault(row.domain, []).append(row)
        self._by_domain = {domain: self._kept(domain, keys) for domain, keys in by_domain.items()}

    def _kept(self, domain: str, keys: list[DkimKey]) -> _Kept:
        numbers = tuple(key.id for key in keys)
        known = self._by_domain.get(domain)
        if known and known.keys == numbers:
            return known
        return _Kept(numbers, self._sign_with(signing_keys(keys, self._opener)))
