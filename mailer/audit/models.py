"""Tables of the audit trail and its chain."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Model


class AuditEntry(Model):
    """One act of one member of staff, the operator or the system; the database refuses UPDATE and DELETE."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "about"), Index(None, "actor", "seq"))

    seq: Mapped[int] = mapped_column(Identity(), primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    act: Mapped[str]
    about: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)


class AuditSeal(Model):
    """The chain: entry `seq` is link `number`, `hash` covers it and the link before (SHA-256)."""

    __tablename__ = "audit_seal"
    __table_args__ = (UniqueConstraint("seq"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(ForeignKey("audit_entry.seq"))
    hash: Mapped[bytes]


class AuditHead(Model):
    """The chain's head after a batch, signed (Ed25519)."""

    __tablename__ = "audit_head"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes]
    signature: Mapped[bytes]
    at: Mapped[datetime]
