"""Tables of the ledger, its chain, and the projection the gate reads."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mailer.audience.models import CHANNELS, MODES
from mailer.db import Model, personal

PURPOSES = "purpose IN ('own_offers', 'partner_offers_sent_by_us', 'share_with_partner', 'service')"
ACTS = "act IN ('granted', 'refused', 'ended', 'changed', 'objected')"


class LedgerEntry(Model):
    """One act of consent; the database refuses UPDATE, DELETE and TRUNCATE.

    `subject` is a random id without a foreign key; `sealed` opens with the person's own key alone, so erasing that
    key leaves a row that says nothing about anybody (decision 2).
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        CheckConstraint(ACTS, name="act"),
        CheckConstraint(CHANNELS, name="channel"),
        CheckConstraint(PURPOSES, name="purpose"),
        CheckConstraint(MODES, name="mode"),
        Index(None, "subject", "seq"),
    )

    seq: Mapped[int] = mapped_column(Identity(), primary_key=True)
    subject: Mapped[UUID] = mapped_column(info=personal("pseudonym", erase="unlinked: the key and the person go"))
    at: Mapped[datetime]
    act: Mapped[str]
    channel: Mapped[str]
    list_id: Mapped[int]
    topic_id: Mapped[int]
    purpose: Mapped[str]
    mode: Mapped[str]
    sealed: Mapped[bytes] = mapped_column(info=personal("evidence", erase="unreadable: the key goes"))


class LedgerSeal(Model):
    """The chain: entry `seq` is link `number`, `hash` covers it and the link before (SHA-256)."""

    __tablename__ = "ledger_seal"
    __table_args__ = (UniqueConstraint("seq"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(ForeignKey("ledger_entry.seq"))
    hash: Mapped[bytes]


class LedgerHead(Model):
    """The chain's head after a batch, signed (Ed25519) and also written to the exits file."""

    __tablename__ = "ledger_head"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes]
    signature: Mapped[bytes]
    at: Mapped[datetime]


class Standing(Model):
    """What stands now for (contact point, list, topic, purpose): made from the ledger, deleted by erasure.

    A consent to partner offers stands for the list: its topic is 0.
    """

    __tablename__ = "standing"
    __table_args__ = (
        CheckConstraint("state IN ('live', 'refused', 'ended')", name="state"),
        CheckConstraint(PURPOSES, name="purpose"),
        CheckConstraint(MODES, name="mode"),
        Index(None, "list_id", "topic_id", "contact_point_id"),
    )

    contact_point_id: Mapped[int] = mapped_column(
        ForeignKey("contact_point.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    list_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    topic_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    mode: Mapped[str]
    since: Mapped[datetime]
    seq: Mapped[int]
