"""Table of campaigns."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from mailer.audience.models import MODES
from mailer.core.messages import CampaignState
from mailer.db import Model

STATES = f"state IN ({', '.join(repr(str(state)) for state in CampaignState)})"
SUM = "state <> 'sent' OR (planned = accepted + refused + failed + expired + uncertain)"


class Campaign(Model):
    """One mailing. The sums are written once, when it closes; while it runs they are counted in campaign_count."""

    __tablename__ = "campaign"
    __table_args__ = (
        CheckConstraint(STATES, name="state"),
        CheckConstraint(MODES, name="mode"),
        CheckConstraint(SUM, name="sum_holds"),
        CheckConstraint("(month IS NULL) = (started_at IS NULL)", name="launched_has_month"),
        Index(None, "state"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft")
    mode: Mapped[str]
    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id"))
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id"))
    sender_id: Mapped[int | None] = mapped_column(ForeignKey("sender.id"))
    content_id: Mapped[int | None] = mapped_column(ForeignKey("content_version.id"))
    version: Mapped[int] = mapped_column(default=1)
    tested_content_id: Mapped[int | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id", name="fk_campaign_approved_by"))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    send_at: Mapped[datetime | None]
    time_zone: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    month: Mapped[date | None]
    not_after: Mapped[datetime | None]
    planned_through: Mapped[int] = mapped_column(default=0)
    next_block: Mapped[int] = mapped_column(default=1)
    planning_done: Mapped[bool] = mapped_column(default=False)
    stopping: Mapped[bool] = mapped_column(default=False)
    why_paused: Mapped[str | None]
    why_not_started: Mapped[str | None]
    expected_in: Mapped[int | None]
    planned: Mapped[int | None]
    accepted: Mapped[int | None]
    refused: Mapped[int | None]
    failed: Mapped[int | None]
    expired: Mapped[int | None]
    uncertain: Mapped[int | None]
    messages_dropped_at: Mapped[datetime | None]
    sample: Mapped[bool] = mapped_column(default=False)
