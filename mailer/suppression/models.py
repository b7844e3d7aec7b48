"""Tables of the stop list."""

from datetime import date

from sqlalchemy import CheckConstraint, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from mailer.audience.models import CHANNELS, MODES
from mailer.core.reasons import SUPPRESSING
from mailer.db import Model, personal


class Suppression(Model):
    """One reason for one address and scope. Kept to the day.

    `list_id` 0 means everything of that channel, `topic_id` 0 all topics of the list. `until` ends an entry by itself
    (`not_me`: 30 days).
    """

    __tablename__ = "suppression"
    __table_args__ = (
        CheckConstraint(CHANNELS, name="channel"),
        CheckConstraint(MODES, name="mode"),
        CheckConstraint(f"reason IN ({', '.join(repr(str(reason)) for reason in SUPPRESSING)})", name="reason"),
    )

    channel: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(
        primary_key=True, info=personal("address fingerprint", erase="kept, so that we never write again"))
    list_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    topic_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=0, server_default="0")
    reason: Mapped[str] = mapped_column(primary_key=True)
    fingerprint_version: Mapped[int] = mapped_column(SmallInteger)
    mode: Mapped[str]
    day: Mapped[date]
    until: Mapped[date | None]
    sample: Mapped[bool] = mapped_column(default=False)


class DomainRule(Model):
    """A mail domain that nobody is to write to, by the organisation's own rule; `domain_hash` is its lane's key."""

    __tablename__ = "domain_rule"

    domain_hash: Mapped[bytes] = mapped_column(primary_key=True)
    name: Mapped[str]
    day: Mapped[date]
    by: Mapped[str]
