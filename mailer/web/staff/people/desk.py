"""What staff start for a person who wrote, rang or came, and only that person finishes; each act is in the audit log.
"""

from typing import Any

from flask import flash, redirect, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from mailer.audience import show
from mailer.context import Context
from mailer.core.errors import InvalidAddress, InvalidInput, NotFound
from mailer.lists import catalogue
from mailer.lists.models import MailingList
from mailer.subscriptions import asked_by_staff
from mailer.subscriptions.asked_by_staff import Fate
from mailer.web.staff.door import staff_only
from mailer.web.staff.fields import Fields, whole_number
from mailer.web.staff.frame import staff_page
from mailer.web.staff.people.person import find, gone, shown
from mailer.web.support import blueprint, opener, unit

desk = blueprint("staff_person_desk", "/staff/people")

CHANNEL = "email"
WHOLE = "Type a whole email address, like name@example.org"
SAME = "This is the address we have"
NAMES = {"too_long": "A first name has at most 60 letters.",
         "control_character": "The name holds a line break or a sign that cannot be seen.",
         "card_number": "This looks like a card number. We take none."}
FATES = {
    Fate.ASKED: ("good", "Asked. A message with a link is on its way; nothing happens before they press it."),
    Fate.LEFT_OUT: ("warn", "On the stop list, left out. Nothing was sent."),
    Fate.HERE: ("info", "Already on this list. Nothing was sent."),
    Fate.SAID_NO: ("warn", "They ended this themselves, so they are not asked again. Nothing was sent."),
    Fate.WAITS: ("info", "Asked already, and not confirmed yet. Nothing more was sent."),
    Fate.LIMIT: ("warn", "This address had its messages of this kind for now: two a day, three a month. "
                         "Nothing was sent."),
}
LINK_SENT = "A fresh link goes to their own mailbox: at most one in 15 minutes and five a day. It works for 30 minutes."
NAME_KEPT = "First name: corrected. From now."


@desk.post("/<int:point_id>/fresh-link")
@staff_only("reveal")
def fresh_link(point_id: int) -> Response:
    """Send a fresh preference link to the person's own mailbox."""
    try:
        with unit() as ctx:
            asked_by_staff.send_fresh_link(ctx, find(ctx, point_id))
    except NotFound:
        return gone(point_id)
    flash(LINK_SENT, "good")
    return _back(point_id)


@desk.post("/<int:point_id>/name")
@staff_only("reveal")
def name(point_id: int) -> Response:
    """Correct the first name, or remove it."""
    typed = Fields().raw("first_name")
    try:
        with unit() as ctx:
            asked_by_staff.correct_name(ctx, find(ctx, point_id), typed)
    except InvalidInput as error:
        return shown(point_id, 422, errors={"first_name": NAMES[str(error.context["why"])]},
                     chosen={"first_name": typed})
    except NotFound:
        return gone(point_id)
    flash(NAME_KEPT, "good")
    return _back(point_id)


@desk.post("/<int:point_id>/address")
@staff_only("reveal")
def address(point_id: int) -> Response:
    """Correct the address: the new mailbox confirms, and only then the old one is replaced and told."""
    typed = Fields().raw("email").strip()
    try:
        with unit() as ctx:
            fate = asked_by_staff.correct_address(ctx, find(ctx, point_id), typed)
    except (InvalidAddress, InvalidInput) as error:
        why = SAME if isinstance(error, InvalidInput) else WHOLE
        return shown(point_id, 422, errors={"email": why}, chosen={"email": typed})
    except NotFound:
        return gone(point_id)
    return _said(point_id, fate)


@desk.post("/<int:point_id>/invite")
@staff_only("edit_lists")
def invite_known(point_id: int) -> Response:
    """Ask somebody known whether they want a list too."""
    chosen = Fields().raw("list")
    try:
        with unit() as ctx:
            point = find(ctx, point_id)
            fate = asked_by_staff.invite(ctx, point.channel, show.open_point(ctx, opener(), point),
                                         list_id=whole_number(chosen) or 0)
    except InvalidInput as error:
        return shown(point_id, 422, errors={"list": str(error.context["why"])}, chosen={"list": chosen})
    except NotFound:
        return gone(point_id)
    return _said(point_id, fate)


@desk.get("/invite")
@staff_only("edit_lists")
def form() -> Response:
    """Ask one address whether it wants a list."""
    return _form()


@desk.post("/invite")
@staff_only("edit_lists")
def invite() -> Response:
    """Send the question, or say why nothing is sent; the address is not kept where it is left out."""
    fields = Fields()
    typed, chosen = fields.raw("email").strip(), fields.raw("list")
    topics = [number for number in map(whole_number, fields.many("topics")) if number is not None]
    try:
        with unit() as ctx:
            fate = asked_by_staff.invite(ctx, CHANNEL, typed, list_id=whole_number(chosen) or 0, topic_ids=topics)
    except (InvalidAddress, InvalidInput) as error:
        errors = {"email": WHOLE} if isinstance(error, InvalidAddress) else {
            str(error.context["field"]): str(error.context["why"])}
        return _form(422, errors=errors, email=typed, chosen=chosen, ticked=topics)
    return _form(answer=FATES[fate])


def _form(status: int = 200, **values: Any) -> Response:
    with unit() as ctx:
        lists = _lists(ctx)
        topics = [(topic.id, f"{name}: {topic.name}") for list_id, name in lists
                  for topic in catalogue.topics_of(ctx, list_id)]
    only = str(lists[0][0]) if len(lists) == 1 else ""
    said: dict[str, Any] = {"errors": {}, "email": "", "chosen": only, "ticked": [], "answer": None}
    return staff_page("staff/people/invite.html", status, lists=lists, topics=topics, **(said | values))


def _lists(ctx: Context) -> list[tuple[int, str]]:
    return [(row.id, row.name) for row in ctx.db.scalars(
        select(MailingList).where(MailingList.archived.is_(False)).order_by(MailingList.name, MailingList.id))]


def _said(point_id: int, fate: Fate) -> Response:
    tone, words = FATES[fate]
    flash(words, tone)
    return _back(point_id)


def _back(point_id: int) -> Response:
    return redirect(url_for("staff_person.page", point_id=point_id), 303)
