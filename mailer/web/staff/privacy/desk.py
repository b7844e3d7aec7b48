"""The privacy desk: what people asked, each with its clock; Admin and Auditor see counts and times alone (ux 2.18)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from mailer.audience import show
from mailer.audience.models import ContactPoint
from mailer.context import Context
from mailer.core.errors import InvalidAddress, InvalidInput, NotFound
from mailer.gate import history
from mailer.rights import answers, children, copies, deadlines, requests, watch
from mailer.rights.models import RightsRequest
from mailer.staff.roles import Permission
from mailer.subscriptions import words
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.fields import Fields
from mailer.web.staff.frame import staff_page
from mailer.web.staff.people import timeline
from mailer.web.support import blueprint, opener, unit

privacy_desk = blueprint("staff_privacy", "/staff/privacy")

KINDS = [(kind, name) for kind, name in requests.NAMES.items() if kind != "child"]
SOURCES = {"self": "by the person, on their page", "desk": "taken down here", "public": "by the contact form"}


@dataclass(frozen=True)
class Line:
    """One request of the inbox; nobody's words or address."""

    request: RightsRequest
    name: str
    left: int
    due_on: str
    identity: str
    overdue: bool


@privacy_desk.get("")
@staff_only("privacy_counts")
def page() -> Response:
    """The inbox with the nearest clock first, or counts and times alone."""
    return inbox(200)


@privacy_desk.post("")
@staff_only("privacy")
def take_down() -> Response:
    """A request that came by telephone, letter or in person."""
    fields = Fields()
    said = {name: fields.raw(name).strip() for name in ("kind", "contact", "note")}
    try:
        with unit() as ctx:
            made = requests.open_request(ctx, said["kind"], source="desk", contact=said["contact"], note=said["note"],
                                         told=fields.raw("told") == "yes")
    except InvalidAddress:
        fields.errors["contact"] = "Enter an email address, like name@example.com, or leave it empty."
    except InvalidInput as error:
        fields.note(error)
    if fields.errors:
        return inbox(422, errors=fields.errors, said=said)
    flash(f"Request {made.id} is open.", "good")
    return redirect(url_for("staff_privacy.request_page", request_id=made.id), 303)


@privacy_desk.post("/escalation")
@staff_only("privacy")
def escalation() -> Response:
    """Name whom people may turn to when we do not answer."""
    fields = Fields()
    try:
        with unit() as ctx:
            watch.set_escalation(ctx, fields.raw("escalation"))
    except InvalidInput as error:
        fields.note(error)
        return inbox(422, errors=fields.errors)
    flash("Kept. It stands on every receipt from now on.", "good")
    return redirect(url_for("staff_privacy.page"), 303)


@privacy_desk.get("/<int:request_id>")
@staff_only("privacy")
def request_page(request_id: int) -> Response:
    """One request: clock, identity, what was asked, and what may be done."""
    return shown(request_id)


def inbox(status: int, *, errors: dict[str, str] | None = None, said: dict[str, str] | None = None) -> Response:
    """The desk with what was wrong with a form."""
    with unit() as ctx:
        values: dict[str, Any] = {"load": requests.load(ctx), "lines": [], "closed": []}
        if here().may(Permission.PRIVACY):
            values |= {"lines": [line(ctx, each) for each in requests.listed(ctx, state="open")],
                       "closed": [line(ctx, each) for each in requests.listed(ctx, state="closed", size=20)],
                       "escalation": watch.escalation(ctx)}
    return staff_page("staff/privacy/desk.html", status, kinds=KINDS, errors=errors or {},
                      said=said or {"kind": "", "contact": "", "note": ""}, **values)


def shown(request_id: int, status: int = 200, *, errors: dict[str, str] | None = None,
          typed: dict[str, str] | None = None) -> Response:
    """One request with what was wrong with an act. Raises: NotFound."""
    with unit() as ctx:
        found = requests.get(ctx, request_id)
        values = _request(ctx, found)
    return staff_page("staff/privacy/request.html", status, request_row=found, errors=errors or {}, typed=typed or {},
                      **values)


def line(ctx: Context, request: RightsRequest) -> Line:
    """A request with its clock in words."""
    zone, now = words.zone(ctx), ctx.clock.now()
    return Line(request, requests.NAMES[request.kind], deadlines.days_left(request.due_at, now, zone),
                words.day(request.due_at.astimezone(zone).date(), now.astimezone(zone).date()),
                requests.IDENTITIES[request.identity], request.state == "open" and request.due_at < now)


def _request(ctx: Context, request: RightsRequest) -> dict[str, Any]:
    said = requests.words_of(ctx, opener(), request)
    point = requests.point_of(ctx, request)
    known = requests.person_of(ctx, request) if request.state == "open" else None
    copy = copies.current(ctx, known.id) if known else None
    report = children.of_request(ctx, request) if request.kind == "child" else None
    return {
        "line": line(ctx, request), "source": SOURCES[request.source], "note": said.note,
        "contact": _mask(ctx, said.contact), "point": point if known else None, "known": known,
        "at_all": point is not None, "masked": show.masked(ctx, opener(), point) if point else "",
        "copy_until": _day(ctx, copy.expires_at) if copy else "", "reachable": answers.reachable(request),
        "report": report, "needs_identity": request.kind in requests.NEEDS_IDENTITY,
        "escalation": watch.escalation(ctx), **(_complaint(ctx, point) if known and point else {}),
    }


def _complaint(ctx: Context, point: ContactPoint) -> dict[str, Any]:
    """What stands behind a complaint: the consents, and what was sent and not sent under them (promise T2)."""
    try:
        items = timeline.of(ctx, opener(), [point])
    except NotFound:
        items = []
    return {"items": items, "sends": history.of(ctx, point.id)}


def _mask(ctx: Context, contact: str) -> str:
    return ctx.channels[requests.CHANNEL].mask(contact) if contact else ""


def _day(ctx: Context, moment: datetime) -> str:
    return words.full_day(moment.astimezone(words.zone(ctx)).date())
