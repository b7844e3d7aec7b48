"""Table of the Outbox."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Model, personal


class PracticeItem(Model):
    """One message that would have left: sealed under the Outbox's own key; at most 2,000 are kept."""

    __tablename__ = "practice_item"
    __table_args__ = (
        CheckConstraint("channel IN ('email', 'sms', 'postal')", name="channel"),
        Index(None, "campaign_id"),
        Index(None, "single_id"),
        Index(None, "contact_point_id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    at: Mapped[datetime]
    channel: Mapped[str]
    campaign_id: Mapped[int | None]
    single_id: Mapped[int | None]
    contact_point_id: Mapped[int | None] = mapped_column(info=personal("link to a person", erase="delete row"))
    """Whose message of a campaign it is; a single message says so itself."""
    seen: Mapped[bool] = mapped_column(default=False)
    sealed_to: Mapped[bytes] = mapped_column(info=personal("address", erase="delete row"))
    sealed_body: Mapped[bytes] = mapped_column(info=personal("message", erase="delete row"))
    size: Mapped[int]
