"""Tables of requests, copies, certificates, reports of children, and the register of disclosures."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Identity, Index, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mailer.audience.models import CHANNELS
from mailer.db import Model, personal

KINDS = ("access", "correction", "erasure", "objection", "hold", "portability", "complaint", "question", "child")
DISCLOSED = ("export", "access_copy", "batch", "hook", "processor", "legal_demand", "business_transfer", "proof")


class RightsRequest(Model):
    """One thing that a person asked of us, with its clocks; it names nobody once the person is erased."""

    __tablename__ = "rights_request"
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(repr(each) for each in KINDS)})", name="kind"),
        CheckConstraint("state IN ('open', 'closed')", name="state"),
        CheckConstraint("source IN ('self', 'desk', 'public')", name="source"),
        CheckConstraint("identity IN ('unchecked', 'fresh_link', 'call_back', 'letter', 'not_needed')",
                        name="identity"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed"),
        Index(None, "state", "due_at"),
        Index(None, "person_id"),
        Index(None, "contact_point_id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="open")
    source: Mapped[str]
    identity: Mapped[str] = mapped_column(default="unchecked")
    person_id: Mapped[int | None] = mapped_column(
        ForeignKey("person.id", ondelete="SET NULL"), info=personal("link to a person", erase="set null"))
    contact_point_id: Mapped[int | None] = mapped_column(
        ForeignKey("contact_point.id", ondelete="SET NULL"), info=personal("link to a person", erase="set null"))
    sealed_contact: Mapped[bytes | None] = mapped_column(
        info=personal("address to answer to", erase="emptied when the request is closed"))
    contact_fingerprint: Mapped[bytes | None] = mapped_column(
        info=personal("address fingerprint", erase="emptied when the request is closed"))
    fingerprint_version: Mapped[int] = mapped_column(SmallInteger, default=1)
    sealed_note: Mapped[bytes | None] = mapped_column(info=personal("what was asked", erase="emptied"))
    opened_at: Mapped[datetime]
    acknowledge_by: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    due_at: Mapped[datetime]
    extended: Mapped[bool] = mapped_column(default=False)
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="")
    handled_by: Mapped[str] = mapped_column(default="")
    sample: Mapped[bool] = mapped_column(default=False)


class AccessCopy(Model):
    """A person's copy of everything, sealed under their own key, opened with a fresh link, gone after 7 days."""

    __tablename__ = "access_copy"
    __table_args__ = (Index(None, "expires_at"), Index(None, "person_id"))

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), info=personal("link to a person", erase="delete row"))
    request_id: Mapped[int | None] = mapped_column(ForeignKey("rights_request.id", ondelete="SET NULL"))
    sealed_html: Mapped[bytes] = mapped_column(info=personal("copy of everything", erase="delete row"))
    sealed_json: Mapped[bytes] = mapped_column(info=personal("copy of everything", erase="delete row"))
    signature: Mapped[bytes]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    fetched_at: Mapped[datetime | None]


class ErasureCertificate(Model):
    """That somebody was erased, when and from where, signed; it does not say who."""

    __tablename__ = "erasure_certificate"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    request_id: Mapped[int | None] = mapped_column(
        ForeignKey("rights_request.id"), info=personal("number of a request", erase="unlinked: it names nobody"))
    at: Mapped[datetime]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    signature: Mapped[bytes]


class ChildReport(Model):
    """Somebody said that an address is a child's: it is stopped at once and erased after 7 days (decision 41)."""

    __tablename__ = "child_report"
    __table_args__ = (
        CheckConstraint(CHANNELS, name="channel"),
        CheckConstraint("state IN ('open', 'objected', 'erased')", name="state"),
        Index(None, "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    channel: Mapped[str]
    fingerprint: Mapped[bytes] = mapped_column(
        info=personal("address fingerprint", erase="kept, so that we never write again"))
    fingerprint_version: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(default="open")
    at: Mapped[datetime]
    due_at: Mapped[datetime]
    request_id: Mapped[int | None] = mapped_column(ForeignKey("rights_request.id", ondelete="SET NULL"))


class Disclosure(Model):
    """One time that personal data left, or is allowed to: what kinds, of how many, to whom and why; never the data.

    The database refuses UPDATE of automatic entries and DELETE of all.
    """

    __tablename__ = "disclosure"
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(repr(each) for each in DISCLOSED)})", name="kind"),
        CheckConstraint("people >= 0", name="people"),
        Index(None, "at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    reason: Mapped[str]
    recipient: Mapped[str]
    categories: Mapped[list[str]] = mapped_column(ARRAY(Text))
    people: Mapped[int]
    ground: Mapped[str] = mapped_column(default="")
    legal_reference: Mapped[str] = mapped_column(default="")
    by: Mapped[str]
    second: Mapped[str] = mapped_column(default="")
    automatic: Mapped[bool]
    sealed_until: Mapped[date | None]
    """The day from which the person sees it; none for at once."""


class DisclosureSubject(Model):
    """Whom a disclosure was about, by the ledger's random name."""

    __tablename__ = "disclosure_subject"
    __table_args__ = (Index(None, "subject"),)

    disclosure_id: Mapped[int] = mapped_column(
        ForeignKey("disclosure.id"), primary_key=True, autoincrement=False)
    subject: Mapped[UUID] = mapped_column(
        primary_key=True, info=personal("pseudonym", erase="unlinked: the key and the person go"))
