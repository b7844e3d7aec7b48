"""Table that the exits file is held against."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Model


class ExitMark(Model):
    """One line of one host's exits file, written by the transaction of the exit itself (decision 19)."""

    __tablename__ = "exit_mark"

    host: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int]
    at: Mapped[datetime]


class Override(Model):
    """The officer's decision to send although a host's file is behind or missing."""

    __tablename__ = "exit_override"

    host: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    staff_id: Mapped[int]
    reason: Mapped[str]
