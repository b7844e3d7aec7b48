"""Tables of the organisation."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Identity, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Model


class Instance(Model):
    """This installation, one row: its identity, and the shift of its clock where one was asked for."""

    __tablename__ = "instance"
    __table_args__ = (CheckConstraint("one = 1", name="single"),)

    one: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    id: Mapped[UUID]
    created_at: Mapped[datetime]
    clock_shift_seconds: Mapped[int | None]
    key_required: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")
    """The master key that every process must know: the stop list is written under it or a newer one (decision 17)."""
    key_settled: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")
    """The key under which, or a newer one, every entry of the stop list lies by now."""
    key_check: Mapped[bytes | None]
    """By this a key file shows that its required key is the same key."""
    keys_archived_at: Mapped[datetime | None]
    """When the archive of person keys was last replaced."""


class Organisation(Model):
    """Who writes to people, one row; empty until first run or `mailer seed`."""

    __tablename__ = "organisation"
    __table_args__ = (
        CheckConstraint("one = 1", name="single"),
        CheckConstraint("mode IN ('practice', 'trial', 'live')", name="mode"),
    )

    one: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    name: Mapped[str] = mapped_column(default="")
    postal_address: Mapped[str] = mapped_column(default="")
    help_email: Mapped[str] = mapped_column(default="")
    public_url: Mapped[str] = mapped_column(default="")
    time_zone: Mapped[str] = mapped_column(default="UTC")
    mode: Mapped[str] = mapped_column(default="practice")
    last_test_at: Mapped[datetime | None]
    pack: Mapped[str] = mapped_column(default="strictest", server_default="strictest")
    escalation: Mapped[str] = mapped_column(default="", server_default="")
    """Whom people may turn to when we do not answer; empty names the data protection authority."""


class Sender(Model):
    """A mailbox of the organisation's own that campaigns come from."""

    __tablename__ = "sender"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    address: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False)
    archived: Mapped[bool] = mapped_column(default=False)


class DkimKey(Model):
    """A key that signs our mail (RFC 6376, RFC 8463); the private half is sealed and never shown."""

    __tablename__ = "dkim_key"
    __table_args__ = (
        CheckConstraint("algorithm IN ('rsa', 'ed25519')", name="algorithm"),
        CheckConstraint("state IN ('new', 'active', 'retired')", name="state"),
        UniqueConstraint("domain", "selector"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    domain: Mapped[str]
    selector: Mapped[str]
    algorithm: Mapped[str]
    public_key: Mapped[bytes]
    sealed: Mapped[bytes]
    state: Mapped[str] = mapped_column(server_default="new")
    created_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]
