"""Tables of content versions and pictures."""

from datetime import datetime

from sqlalchemy import ARRAY, Identity, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Model


class ContentVersion(Model):
    """One version of what a campaign says; the database refuses UPDATE and DELETE."""

    __tablename__ = "content_version"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    subject: Mapped[str]
    preview_line: Mapped[str] = mapped_column(default="")
    markdown: Mapped[str]
    language: Mapped[str] = mapped_column(default="en")
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text))
    sha256: Mapped[bytes]
    created_at: Mapped[datetime]


class Picture(Model):
    """A picture of a campaign, the same for everyone; found by its SHA-256."""

    __tablename__ = "picture"
    __table_args__ = (UniqueConstraint("sha256"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    sha256: Mapped[bytes]
    media_type: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    octets: Mapped[bytes]
    created_at: Mapped[datetime]
