"""Table that the exits file is held against."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Model, personal


class ExitMark(Model):
    """One line of one host's exits file, written by the transaction of the exit itself (decision 19).

    It holds the whole line, so that a process killed between commit and file loses none: the fence writes it later.
    """

    __tablename__ = "exit_mark"

    host: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int]
    kind: Mapped[str]
    at: Mapped[datetime]
    detail: Mapped[dict[str, Any]] = mapped_column(
        JSONB, info=personal("address fingerprint", erase="kept, so that we never write again"))


class WantedFile(Model):
    """A host whose file must be brought before anything is sent: `mailer restore` missed it (decision 19)."""

    __tablename__ = "exit_wanted"

    host: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]


class Override(Model):
    """The officer's decision to send although a host's file is behind or missing."""

    __tablename__ = "exit_override"

    host: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    staff_id: Mapped[int]
    reason: Mapped[str]
