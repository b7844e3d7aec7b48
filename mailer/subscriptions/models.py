"""Tables of single-use links, limits, stops that wait, and goodbyes that may still be undone."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mailer.audience.models import MODES
from mailer.db import Model, personal


class SingleUseLink(Model):
    """A random 128-bit token, single use: kept hashed, with no link to a person once used or expired (decision 18).

    The raw token lies sealed in the message that carries it, until that is accepted.
    """

    __tablename__ = "single_use_link"
    __table_args__ = (
        CheckConstraint("purpose IN ('confirm', 'fresh', 'start', 'address', 'press')", name="purpose"),
        CheckConstraint("outcome IN ('open', 'used', 'expired', 'withdrawn')", name="outcome"),
        CheckConstraint("outcome = 'open' OR num_nonnulls(pending_request_id, contact_point_id, address_change_id, "
                        "friend_request_id) = 0", name="closed_names_nobody"),
        Index(None, "pending_request_id"),
        Index(None, "contact_point_id"),
        Index(None, "address_change_id"),
        Index(None, "friend_request_id"),
        Index(None, "day"),
    )

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    day: Mapped[date]
    outcome: Mapped[str] = mapped_column(default="open")
    expires_at: Mapped[datetime]
    pending_request_id: Mapped[int | None] = mapped_column(
        ForeignKey("pending_request.id", ondelete="SET NULL"), info=personal("link to a request", erase="set null"))
    contact_point_id: Mapped[int | None] = mapped_column(
        ForeignKey("contact_point.id", ondelete="SET NULL"), info=personal("link to a person", erase="set null"))
    address_change_id: Mapped[int | None] = mapped_column(
        ForeignKey("address_change.id", ondelete="SET NULL"), info=personal("link to a request", erase="set null"))
    friend_request_id: Mapped[int | None] = mapped_column(
        ForeignKey("friend_request.id", ondelete="SET NULL"), info=personal("link to a request", erase="set null"))


class FreshAccess(Model):
    """A page opened by a fresh link: its random token stands in the path and is kept hashed for 30 minutes.

    `channel` is the one by which the link came: it opens that alone, until another confirmed channel is pressed too
    (decision 23).
    """

    __tablename__ = "fresh_access"
    __table_args__ = (Index(None, "contact_point_id"), Index(None, "expires_at"))

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    contact_point_id: Mapped[int] = mapped_column(
        ForeignKey("contact_point.id", ondelete="CASCADE"), info=personal("link to a person", erase="delete row"))
    channel: Mapped[str]
    whole: Mapped[bool] = mapped_column(default=True)
    expires_at: Mapped[datetime]


class AddressChange(Model):
    """A new address that its mailbox has to confirm, and for 7 days after that the old one, to go back to.

    Both are sealed as the contact point's own address is, so that they move there and back unopened.
    """

    __tablename__ = "address_change"
    __table_args__ = (
        CheckConstraint("state IN ('asked', 'done', 'undone', 'withdrawn')", name="state"),
        CheckConstraint(MODES, name="mode"),
        Index(None, "contact_point_id"),
        # Whoever is erased is looked for here too, as an address that somebody else named.
        Index(None, "new_fingerprint"),
        Index(None, "old_fingerprint"),
        Index(None, "expires_at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    contact_point_id: Mapped[int] = mapped_column(
        ForeignKey("contact_point.id", ondelete="CASCADE"), info=personal("link to a person", erase="delete row"))
    state: Mapped[str] = mapped_column(default="asked")
    mode: Mapped[str]
    source: Mapped[str]
    """How it was asked for: by the person, or by staff at the desk."""
    sealed_new: Mapped[bytes | None] = mapped_column(info=personal("address", erase="delete row"))
    sealed_old: Mapped[bytes | None] = mapped_column(info=personal("address", erase="delete row"))
    new_fingerprint: Mapped[bytes] = mapped_column(info=personal("address fingerprint", erase="delete row"))
    old_fingerprint: Mapped[bytes] = mapped_column(info=personal("address fingerprint", erase="delete row"))
    fingerprint_version: Mapped[int] = mapped_column(SmallInteger)
    new_domain_hash: Mapped[bytes] = mapped_column(info=personal("mail domain, keyed hash", erase="delete row"))
    old_domain_hash: Mapped[bytes] = mapped_column(info=personal("mail domain, keyed hash", erase="delete row"))
    asked_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    """Until when the new mailbox may confirm, then until when the old one may undo."""


class MergedPoint(Model):
    """A contact point that became part of another: links in its old messages go on working there."""

    __tablename__ = "merged_point"
    __table_args__ = (Index(None, "into_id"),)

    gone_id: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, info=personal("former number of a contact point", erase="delete row"))
    into_id: Mapped[int] = mapped_column(
        ForeignKey("contact_point.id", ondelete="CASCADE"), info=personal("link to a person", erase="delete row"))


class Limit(Model):
    """How often something was asked on a day, by keyed hash alone; deleted after 31 days."""

    __tablename__ = "limit_count"
    __table_args__ = (Index(None, "day"),)

    bucket: Mapped[bytes] = mapped_column(primary_key=True, info=personal("keyed hash", erase="expires after 31 days"))
    kind: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    n: Mapped[int]
    last_at: Mapped[datetime]


class Goodbye(Model):
    """What one leaving ended, so that its undo grants again exactly that; deleted when its time is over."""

    __tablename__ = "goodbye"
    __table_args__ = (Index(None, "undo_until"), Index(None, "contact_point_id"))

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    contact_point_id: Mapped[int] = mapped_column(
        ForeignKey("contact_point.id", ondelete="CASCADE"), info=personal("link to a person", erase="delete row"))
    at: Mapped[datetime]
    undo_until: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    ended: Mapped[dict[str, Any]] = mapped_column(JSONB)


class DelayedStop(Model):
    """A stop typed by a network that typed many: it takes effect when due, at most 24 hours later (decision 22)."""

    __tablename__ = "delayed_stop"
    __table_args__ = (Index(None, "due_at"),)

    channel: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(
        primary_key=True, info=personal("address fingerprint", erase="expires within 24 hours"))
    fingerprint_version: Mapped[int] = mapped_column(SmallInteger)
    due_at: Mapped[datetime]


class LeaveReason(Model):
    """Why people left, counted by month and never kept with an address."""

    __tablename__ = "leave_reason"

    month: Mapped[date] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int]
