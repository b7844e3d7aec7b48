"""The partners as they are named beside a choice: a list in versions, published once and never edited (M18)."""

from collections.abc import Iterable

from sqlalchemy import func, select, text

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.policy.models import PartnerList

LONGEST_NAME = 80
MOST = 100
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7141907)")


def publish(ctx: Context, names: Iterable[str]) -> PartnerList:
    """Publish the partners there are now as version n+1; the same names again are the version they are.

    Raises: InvalidInput naming `names` for one that is too long or holds a line break, and for too many.
    """
    said = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    if any(len(name) > LONGEST_NAME or not name.isprintable() for name in said):
        raise InvalidInput(field="names", why=f"Write a name a line, each of at most {LONGEST_NAME} letters.")
    if len(said) > MOST:
        raise InvalidInput(field="names", why=f"Name at most {MOST} partners.")
    ctx.db.execute(ONE_AT_A_TIME)
    before = current(ctx)
    if before is not None and before.names == said:
        return before
    newest = ctx.db.scalar(select(func.coalesce(func.max(PartnerList.version), 0)))
    made = PartnerList(version=int(newest or 0) + 1, names=said, published_at=ctx.clock.now())
    ctx.db.add(made)
    ctx.db.flush()
    trail.record(ctx, "publish_partners", f"partner_list:{made.version}", partners=len(said))
    return made


def current(ctx: Context) -> PartnerList | None:
    """The list in force; None before the first."""
    return ctx.db.scalars(select(PartnerList).order_by(PartnerList.version.desc()).limit(1)).first()


def of_version(ctx: Context, version: int | None) -> PartnerList | None:
    """The list that bears this number."""
    return ctx.db.scalars(select(PartnerList).where(PartnerList.version == version)).first() if version else None


def versions(ctx: Context) -> list[PartnerList]:
    """Every list ever published, newest first."""
    return list(ctx.db.scalars(select(PartnerList).order_by(PartnerList.version.desc())))
