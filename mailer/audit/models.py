"""Table of the audit trail."""

from datetime import datetime
from typing import Any

from sqlalchemy import Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Model


class AuditEntry(Model):
    """One act of one member of staff, the operator or the system; the database refuses UPDATE and DELETE."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "about"), Index(None, "actor", "seq"))

    seq: Mapped[int] = mapped_column(Identity(), primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    act: Mapped[str]
    about: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
