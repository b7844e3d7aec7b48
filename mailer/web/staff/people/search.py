"""People: found by a whole address sent by POST, or in pages of masked rows (ux 2.3, decision 30)."""

from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy import select
from werkzeug.wrappers import Response

from mailer.audience import contact_points, queries, show
from mailer.audience.models import ContactPoint, PendingRequest
from mailer.audience.queries import PersonState, Scope
from mailer.audit import trail
from mailer.context import Context
from mailer.core.channel import Address
from mailer.core.errors import InvalidAddress, NotFound
from mailer.lists import catalogue
from mailer.lists.models import MailingList, Topic
from mailer.rights import children
from mailer.web.staff.door import staff_only
from mailer.web.staff.fields import Fields
from mailer.web.staff.frame import staff_page
from mailer.web.staff.stop_list import answers
from mailer.web.support import blueprint, opener, unit

people = blueprint("staff_people", "/staff/people")

CHANNEL = "email"
"""The only channel whose addresses can be searched so far."""
STATES = {
    PersonState.WAITING: "Waiting for confirmation", PersonState.SUBSCRIBED: "Subscribed",
    PersonState.PAUSED: "Paused", PersonState.UNSUBSCRIBED: "Unsubscribed", PersonState.UNREACHABLE: "Unreachable",
}
WHOLE = "Type a whole email address, like name@example.org"


@dataclass(frozen=True)
class Row:
    """One masked line: of somebody who confirmed (`point_id`), or who has only asked (`request_id`)."""

    masked: str
    state: str
    lists: str
    since: Any
    point_id: int = 0
    request_id: int = 0


@people.get("")
@staff_only("see_people")
def page() -> Response:
    """The search field, filters, and a page of masked rows."""
    return _page()


@people.post("")
@staff_only("see_people")
def search() -> Response:
    """The one person of a whole address, masked; the address stands in no URL and no title."""
    typed = Fields().raw("email").strip()
    with unit() as ctx:
        address = _address(ctx, typed)
        if address is not None:
            found = _found(ctx, address)
            trail.record(ctx, "people_searched", "people", found=len(found))
    if address is None:
        return _page(422, email=typed, errors={"email": WHOLE})
    return staff_page("staff/people/found.html", rows=found, email=typed)


@people.post("/stop-list")
@staff_only("see_people")
def stop_list() -> Response:
    """Whether an address is on the stop list: yes or no, with reason, scope and day; noted."""
    return answers.asked() or _page(422, email=Fields().raw("email").strip(), errors={"email": WHOLE})


def _page(status: int = 200, **values: Any) -> Response:
    with unit() as ctx:
        lists = list(ctx.db.scalars(select(MailingList).order_by(MailingList.archived, MailingList.id)))
        scope = _asked(ctx)
        after = request.args.get("after", type=int) or 0
        rows, next_after = _rows(ctx, scope, after)
        topics = [(topic.id, f"{each.name}: {topic.name}") for each in lists
                  for topic in catalogue.topics_of(ctx, each.id, archived=True)
                  if scope.list_id in (None, each.id)]
    chosen = {"list": scope.list_id, "topic": scope.topic_id, "state": scope.state}
    query = {name: value for name, value in chosen.items() if value is not None}
    names = [(each.id, each.name) for each in lists]
    return staff_page("staff/people/people.html", status, lists=names, topics=topics, rows=rows,
                      next_after=next_after, after=after, chosen=chosen, query=query,
                      states=list(STATES.items()), **{"email": "", **values})


def _asked(ctx: Context) -> Scope:
    """The filters, as far as they make sense together."""
    list_id, topic_id = request.args.get("list", type=int), request.args.get("topic", type=int)
    topic = ctx.db.get(Topic, topic_id) if topic_id and topic_id < queries.LARGEST_ID else None
    if topic is None or list_id not in (None, topic.list_id):
        topic = None
    state = request.args.get("state", "")
    if list_id is not None and not 0 < list_id < queries.LARGEST_ID:
        list_id = None
    return Scope(topic.list_id if topic else list_id, topic.id if topic else None,
                 PersonState(state) if state in set(PersonState) else None)


def _rows(ctx: Context, scope: Scope, after: int) -> tuple[list[Row], int | None]:
    after = min(max(after, 0), queries.LARGEST_ID - 1)
    names = _list_names(ctx)
    if scope.state is PersonState.WAITING:
        waiting = queries.waiting(ctx, scope, after=after)
        return [_pending(ctx, names, each) for each in waiting.rows], waiting.next_after
    page = queries.people(ctx, scope, after=after)
    masks = show.masked_many(ctx, opener(), children.unreported(ctx, [row.point for row in page.rows]))
    return [Row(masks[row.point.id], row.state, _joined(names, row.lists), row.joined_on, point_id=row.point.id)
            for row in page.rows if row.point.id in masks], page.next_after


def _found(ctx: Context, address: Address) -> list[Row]:
    names = _list_names(ctx)
    point = contact_points.find(ctx, CHANNEL, address)
    known = [_known(ctx, names, each) for each in children.unreported(ctx, [point] if point else [])]
    asked = [_pending(ctx, names, each) for each in queries.requests_of(ctx, CHANNEL, address)]
    return [row for row in known if row is not None] + asked


def _known(ctx: Context, names: dict[int, str], point: ContactPoint) -> Row | None:
    page = queries.people(ctx, Scope(), after=point.id - 1, size=1)
    if not page.rows or page.rows[0].point.id != point.id:
        return None
    try:
        mask = show.masked(ctx, opener(), point)
    except NotFound:
        return None
    row = page.rows[0]
    return Row(mask, row.state, _joined(names, row.lists), row.joined_on, point_id=point.id)


def _pending(ctx: Context, names: dict[int, str], asked: PendingRequest) -> Row:
    return Row(show.masked_pending(ctx, opener(), asked), PersonState.WAITING, names.get(asked.list_id, ""),
               asked.asked_at.date(), request_id=asked.id)


def _joined(names: dict[int, str], list_ids: tuple[int, ...]) -> str:
    return ", ".join(names[list_id] for list_id in sorted(list_ids) if list_id in names) or "None"


def _list_names(ctx: Context) -> dict[int, str]:
    return {list_id: name for list_id, name in ctx.db.execute(select(MailingList.id, MailingList.name))}


def _address(ctx: Context, typed: str) -> Address | None:
    try:
        return contact_points.parse(ctx, CHANNEL, typed)
    except InvalidAddress:
        return None
