"""Tables of lists, topics, forms and wordings."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mailer.db import Model


class MailingList(Model):
    """What a person joins. Archived, never deleted, while consent proof points to it."""

    __tablename__ = "mailing_list"
    __table_args__ = (Index("uq_mailing_list_name", "name", unique=True),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    public_text: Mapped[str] = mapped_column(default="")
    archived: Mapped[bool] = mapped_column(default=False)
    sample: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Topic(Model):
    """A kind of announcement inside a list."""

    __tablename__ = "topic"
    __table_args__ = (UniqueConstraint("list_id", "name"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id"))
    name: Mapped[str]
    public_text: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)
    archived: Mapped[bool] = mapped_column(default=False)


class Wording(Model):
    """Words exactly as they were shown, found by their SHA-256; the database refuses UPDATE and DELETE."""

    __tablename__ = "wording"
    __table_args__ = (UniqueConstraint("sha256"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    sha256: Mapped[bytes]
    language: Mapped[str]
    text: Mapped[str]


class Form(Model):
    """A way in: one public page, in versions."""

    __tablename__ = "form"
    __table_args__ = (UniqueConstraint("slug"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    slug: Mapped[str]
    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id"))
    name: Mapped[str]
    archived: Mapped[bool] = mapped_column(default=False)


class FormVersion(Model):
    """What a form said and asked; never changed once written. `definition` is `lists.forms.Definition` as JSON."""

    __tablename__ = "form_version"
    __table_args__ = (UniqueConstraint("form_id", "version"), CheckConstraint("version > 0", name="version"))

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    form_id: Mapped[int] = mapped_column(ForeignKey("form.id"))
    version: Mapped[int]
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    wording_id: Mapped[int] = mapped_column(ForeignKey("wording.id"))
    partner_wording_id: Mapped[int | None] = mapped_column(ForeignKey("wording.id", name="fk_form_version_partner"))
    share_wording_id: Mapped[int | None] = mapped_column(ForeignKey("wording.id", name="fk_form_version_share"))
    created_at: Mapped[datetime]
