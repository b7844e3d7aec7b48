"""Privacy notices by version: published once, never edited."""

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import Conflict, InvalidInput, NotFound
from mailer.policy.models import Notice

VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{0,19}")
"""It stands in the address of its page."""
LONGEST_TEXT = 200_000


def publish(ctx: Context, version: str, text: str, effective_at: datetime, starter: bool = False) -> Notice:
    """Publish a notice that holds from `effective_at` on.

    Raises: InvalidInput for an empty text or version; Conflict when that version was published already.
    """
    version, text = version.strip(), text.strip()
    if not VERSION.fullmatch(version):
        raise InvalidInput(field="version", why="Use a number such as 2.1, of letters, digits, dots and dashes.")
    if not text or "\x00" in text or len(text) > LONGEST_TEXT:
        raise InvalidInput(field="text", why=f"Write at least a line, and at most {LONGEST_TEXT:,} characters.")
    notice = ctx.db.scalars(insert(Notice).values(
        version=version, text=text, starter=starter, published_at=ctx.clock.now(), effective_at=effective_at
    ).on_conflict_do_nothing().returning(Notice)).first()
    if notice is None:
        raise Conflict(field="version")
    trail.record(ctx, "publish_notice", f"notice:{notice.id}", version=version)
    return notice


def in_force(ctx: Context) -> Notice | None:
    """The notice that holds now; None before the first."""
    return ctx.db.scalars(select(Notice).where(Notice.effective_at <= ctx.clock.now()).order_by(
        Notice.effective_at.desc(), Notice.id.desc()).limit(1)).first()


def required(ctx: Context) -> Notice:
    """The notice that holds now. Raises: NotFound before the first."""
    notice = in_force(ctx)
    if notice is None:
        raise NotFound(notice="in force")
    return notice


def versions(ctx: Context) -> list[Notice]:
    """Every notice ever published, newest first."""
    return list(ctx.db.scalars(select(Notice).order_by(Notice.effective_at.desc(), Notice.id.desc())))
