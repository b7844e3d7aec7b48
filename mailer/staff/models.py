"""Tables of staff."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Model, personal

ROLES = "role IN ('composer', 'sender', 'list_manager', 'privacy_officer', 'admin', 'auditor')"


class Staff(Model):
    """One member of staff; e-mail and name are sealed under the staff key."""

    __tablename__ = "staff"
    __table_args__ = (
        CheckConstraint("state IN ('invited', 'active', 'removed')", name="state"),
        UniqueConstraint("email_fingerprint"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    state: Mapped[str]
    email_fingerprint: Mapped[bytes] = mapped_column(info=personal("staff e-mail fingerprint", erase="overwrite"))
    sealed_email: Mapped[bytes] = mapped_column(info=personal("staff e-mail", erase="overwrite"))
    sealed_name: Mapped[bytes] = mapped_column(info=personal("staff name", erase="overwrite"))
    password_hash: Mapped[str | None] = mapped_column(info=personal("password, argon2id", erase="set null"))
    sealed_totp: Mapped[bytes | None] = mapped_column(info=personal("second factor", erase="set null"))
    totp_confirmed: Mapped[bool] = mapped_column(default=False)
    totp_last_step: Mapped[int] = mapped_column(default=0)
    email_verified: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    failed_tries: Mapped[int] = mapped_column(default=0)
    wait_until: Mapped[datetime | None]


class StaffRole(Model):
    """A role a member of staff holds."""

    __tablename__ = "staff_role"
    __table_args__ = (CheckConstraint(ROLES, name="role"),)

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True, autoincrement=False)
    role: Mapped[str] = mapped_column(primary_key=True)


class StaffSession(Model):
    """A signed-in browser: the token is kept hashed."""

    __tablename__ = "staff_session"
    __table_args__ = (Index(None, "staff_id"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    hash: Mapped[bytes] = mapped_column(unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    browser: Mapped[str]
    second_factor: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class StaffLink(Model):
    """A one-time link: the start link, an invitation, or a way in from the command line."""

    __tablename__ = "staff_link"
    __table_args__ = (CheckConstraint("purpose IN ('start', 'invitation', 'sign_in')", name="purpose"),)

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RecoveryCode(Model):
    """A code that stands in for the second factor, once; kept hashed."""

    __tablename__ = "recovery_code"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(primary_key=True)
    used_at: Mapped[datetime | None]


class Reveal(Model):
    """A look at a sealed address: who, whose, why; counted against 50 a day (decision 30), kept 1 year."""

    __tablename__ = "reveal"
    __table_args__ = (Index(None, "staff_id", "at"), Index(None, "contact_point_id"))

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    contact_point_id: Mapped[int] = mapped_column(info=personal("link to a person", erase="set to 0"))
    reason: Mapped[str]
    at: Mapped[datetime]
