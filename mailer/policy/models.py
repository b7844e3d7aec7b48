"""Table of notices."""

from datetime import datetime

from sqlalchemy import Identity, UniqueConstraint
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
