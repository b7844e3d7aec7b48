"""The person page: what stands, what happened, and what staff may do for the person (ux 2.4)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from werkzeug.wrappers import Response

from mailer.audience import collected, queries, show
from mailer.audience.models import ContactPoint, PendingRequest, Person, Preference
from mailer.campaigns.models import Campaign
from mailer.consent import standing
from mailer.consent.models import Standing
from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.core.messages import Purpose
from mailer.lists.models import MailingList, Topic
from mailer.rights import children
from mailer.staff.roles import Permission
from mailer.subscriptions import origins, words
from mailer.subscriptions.by_staff import REPORTED
from mailer.suppression import registry
from mailer.web.staff.campaigns.words import reason
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.found import row
from mailer.web.staff.frame import staff_page
from mailer.web.staff.people import timeline
from mailer.web.staff.stop_list import answers
from mailer.web.support import blueprint, opener, unit

person = blueprint("staff_person", "/staff/people")

CHANNELS = {"email": "Email", "sms": "Text", "postal": "Post"}
ANSWERS = {"live": ("Yes", "dot", "good"), "refused": ("No", "cross", "quiet"), "ended": ("Ended", "cross", "quiet")}
REASONS = {
    "answer_to_the_person": "To answer the person", "rights_request": "A request about their data",
    "delivery_problem": "A problem with delivery", "complaint_or_abuse": "A complaint or abuse",
    "legal_duty": "The law asks for it",
}
ABOUT_PARTNERS: dict[str, str] = {
    Purpose.PARTNER_OFFERS: "Partner offers, sent by us", Purpose.SHARE: "Passing the address on to partners"}
CAMPAIGNS_OFFERED = 50


@dataclass(frozen=True)
class Cell:
    """What stands for one topic on one channel."""

    word: str
    shape: str
    tone: str
    since: datetime | None


@dataclass(frozen=True)
class Line:
    """A topic's row of the grid, one cell a channel."""

    list_id: int
    topic_id: int
    list_name: str
    topic: str
    cells: list[Cell | None]


@dataclass(frozen=True)
class Shown:
    """What a press on this page has brought: an address in the clear, or the gate's answer."""

    address: str = ""
    why: dict[str, Any] | None = None


NOTHING = Shown()


@person.get("/<int:point_id>")
@staff_only("see_people")
def page(point_id: int) -> Response:
    """The page of one person, by the number of a contact point."""
    return shown(point_id)


@person.get("/request/<int:request_id>")
@staff_only("see_people")
def waiting(request_id: int) -> Response:
    """Somebody who asked and has not confirmed."""
    with unit() as ctx:
        asked = queries.open_request(ctx, request_id)
        values = _request(ctx, asked)
    return staff_page("staff/people/request.html", asked=asked, **values)


def shown(point_id: int, status: int = 200, *, extra: Shown = NOTHING, errors: dict[str, str] | None = None,
          chosen: dict[str, str] | None = None) -> Response:
    """The page with what a press brought, or with what was wrong with it."""
    try:
        with unit() as ctx:
            point = find(ctx, point_id)
            values = _person(ctx, point)
    except NotFound:
        return gone(point_id)
    return staff_page("staff/people/person.html", status, point=point, extra=extra, errors=errors or {},
                      chosen=chosen or {}, reasons=list(REASONS.items()),
                      reported=[(told, how.capitalize()) for told, how in REPORTED.items()], **values)


def gone(point_id: int) -> Response:
    """Somebody erased has a page that says so (410). Raises: NotFound where nobody of that number was."""
    with unit() as ctx:
        point = ctx.db.get(ContactPoint, point_id) if point_id < queries.LARGEST_ID else None
        keyless = point is not None and bool(children.unreported(ctx, [point]))
        erased_at = queries.erased_at(ctx, point_id)
    if not keyless and erased_at is None:
        raise NotFound(contact_point=point_id)
    return staff_page("staff/people/erased.html", 410, erased_at=erased_at)


def find(ctx: Context, point_id: int) -> ContactPoint:
    """The contact point. Raises: NotFound, also while a report of a child is open: only the privacy desk sees it."""
    point = row(ctx, ContactPoint, point_id)
    if not children.unreported(ctx, [point]):
        raise NotFound(contact_point=point_id)
    return point


def _person(ctx: Context, point: ContactPoint) -> dict[str, Any]:
    points = children.unreported(ctx, queries.points_of(ctx, point.person_id))
    masks = show.masked_many(ctx, opener(), points)
    known = ctx.db.get_one(Person, point.person_id)
    preference = ctx.db.get_one(Preference, point.id)
    now = ctx.clock.now()
    lists = {row.id: row.name for row in ctx.db.scalars(select(MailingList))}
    rows = {each.id: standing.of(ctx, each.id) for each in points}
    entries = registry.entries(ctx, point.channel, [point.fingerprint])
    stops = [(reason(each.reason), answers.scope_of(ctx, each), each.day) for each in entries]
    return {
        "name": show.first_name(ctx, opener(), known) if here().may(Permission.REVEAL) else "", "known": known,
        "points": [(CHANNELS[each.channel], masks[each.id], each.id) for each in points],
        "channels": [CHANNELS[each.channel] for each in points], "grid": _grid(ctx, points, rows, lists),
        "stops": stops, "preference": preference, "lists": _in_use(ctx),
        "paused": preference.paused_until if preference.paused_until and preference.paused_until > now else None,
        "state": _state(rows[point.id], any(not each.topic_id for each in entries), bool(
            preference.paused_until and preference.paused_until > now)),
        "origins": origins.told(ctx, point), "collected": collected.of(ctx, point.id),
        "items": timeline.of(ctx, opener(), points), "campaigns": _campaigns(ctx),
    }


def _state(rows: list[Standing], stopped: bool, paused: bool) -> str:
    if stopped or not any(row.state == "live" and row.purpose == Purpose.OWN_OFFERS for row in rows):
        return "unsubscribed"
    return "paused" if paused else "subscribed"


def _grid(ctx: Context, points: list[ContactPoint], rows: dict[int, list[Standing]], lists: dict[int, str]
          ) -> list[Line]:
    topics = {row.id: row for row in ctx.db.scalars(select(Topic))}
    held = {(point_id, row.list_id, row.topic_id, row.purpose): row for point_id, found in rows.items()
            for row in found}
    keys = sorted({key[1:] for key in held}, key=lambda key: (key[0], key[2] != Purpose.OWN_OFFERS, key[1]))
    lines = []
    for list_id, topic_id, purpose in keys:
        name = topics[topic_id].name if topic_id in topics else ABOUT_PARTNERS.get(purpose, purpose)
        cells = [_cell(held.get((point.id, list_id, topic_id, purpose))) for point in points]
        lines.append(Line(list_id, topic_id, lists.get(list_id, "A list"), name, cells))
    return lines


def _cell(row: Standing | None) -> Cell | None:
    return Cell(*ANSWERS[row.state], row.since) if row else None


def _in_use(ctx: Context) -> list[tuple[int, str]]:
    return [(row.id, row.name) for row in ctx.db.scalars(
        select(MailingList).where(MailingList.archived.is_(False)).order_by(MailingList.name, MailingList.id))]


def _campaigns(ctx: Context) -> list[tuple[int, str]]:
    return [(each.id, each.name) for each in ctx.db.scalars(
        select(Campaign).order_by(Campaign.id.desc()).limit(CAMPAIGNS_OFFERED))]


def _request(ctx: Context, asked: PendingRequest) -> dict[str, Any]:
    zone = words.zone(ctx)
    today = ctx.clock.now().astimezone(zone).date()
    topics = ctx.db.scalars(select(Topic.name).where(Topic.id.in_(asked.topic_ids)).order_by(Topic.position, Topic.id))
    return {"masked": show.masked_pending(ctx, opener(), asked), "topics": list(topics),
            "list_name": ctx.db.get_one(MailingList, asked.list_id).name,
            "items": timeline.of_request(ctx, asked),
            "day": lambda at: words.day(at.astimezone(zone).date(), today)}
