"""Links that stand in every message: whom they speak for, and from which message they came.

Their second id is the campaign's. A letter outside campaigns has none: its links carry `OF_LIST` and a list, or
`OF_DAY` and the day (proleptic ordinal) on which it was asked for. Leave, one-click and why last for ever, preferences
90 days.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import text

from mailer.audience.models import ContactPoint
from mailer.context import Context
from mailer.core.links import Claim, Link
from mailer.organisation import profile
from mailer.subscriptions import merge

OF_LIST = 1 << 62
OF_DAY = 1 << 61
PREFERENCES_LAST = timedelta(days=90)
PICKED_UP = ".,;:!?)>]}\"'"
"""Marks that mail programs take for the end of a link."""

PATHS = {Link.LEAVE: "u", Link.ONE_CLICK: "one-click", Link.PREFERENCES: "p", Link.WHY: "why", Link.UNDO: "undo"}
CAMPAIGN = text("SELECT c.id, c.list_id, l.name AS list_name, c.started_at, "
                "CASE WHEN c.messages_dropped_at IS NULL THEN v.subject END AS subject FROM campaign c "
                "JOIN mailing_list l ON l.id = c.list_id LEFT JOIN content_version v ON v.id = c.content_id "
                "WHERE c.id = :id")
LIST = text("SELECT name FROM mailing_list WHERE id = :id")


@dataclass(frozen=True)
class Origin:
    """The message that a link came in, as far as its rows still live."""

    campaign_id: int | None = None
    list_id: int | None = None
    list_name: str = ""
    subject: str = ""
    sent_at: datetime | None = None
    asked_on: date | None = None


@dataclass(frozen=True)
class Way:
    """A link that was read: `point` is None once the person is erased, and the survivor's once two became one."""

    claim: Claim
    point: ContactPoint | None
    origin: Origin


def read(ctx: Context, token: str, *links: Link) -> Way:
    """Whom a link speaks for. Raises: BadToken."""
    claim = ctx.signer.read(token.rstrip(PICKED_UP), *links)
    point = merge.survivor(ctx, claim.first)
    return Way(replace(claim, first=point.id) if point else claim, point, origin(ctx, claim.second))


def origin(ctx: Context, second: int) -> Origin:
    """What the second id of a link stands for."""
    if second >= OF_LIST:
        list_id = second - OF_LIST
        name = ctx.db.scalar(LIST, {"id": list_id})
        return Origin(list_id=list_id, list_name=name) if name is not None else Origin()
    if second >= OF_DAY:
        return Origin(asked_on=date.fromordinal(second - OF_DAY))
    row = ctx.db.execute(CAMPAIGN, {"id": second}).one_or_none() if second else None
    if row is None:
        return Origin()
    return Origin(row.id, row.list_id, row.list_name, row.subject or "", row.started_at)


def preferences_open(ctx: Context, origin: Origin) -> bool:
    """Whether a preferences link from there still works: 90 days from its campaign or the day it was asked for."""
    now = ctx.clock.now()
    if origin.sent_at is not None:
        return now < origin.sent_at + PREFERENCES_LAST
    return origin.asked_on is not None and now.date() < origin.asked_on + PREFERENCES_LAST


def token(ctx: Context, link: Link, contact_point_id: int, second: int) -> str:
    """A token of another purpose for the same person and message."""
    return ctx.signer.sign(link, contact_point_id, second)


def url(ctx: Context, link: Link, contact_point_id: int, second: int) -> str:
    """The whole link, as a letter prints it."""
    return f"{profile.current(ctx).public_url}/{PATHS[link]}/{token(ctx, link, contact_point_id, second)}"


def today(ctx: Context) -> int:
    """The second id of links in a letter that is asked for now."""
    return OF_DAY + ctx.clock.now().date().toordinal()
