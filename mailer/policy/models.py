"""Tables of notices and of the partners named beside a choice."""

from datetime import datetime

from sqlalchemy import ARRAY, Identity, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Model


class Notice(Model):
    """One published version of the privacy notice; the database refuses UPDATE and DELETE."""

    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("version"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    version: Mapped[str]
    text: Mapped[str]
    starter: Mapped[bool] = mapped_column(default=False)
    published_at: Mapped[datetime]
    effective_at: Mapped[datetime]


class PartnerList(Model):
    """The partners as they were named beside a choice, in versions; the database refuses UPDATE and DELETE (M18)."""

    __tablename__ = "partner_list"
    __table_args__ = (UniqueConstraint("version"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    version: Mapped[int]
    names: Mapped[list[str]] = mapped_column(ARRAY(Text))
    published_at: Mapped[datetime]
