"""Tables of messages, the blocks they are claimed in, open slices, counters and receipts.

Campaign messages have natural keys and no foreign key to people; they and their decisions are partitioned by month of
launch. The foreign key to decisions stands between the leaves (outbox/partitions.py), never between the parents.
"""

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from mailer.core.messages import MessageClass, State
from mailer.db import Model, personal

STATES = f"state IN ({', '.join(repr(str(state)) for state in State)})"
CLASSES = f"class IN ({', '.join(repr(str(each)) for each in MessageClass)})"
# A row that was handed names its yes in full, so no null can switch the foreign key off.
GATE_SAID_YES = ("state IN ('ready', 'claimed', 'deferred', 'refused', 'expired') "
                 "OR (decided IS NOT NULL AND cleared IS NOT NULL AND cleared)")
SINGLE_SUBJECT = """num_nonnulls(contact_point_id, pending_request_id, staff_id, address_change_id, friend_request_id,
                    rights_request_id) = 1"""


class Message(Model):
    """One person's message of one campaign: `block` is its unit of claiming, `slice` the fence of its hand-over."""

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint(STATES, name="state"),
        CheckConstraint(GATE_SAID_YES, name="gate_said_yes"),
        CheckConstraint("state <> 'refused' OR (cleared IS NOT TRUE AND code IS NOT NULL)", name="refused_has_reason"),
        Index(None, "campaign_id", "block"),
        {"postgresql_partition_by": "LIST (month)"},
    )

    campaign_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    contact_point_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    slice: Mapped[int] = mapped_column(server_default="0")
    until: Mapped[datetime | None]
    month: Mapped[date] = mapped_column(primary_key=True)
    block: Mapped[int]
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    decided: Mapped[int | None] = mapped_column(SmallInteger)
    cleared: Mapped[bool | None]
    state: Mapped[str] = mapped_column(server_default="ready")
    code: Mapped[str | None]


class MessageBlock(Model):
    """About 50 messages of one campaign and lane; workers lock these, leavers share them (decisions 7 and 10)."""

    __tablename__ = "message_block"
    __table_args__ = (
        # For lanes that have a limit of their own; it mentions nothing that changes, so updates stay HOT.
        Index(None, "campaign_id", "lane", "block"),
        {"postgresql_with": {"fillfactor": 60}},
    )

    campaign_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    block: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    lane: Mapped[int]
    open: Mapped[bool] = mapped_column(default=True)
    not_before: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """How often a server answered "later" to what is in it; hand-overs that never began are not counted."""


class Slice(Model):
    """Work in a worker's hands: present from the decision until its results are recorded. Its id is the fence."""

    __tablename__ = "slice"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    worker: Mapped[str]
    campaign_id: Mapped[int | None]
    month: Mapped[date | None]
    opened_at: Mapped[datetime]


class Worker(Model):
    """A dispatching process and when it was last seen, by the database's clock."""

    __tablename__ = "worker"

    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class LaneHold(Model):
    """A lane left alone for a while after a transient refusal (back-off, decision 38)."""

    __tablename__ = "lane_hold"

    lane: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    until: Mapped[datetime]
    step: Mapped[int]
    code: Mapped[str]


class LaneLimit(Model):
    """How fast a mail server, a sender or a recipient domain may be written to; no row means no limit (decision 38).

    `lane` is the key of a domain's lane, 0 for the other scopes. A ramp grows day by day from `ramp_per_day` until
    it reaches `per_second`.
    """

    __tablename__ = "lane_limit"
    __table_args__ = (
        CheckConstraint("scope IN ('server', 'sender', 'domain')", name="scope"),
        CheckConstraint("per_second > 0 AND burst > 0", name="positive"),
        CheckConstraint("(ramp_per_day IS NULL) = (ramp_from IS NULL)", name="ramp"),
    )

    scope: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    lane: Mapped[int] = mapped_column(server_default="0")
    per_second: Mapped[float]
    burst: Mapped[int]
    ramp_per_day: Mapped[int | None]
    ramp_factor: Mapped[float] = mapped_column(server_default="2")
    ramp_from: Mapped[date | None]
    updated_at: Mapped[datetime]


class ServerHold(Model):
    """A mail server left alone for a while: it was down, or refused our password."""

    __tablename__ = "server_hold"

    server: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]
    since: Mapped[datetime]
    step: Mapped[int]
    code: Mapped[str]


class CampaignCount(Model):
    """Sums by (campaign, worker): touched last in a transaction, added up on reading (decision 13)."""

    __tablename__ = "campaign_count"
    __table_args__ = {"postgresql_with": {"fillfactor": 50}}

    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("campaign.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    worker: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    detail: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int]


class SingleMessage(Model):
    """A message of its own kind and occasion: confirmation, fresh link, notice, test, staff mail (decision 1)."""

    __tablename__ = "single_message"
    __table_args__ = (
        CheckConstraint(STATES, name="state"),
        CheckConstraint(CLASSES, name="class"),
        CheckConstraint(GATE_SAID_YES, name="gate_said_yes"),
        CheckConstraint("state <> 'refused' OR (cleared IS NOT TRUE AND code IS NOT NULL)", name="refused_has_reason"),
        CheckConstraint(SINGLE_SUBJECT, name="one_subject"),
        UniqueConstraint("class", "subject", "occasion"),
        ForeignKeyConstraint(
            ["id", "decided", "cleared"],
            ["single_decision.single_id", "single_decision.attempt", "single_decision.cleared"],
            name="fk_single_message_decision", use_alter=True),
        Index(None, "state", "until"),
        Index(None, "contact_point_id"),
        Index(None, "pending_request_id"),
        Index(None, "address_change_id"),
        Index(None, "friend_request_id"),
        Index(None, "rights_request_id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column("class")
    subject: Mapped[str]
    occasion: Mapped[str]
    channel: Mapped[str]
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id", ondelete="CASCADE"))
    pending_request_id: Mapped[int | None] = mapped_column(ForeignKey("pending_request.id", ondelete="CASCADE"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"))
    address_change_id: Mapped[int | None] = mapped_column(ForeignKey("address_change.id", ondelete="CASCADE"))
    friend_request_id: Mapped[int | None] = mapped_column(ForeignKey("friend_request.id", ondelete="CASCADE"))
    rights_request_id: Mapped[int | None] = mapped_column(ForeignKey("rights_request.id", ondelete="CASCADE"))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id", ondelete="SET NULL"))
    sealed_detail: Mapped[bytes | None] = mapped_column(info=personal("what it says", erase="delete row"))
    state: Mapped[str] = mapped_column(server_default="ready")
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    decided: Mapped[int | None] = mapped_column(SmallInteger)
    cleared: Mapped[bool | None]
    code: Mapped[str | None]
    slice: Mapped[int] = mapped_column(server_default="0")
    resent: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[datetime]
    until: Mapped[datetime | None]
    not_after: Mapped[datetime]


class Receipt(Model):
    """What came back later for a message: delivered, bounced, complained (decision 3)."""

    __tablename__ = "receipt"
    __table_args__ = (
        CheckConstraint("kind IN ('delivered', 'bounced', 'complained')", name="kind"),
        Index(None, "campaign_id", "kind"),
        Index(None, "contact_point_id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[str]
    campaign_id: Mapped[int | None]
    contact_point_id: Mapped[int]
    at: Mapped[datetime]
    code: Mapped[str]
