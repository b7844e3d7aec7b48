"""Tables of the gate's answers."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Model


class Decision(Model):
    """The gate's answer for one campaign message and attempt. Partitioned by month of launch, as messages are."""

    __tablename__ = "decision"
    __table_args__ = (
        CheckConstraint("(reason IS NULL) = cleared", name="refusal_has_reason"),
        {"postgresql_partition_by": "LIST (month)"},
    )

    campaign_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    contact_point_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    month: Mapped[date] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    cleared: Mapped[bool] = mapped_column(primary_key=True)
    reason: Mapped[str | None]
    at: Mapped[datetime]


class SingleDecision(Model):
    """The gate's answer for one single message and attempt."""

    __tablename__ = "single_decision"
    __table_args__ = (
        CheckConstraint("(reason IS NULL) = cleared", name="refusal_has_reason"),
        UniqueConstraint("single_id", "attempt", "cleared"),
    )

    single_id: Mapped[int] = mapped_column(
        ForeignKey("single_message.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    attempt: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    cleared: Mapped[bool]
    reason: Mapped[str | None]
    at: Mapped[datetime]
