"""Tables of people, their contact points, and those who have only asked so far."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Model, personal

CHANNELS = "channel IN ('email', 'sms', 'postal')"
MODES = "mode IN ('practice', 'trial', 'live')"


class Person(Model):
    """Somebody who confirmed. `subject` is the random name under which the ledger knows them."""

    __tablename__ = "person"
    __table_args__ = (CheckConstraint(MODES, name="mode"), UniqueConstraint("subject"))

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    subject: Mapped[UUID] = mapped_column(info=personal("pseudonym", erase="delete row"))
    joined_on: Mapped[date]
    mode: Mapped[str]
    sample: Mapped[bool] = mapped_column(default=False)
    sealed_first_name: Mapped[bytes | None] = mapped_column(info=personal("first name", erase="delete row"))


class PersonKey(Model):
    """A person's own key, wrapped by the master key. Deleting it erases the person; backups leave this schema out."""

    __tablename__ = "person_key"
    __table_args__ = {"schema": "vault"}

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    wrapped: Mapped[bytes] = mapped_column(info=personal("key", erase="delete row"))


class ContactPoint(Model):
    """One address of one person, sealed, with the coarse open facts that lanes and segments may use."""

    __tablename__ = "contact_point"
    __table_args__ = (
        CheckConstraint(CHANNELS, name="channel"),
        CheckConstraint(MODES, name="mode"),
        UniqueConstraint("channel", "fingerprint"),
        UniqueConstraint("person_id", "channel"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    channel: Mapped[str]
    mode: Mapped[str]
    sealed: Mapped[bytes] = mapped_column(info=personal("address", erase="delete row"))
    fingerprint: Mapped[bytes] = mapped_column(info=personal("address fingerprint", erase="delete row"))
    fingerprint_version: Mapped[int] = mapped_column(SmallInteger)
    domain_hash: Mapped[bytes] = mapped_column(info=personal("mail domain, keyed hash", erase="delete row"))
    language: Mapped[str] = mapped_column(default="en")
    country: Mapped[str | None]
    has_name: Mapped[bool] = mapped_column(default=False)


class Preference(Model):
    """How a contact point wants to be written to: read by the gate, beside its consents."""

    __tablename__ = "preference"
    __table_args__ = (
        CheckConstraint("format IN ('html', 'text')", name="format"),
        CheckConstraint("every_days IN (0, 7, 30)", name="every_days"),
    )

    contact_point_id: Mapped[int] = mapped_column(
        ForeignKey("contact_point.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    format: Mapped[str] = mapped_column(default="html")
    every_days: Mapped[int] = mapped_column(SmallInteger, default=0)
    paused_until: Mapped[datetime | None]
    last_campaign_on: Mapped[date | None]
    hold: Mapped[bool] = mapped_column(default=False)


class PendingRequest(Model):
    """Somebody asked to join and has not confirmed: apart from people, under a key of its own, gone after 7 days.

    The id of the person they would become is reserved here and stands in what is sealed, so that confirming moves
    sealed values and key as they are and opens nothing.
    """

    __tablename__ = "pending_request"
    __table_args__ = (
        CheckConstraint(CHANNELS, name="channel"),
        CheckConstraint(MODES, name="mode"),
        UniqueConstraint("channel", "fingerprint", "list_id"),
        Index(None, "expires_at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    reserved_person_id: Mapped[int]
    channel: Mapped[str]
    mode: Mapped[str]
    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id"))
    form_version_id: Mapped[int | None] = mapped_column(ForeignKey("form_version.id"))
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"))
    sealed: Mapped[bytes] = mapped_column(info=personal("address", erase="delete row"))
    sealed_first_name: Mapped[bytes | None] = mapped_column(info=personal("first name", erase="delete row"))
    fingerprint: Mapped[bytes] = mapped_column(info=personal("address fingerprint", erase="delete row"))
    fingerprint_version: Mapped[int] = mapped_column(SmallInteger)
    domain_hash: Mapped[bytes] = mapped_column(info=personal("mail domain, keyed hash", erase="delete row"))
    language: Mapped[str] = mapped_column(default="en")
    topic_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    partner_offers: Mapped[bool | None]
    """Yes, an explicit no, or no answer; `share` alike."""
    share: Mapped[bool | None]
    partner_list: Mapped[int | None]
    """The version of the list of partners that stood beside these two questions."""
    format: Mapped[str] = mapped_column(default="html")
    every_days: Mapped[int] = mapped_column(SmallInteger, default=0)
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    source: Mapped[str]
    collector: Mapped[str] = mapped_column(default="", server_default="")
    policy: Mapped[str] = mapped_column(default="", server_default="")
    """Who took the address where that was not us, and under which policy (promise S8)."""


class RequestKey(Model):
    """The key of one pending request; deleting it makes the request unreadable."""

    __tablename__ = "request_key"
    __table_args__ = {"schema": "vault"}

    request_id: Mapped[int] = mapped_column(
        ForeignKey("pending_request.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    wrapped: Mapped[bytes] = mapped_column(info=personal("key", erase="delete row"))


class FieldSource(Model):
    """Where one detail of a person came from, when, and under which notice (promises M28 and S8).

    `collector` is who took it where that was not us, and `policy` the address of the policy it was taken under.
    """

    __tablename__ = "field_source"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, autoincrement=False,
        info=personal("link to a person", erase="delete row"))
    field: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    at: Mapped[datetime]
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"))
    collector: Mapped[str] = mapped_column(default="")
    policy: Mapped[str] = mapped_column(default="")


class Collected(Model):
    """What else an address was given for (`order`, `contest:5`, `delivery` …): none of it reaches a marketing audience.

    Audiences are made of consents alone, and these are none (promises C5, M21, S30).
    """

    __tablename__ = "collected"

    contact_point_id: Mapped[int] = mapped_column(
        ForeignKey("contact_point.id", ondelete="CASCADE"), primary_key=True, autoincrement=False,
        info=personal("link to a person", erase="delete row"))
    purpose: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    at: Mapped[datetime]
