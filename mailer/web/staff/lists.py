"""Lists and their topics: everybody on the staff reads, the list manager edits (ux 2.2)."""

from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from mailer.analytics import k_anonymity
from mailer.audience import queries
from mailer.audience.queries import Counts
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.errors import Conflict, InvalidInput, NotFound
from mailer.core.messages import CampaignState
from mailer.lists import catalogue
from mailer.lists.models import Form, MailingList, Topic
from mailer.policy import notices
from mailer.staff.roles import Permission
from mailer.web.staff.counted import counted
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.fields import Fields
from mailer.web.staff.found import row
from mailer.web.staff.frame import staff_page
from mailer.web.staff.mistakes import sentence
from mailer.web.support import blueprint, unit

lists = blueprint("staff_lists", "/staff/lists")

CHANNELS = {"email": "Email", "sms": "Text", "postal": "Post"}
OVER = (CampaignState.SENT, CampaignState.STOPPED)
NO_ONE = Counts()
TOPIC_IDS = {"name": "topic", "public_text": "topic_text"}


@dataclass(frozen=True)
class Figures:
    """The counts of one list and channel as this reader may see them."""

    channel: str
    confirmed: str
    waiting: str
    paused: str


@dataclass(frozen=True)
class Line:
    """One list of the table."""

    mailing_list: MailingList
    topics: list[Topic]
    figures: list[Figures]
    forms: list[Form]


@lists.get("")
@staff_only("see_lists")
def page() -> Response:
    """The table of lists."""
    with unit() as ctx:
        every = ctx.db.scalars(select(MailingList).order_by(MailingList.archived, MailingList.id)).all()
        numbers = counted("members", lambda: queries.counts(ctx))
        lines = [_line(ctx, each, numbers) for each in every]
        notice = notices.in_force(ctx)
    return staff_page("staff/lists/lists.html", lines=lines, notice=notice)


@lists.get("/new")
@staff_only("edit_lists")
def new() -> Response:
    """An empty form for a list."""
    return staff_page("staff/lists/new.html", values={})


@lists.post("/new")
@staff_only("edit_lists")
def create() -> Response:
    """Make the list, with its topics, one a line."""
    fields = Fields()
    values = {name: fields.raw(name) for name in ("name", "public_text", "topics")}
    topics = [line.strip() for line in values["topics"].splitlines() if line.strip()]
    try:
        with unit() as ctx:
            made = catalogue.create_list(ctx, values["name"], topics, values["public_text"])
    except (InvalidInput, Conflict) as error:
        return staff_page("staff/lists/new.html", 422, values=values, errors=sentence(error, {"topic": "topics"}))
    flash(f"List {made.name} is made. Next: a form for it.", "good")
    return redirect(url_for("staff_lists.one", list_id=made.id), 303)


@lists.get("/<int:list_id>")
@staff_only("see_lists")
def one(list_id: int) -> Response:
    """A list with its topics and figures."""
    return _show(list_id)


@lists.post("/<int:list_id>")
@staff_only("edit_lists")
def change(list_id: int) -> Response:
    """Rename, and change the public text."""
    fields = Fields()
    values = {name: fields.raw(name) for name in ("name", "public_text")}
    try:
        with unit() as ctx:
            catalogue.rename(ctx, row(ctx, MailingList, list_id), **values)
    except (InvalidInput, Conflict) as error:
        return _show(list_id, 422, values=values, errors=sentence(error))
    flash("Saved.", "good")
    return redirect(url_for("staff_lists.one", list_id=list_id), 303)


@lists.post("/<int:list_id>/topics")
@staff_only("edit_lists")
def add_topic(list_id: int) -> Response:
    """One more topic; forms offer it once they choose it."""
    fields = Fields()
    values = {name: fields.raw(name) for name in ("topic", "topic_text")}
    try:
        with unit() as ctx:
            catalogue.add_topic(ctx, row(ctx, MailingList, list_id), values["topic"], values["topic_text"])
    except (InvalidInput, Conflict) as error:
        return _show(list_id, 422, values=values, errors=sentence(error, {"public_text": "topic_text"}))
    flash("Topic added. Forms offer it once you choose it there.", "good")
    return redirect(url_for("staff_lists.one", list_id=list_id), 303)


@lists.get("/<int:list_id>/topics/<int:topic_id>")
@staff_only("edit_lists")
def topic(list_id: int, topic_id: int) -> Response:
    """A topic's name and public text."""
    with unit() as ctx:
        mailing_list, found = row(ctx, MailingList, list_id), _topic(ctx, list_id, topic_id)
    values = {"topic": found.name, "topic_text": found.public_text}
    return staff_page("staff/lists/topic.html", list=mailing_list, topic=found, values=values)


@lists.post("/<int:list_id>/topics/<int:topic_id>")
@staff_only("edit_lists")
def change_topic(list_id: int, topic_id: int) -> Response:
    """Rename a topic, and change its public text."""
    fields = Fields()
    values = {name: fields.raw(name) for name in ("topic", "topic_text")}
    with unit() as ctx:
        mailing_list, found = row(ctx, MailingList, list_id), _topic(ctx, list_id, topic_id)
    try:
        with unit() as ctx:
            catalogue.rename_topic(ctx, _topic(ctx, list_id, topic_id), values["topic"], values["topic_text"])
    except (InvalidInput, Conflict) as error:
        return staff_page("staff/lists/topic.html", 422, list=mailing_list, topic=found, values=values,
                          errors=sentence(error, TOPIC_IDS))
    flash("Saved. Forms say it from now; what people saw before stays on record.", "good")
    return redirect(url_for("staff_lists.one", list_id=list_id), 303)


@lists.post("/<int:list_id>/topics/<int:topic_id>/archive")
@staff_only("edit_lists")
def archive_topic(list_id: int, topic_id: int) -> Response:
    """Take a topic out of use, or back."""
    with unit() as ctx:
        found = _topic(ctx, list_id, topic_id)
        catalogue.archive(ctx, found, not found.archived)
        words = f"Topic {found.name} is {'archived: no form offers it' if found.archived else 'in use again'}."
    flash(words, "good")
    return redirect(url_for("staff_lists.one", list_id=list_id), 303)


@lists.post("/<int:list_id>/archive")
@staff_only("edit_lists")
def archive(list_id: int) -> Response:
    """Take a list out of use, or back; refused while a form or campaign uses it."""
    with unit() as ctx:
        found = row(ctx, MailingList, list_id)
        used = not found.archived and any(_uses(ctx, list_id))
        if not used:
            catalogue.archive(ctx, found, not found.archived)
    if used:
        return _show(list_id, 409, errors={"archive": "This list is in use. What uses it is named below."})
    flash("The list is archived. Nothing was deleted." if found.archived else "The list is in use again.", "good")
    return redirect(url_for("staff_lists.one", list_id=list_id), 303)


def _show(list_id: int, status: int = 200, values: dict[str, str] | None = None, errors: dict[str, str] | None = None
          ) -> Response:
    with unit() as ctx:
        found = row(ctx, MailingList, list_id)
        forms, campaigns = _uses(ctx, list_id)
        shown: dict[str, Any] = {
            "line": _line(ctx, found, counted("members", lambda: queries.counts(ctx))),
            "notice": notices.in_force(ctx), "used_forms": forms, "campaigns": campaigns}
    kept = {"name": found.name, "public_text": found.public_text, "topic": "", "topic_text": ""} | (values or {})
    return staff_page("staff/lists/list.html", status, list=found, values=kept, errors=errors or {}, **shown)


def _line(ctx: Context, each: MailingList, numbers: dict[tuple[int, str], Counts]) -> Line:
    figures = [_figures(channel, numbers.get((each.id, channel), NO_ONE)) for channel in CHANNELS
               if channel == "email" or (each.id, channel) in numbers]
    forms = ctx.db.scalars(select(Form).where(Form.list_id == each.id, Form.archived.is_(False)).order_by(Form.id))
    return Line(each, catalogue.topics_of(ctx, each.id, archived=True), figures, list(forms))


def _figures(channel: str, counts: Counts) -> Figures:
    exact = here().may(Permission.SEE_PEOPLE)
    confirmed, waiting, paused = (f"{count:,}" if exact else k_anonymity.shown(count)
                                  for count in (counts.confirmed, counts.waiting, counts.paused))
    return Figures(CHANNELS[channel], confirmed, waiting, paused)


def _uses(ctx: Context, list_id: int) -> tuple[list[Form], list[Campaign]]:
    """Forms in use and campaigns that are not over."""
    forms = ctx.db.scalars(select(Form).where(Form.list_id == list_id, Form.archived.is_(False)).order_by(Form.id))
    campaigns = ctx.db.scalars(select(Campaign).where(
        Campaign.list_id == list_id, Campaign.state.not_in(OVER)).order_by(Campaign.id))
    return list(forms), list(campaigns)


def _topic(ctx: Context, list_id: int, topic_id: int) -> Topic:
    found = row(ctx, Topic, topic_id)
    if found.list_id != list_id:
        raise NotFound(topic=topic_id)
    return found
