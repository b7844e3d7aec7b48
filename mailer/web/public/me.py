"""The page that a fresh link opens: everything that is sent to somebody, to see and to change (ux 3.4)."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from flask import Response, request, url_for

from mailer.audience import show
from mailer.audience.models import Person
from mailer.context import Context
from mailer.core.errors import BadToken, InvalidAddress, InvalidInput, NotFound
from mailer.core.links import Link
from mailer.core.messages import Purpose
from mailer.rights import requests
from mailer.rights.models import RightsRequest
from mailer.subscriptions import address, claims, details, fresh, whole, words
from mailer.subscriptions.fresh import Access
from mailer.subscriptions.leave import leave
from mailer.subscriptions.whole import Cell, Choices, Group, Line, Whole
from mailer.web.public.door import LONGEST_ECHO, from_our_pages, ids, masked, public_blueprint, typed
from mailer.web.public.join import FREQUENCIES, SENTENCES
from mailer.web.public.leave import left
from mailer.web.support import opener, public_page, token_in_path, unit

me = public_blueprint("public_me")

NAMES = {days: name for name, days in FREQUENCIES.items()}
CHANNELS = {"email": "Email", "sms": "Text", "postal": "Post"}
PURPOSES = {"partner_offers": Purpose.PARTNER_OFFERS, "share": Purpose.SHARE}
EMAIL = {"same": "This is the address we write to already"}
ADDRESS = "Enter an email address, like name@example.com"


@me.get("/me/<token>")
@token_in_path
def page(token: str) -> Response:
    """What we send, whole."""
    return _page(token)


@me.post("/me/<token>")
@token_in_path
def save(token: str) -> Response:
    """Apply every choice, and say exactly what changed."""
    from_our_pages()
    chosen = _choices()
    try:
        with unit() as ctx:
            access = fresh.read(ctx, token)
            saved = whole.save(ctx, access, chosen)
            undo = claims.token(ctx, Link.UNDO, access.point.id, saved.goodbye.id) if saved.goodbye else None
    except InvalidInput as error:
        return _page(token, 422, chosen=chosen, errors={"pause_until": f"Choose {error.context['why']}"})
    return _saved(token, saved.changes, url_for("public_leave.take_back", token=undo) if undo else None)


@me.post("/me/<token>/stop")
@token_in_path
def stop(token: str) -> Response:
    """Stop everything: every channel that this page may change."""
    from_our_pages()
    with unit() as ctx:
        access = fresh.read(ctx, token)
        goodbyes = [leave(ctx, point, how=whole.HOW) for point in whole.points_of(ctx, access).values()]
        mine = next(each for each in goodbyes if each.contact_point_id == access.point.id)
        said = access.point.id, mine.at, mine.id
    return left(*said)


@me.post("/me/<token>/name")
@token_in_path
def name(token: str) -> Response:
    """Change or remove the first name."""
    from_our_pages()
    raw = "" if request.form.get("act") == "remove" else typed("first_name")
    try:
        with unit() as ctx:
            kept = details.set_first_name(ctx, _whole(ctx, token).point, raw, source=whole.SOURCE)
    except InvalidInput as error:
        why = SENTENCES["first_name", str(error.context["why"])]
        return _page(token, 422, errors={"first_name": why}, typed_in={"first_name": raw[:LONGEST_ECHO]})
    return _saved(token, ["First name: changed. From now." if kept else "First name: removed."], None)


@me.post("/me/<token>/email")
@token_in_path
def email(token: str) -> Response:
    """Mail a link to the new address; until it is pressed there, nothing changes."""
    from_our_pages()
    raw = typed("email")
    try:
        with unit() as ctx:
            address.ask(ctx, _whole(ctx, token).point, raw, source=whole.SOURCE)
    except (InvalidAddress, InvalidInput) as error:
        why = EMAIL.get(str(error.context.get("why")), ADDRESS)
        return _page(token, 422, errors={"email": why}, typed_in={"email": raw[:LONGEST_ECHO]})
    return public_page("public/address_asked.html", email=raw[:LONGEST_ECHO], outbox_url="/outbox",
                       back_url=url_for("public_me.page", token=token))


@me.post("/me/<token>/request")
@token_in_path
def asked(token: str) -> Response:
    """Whether they wrote a request that came with this address."""
    from_our_pages()
    theirs = {"yes": True, "no": False}.get(typed("answer"))
    with unit() as ctx:
        access = _whole(ctx, token)
        if theirs is None:
            raise NotFound(answer="none")
        found = requests.answered(ctx, access.point, next(iter(ids("number")), 0), theirs=theirs)
        due = words.full_day(found.due_at.astimezone(words.zone(ctx)).date())
        name = requests.NAMES[found.kind]
    return _saved(token, [f"{name}: it was you. We answer by {due}." if theirs else
                          f"{name}: it was not you. We closed it and do nothing of it."], None)


@me.post("/me/<token>/done")
@token_in_path
def done(token: str) -> Response:
    """Close the page at once; pressing twice is answered alike."""
    from_our_pages()
    with suppress(BadToken), unit() as ctx:
        fresh.end(ctx, token)
    return public_page("public/me_done.html", manage_url=url_for("public_fresh.manage"))


def _whole(ctx: Context, token: str) -> Access:
    """Whose page this is, where it came by mail. Raises: BadToken; NotFound behind a link that came by text."""
    access = fresh.read(ctx, token)
    if not access.whole:
        raise NotFound(page="whole")
    return access


def _saved(token: str, changes: list[str], undo_action: str | None) -> Response:
    return public_page("public/preferences_saved.html", changes=changes, undo_action=undo_action, stamp=None,
                       preferences_url=url_for("public_me.page", token=token))


def _choices() -> Choices:
    return Choices(
        topics={channel: ids(f"topics-{channel}") for channel in CHANNELS},
        purposes=frozenset(purpose for field, purpose in PURPOSES.items() if typed(field) == "yes"),
        every_days=FREQUENCIES.get(typed("frequency")), format=typed("format") or None, pause=typed("pause") or None,
        until=typed("pause_until"))


def _page(token: str, status: int = 200, *, chosen: Choices | None = None, errors: Mapping[str, str] | None = None,
          typed_in: Mapping[str, str] | None = None) -> Response:
    with unit() as ctx:
        access = fresh.read(ctx, token)
        view = whole.look(ctx, access)
        values = _values(ctx, access, view if chosen is None else _as_chosen(view, chosen))
    if chosen is not None:
        values["pause"] |= {"value": "until", "until": chosen.until[:20]}
    actions = {f"{act}_action": url_for(f"public_me.{act}", token=token)
               for act in ("save", "stop", "name", "email", "asked", "done")}
    actions |= {"copy_url": url_for("public_my_data.copy", token=token),
                "erase_url": url_for("public_my_data.ask_erase", token=token)}
    return public_page("public/me.html", status, errors=errors or {}, **(values | dict(typed_in or {})), **actions)


def _values(ctx: Context, access: Access, view: Whole) -> dict[str, Any]:
    today = ctx.clock.now().astimezone(words.zone(ctx)).date()
    until = view.paused_until.astimezone(words.zone(ctx)).date() if view.paused_until else None
    person = ctx.db.get_one(Person, access.point.person_id)
    return {
        "masked": masked(ctx, access.point), "whole": access.whole, "view": view, "tick": whole.TICK,
        "kept": whole.KEPT, "columns": [(channel, CHANNELS[channel]) for channel in view.channels],
        "frequency": NAMES[view.every_days], "fields": {purpose: field for field, purpose in PURPOSES.items()},
        "pause": {"value": "until" if until else "no", "until": until.isoformat() if until else "",
                  "now": f"Paused until {words.day(until, today)}" if until else None},
        "first_name": show.first_name(ctx, opener(), person) if access.whole else "",
        "has_name": person.sealed_first_name is not None, "email": "",
        "waiting": address.waiting(ctx, access.point.id),
        "doubts": [_doubt(ctx, each) for each in requests.in_doubt(ctx, access.point)] if access.whole else [],
    }


def _doubt(ctx: Context, found: RightsRequest) -> dict[str, Any]:
    """A request that somebody wrote with this address; not its words, which may be another's."""
    zone = words.zone(ctx)
    on = words.day(found.opened_at.astimezone(zone).date(), ctx.clock.now().astimezone(zone).date())
    return {"number": found.id, "asked": requests.NAMES[found.kind], "on": on}


def _as_chosen(view: Whole, chosen: Choices) -> Whole:
    """The page with what was ticked, while something has still to be mended."""
    groups = [Group(group.name, [_line_as_chosen(line, chosen) for line in group.lines]) for group in view.groups]
    return replace(view, groups=groups, format=chosen.format if chosen.format in words.FORMATS else view.format,
                   every_days=chosen.every_days if chosen.every_days is not None else view.every_days,
                   extras=[replace(extra, on=extra.purpose in chosen.purposes) for extra in view.extras])


def _line_as_chosen(line: Line, chosen: Choices) -> Line:
    return replace(line, cells={channel: Cell(line.topic_id in chosen.topics.get(channel, frozenset()), cell.since)
                                for channel, cell in line.cells.items()})
