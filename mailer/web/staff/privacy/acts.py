"""What the officer does about a request: make sure who asks, build and send, correct, erase, answer, extend."""

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from mailer.audience.models import ContactPoint, Person
from mailer.context import Context
from mailer.core.errors import Conflict, InvalidInput, NotFound
from mailer.rights import answers, children, copies, requests
from mailer.rights.erase import GONE, KEPT, erase
from mailer.rights.models import ErasureCertificate, RightsRequest
from mailer.subscriptions import asked_by_staff, by_staff
from mailer.web.public.my_data import receipt
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.fields import Fields
from mailer.web.staff.frame import staff_page
from mailer.web.staff.people.desk import LINK_SENT
from mailer.web.staff.privacy.desk import line, shown
from mailer.web.support import blueprint, opener, unit

privacy_acts = blueprint("staff_privacy_acts", "/staff/privacy")

FIRST = "Make sure first who asks."
OVER = "Somebody else closed this request meanwhile."
ASKS_THERE = f"{LINK_SENT} Once they say there that they asked this, this request says so."
COPIED = ("access", "portability")
"""Kinds that are answered with a copy."""


@privacy_acts.post("/<int:request_id>/identity")
@staff_only("privacy")
def identity(request_id: int) -> Response:
    """Note how it was made sure who asks, or mail a fresh link, behind which they say so themselves."""
    how = Fields().raw("identity")
    if how != "fresh_link":
        return _done(request_id, lambda ctx, found: requests.identify(ctx, found, how), "Noted.")
    return _done(request_id, _ask_fresh, ASKS_THERE)


@privacy_acts.post("/<int:request_id>/acknowledge")
@staff_only("privacy")
def acknowledge(request_id: int) -> Response:
    """The officer told the person by telephone or letter."""
    return _done(request_id, requests.acknowledged, "Noted: the person knows that it has come.")


@privacy_acts.post("/<int:request_id>/copy")
@staff_only("privacy")
def copy(request_id: int) -> Response:
    """Build the copy; it is sealed under the person's own key and not shown here."""
    return _done(request_id, _build, "The copy is built. Send it: the person opens it with a fresh link.")


@privacy_acts.post("/<int:request_id>/send")
@staff_only("privacy")
def send(request_id: int) -> Response:
    """Tell the person that the copy is ready, and stop the clock."""
    return _done(request_id, _send, "Sent. The copy waits for the person for 7 days.")


@privacy_acts.post("/<int:request_id>/stop")
@staff_only("privacy")
def stop(request_id: int) -> Response:
    """An objection: everything by that channel ends, and the request with it."""
    return _done(
        request_id, lambda ctx, found: _for_person(
            ctx, _of_kind(found, "objection", "complaint"), _stop, "stopped everything"),
        "Stopped. Nothing more is sent on this channel.")


@privacy_acts.post("/<int:request_id>/hold")
@staff_only("privacy")
def hold(request_id: int) -> Response:
    """Keep everything and use nothing of it."""
    return _done(request_id, lambda ctx, found: _for_person(ctx, _of_kind(found, "hold"), _hold, "on hold"),
                 "On hold: nothing is sent but answers to their requests.")


@privacy_acts.post("/<int:request_id>/answer")
@staff_only("privacy")
def answer(request_id: int) -> Response:
    """Answer in words, and stop the clock."""
    said = Fields().raw("answer")
    return _done(request_id, lambda ctx, found: answers.say(ctx, found, said, by=_me()), "Answered and closed.",
                 typed={"answer": said})


@privacy_acts.post("/<int:request_id>/extend")
@staff_only("privacy")
def extend(request_id: int) -> Response:
    """Take two months more, with reasons that the person gets."""
    why = Fields().raw("why")
    return _done(request_id, lambda ctx, found: answers.extend(ctx, found, why, by=_me()),
                 "Two months more. The person is told why.", typed={"why": why})


@privacy_acts.post("/<int:request_id>/child")
@staff_only("privacy")
def child(request_id: int) -> Response:
    """A report of a child: erase now, or note that an adult objected."""
    objects = Fields().raw("answer") == "adult"
    return _done(request_id, lambda ctx, found: _child(ctx, found, objects),
                 "Noted: the address counts as an adult's." if objects else "Erased.")


@privacy_acts.get("/<int:request_id>/erase")
@staff_only("privacy")
def preview(request_id: int) -> Response:
    """What would go, what would stay and why."""
    with unit() as ctx:
        found = _of_kind(requests.get(ctx, request_id), "erasure")
        known = requests.person_of(ctx, found) if found.state == "open" else None
        values: dict[str, Any] = {"line": line(ctx, found), "known": known}
    return staff_page("staff/privacy/erase.html", request_row=found, gone=GONE, kept=KEPT, **values)


@privacy_acts.post("/<int:request_id>/erase")
@staff_only("privacy")
def press_erase(request_id: int) -> Response:
    """Erase, close and show the receipt."""
    certificate: ErasureCertificate | None = None
    with unit() as ctx:
        _of_kind(requests.get(ctx, request_id), "erasure")
    try:
        with unit() as ctx:
            found = requests.get(ctx, request_id)
            person = _person(ctx, found)
            certificate = erase(ctx, person.id, by=_me(), request_id=request_id)
            requests.close(ctx, found, "erased", by=_me())
    except InvalidInput as error:
        return shown(request_id, 422, errors={str(error.context["field"]): str(error.context["why"])})
    except (NotFound, Conflict):
        if certificate is None:
            flash(OVER, "warn")
            return redirect(url_for("staff_privacy.request_page", request_id=request_id), 303)
    return redirect(url_for("staff_privacy_acts.certificate", number=certificate.id), 303)


@privacy_acts.get("/certificate/<int:number>")
@staff_only("privacy")
def certificate(number: int) -> Response:
    """The receipt of an erasure, to print; it names nobody. Raises: NotFound."""
    with unit() as ctx:
        found = ctx.db.get(ErasureCertificate, number) if number < 1 << 63 else None
        if found is None:
            raise NotFound(certificate=number)
        values = receipt(ctx, found.id, found.body, found.signature)
    return staff_page("staff/privacy/certificate.html", **values)


def _done(request_id: int, act: Callable[[Context, RightsRequest], object], said: str, *,
          typed: dict[str, str] | None = None) -> Response:
    """Do it in one transaction and go back; what is wrong stands beside the form."""
    try:
        with unit() as ctx:
            act(ctx, requests.get(ctx, request_id))
    except InvalidInput as error:
        return shown(request_id, 422, errors={str(error.context["field"]): str(error.context["why"])}, typed=typed)
    except Conflict:
        flash(OVER, "warn")
    else:
        flash(said, "good")
    return redirect(url_for("staff_privacy.request_page", request_id=request_id), 303)


def _me() -> str:
    return f"staff:{here().staff_id}"


def _of_kind(found: RightsRequest, *kinds: str) -> RightsRequest:
    """Raises: NotFound for a request of another kind, which has no such act."""
    if found.kind not in kinds:
        raise NotFound(rights_request=found.id)
    return found


def _person(ctx: Context, found: RightsRequest) -> Person:
    """Raises: InvalidInput naming `identity` while nobody made sure; Conflict when the request is closed."""
    if found.state != "open":
        raise Conflict(rights_request=found.id)
    person = requests.person_of(ctx, found)
    if person is None:
        raise InvalidInput(field="identity", why=FIRST)
    return person


def _ask_fresh(ctx: Context, found: RightsRequest) -> None:
    point = requests.point_of(ctx, found)
    if point is None:
        raise InvalidInput(field="identity", why="We hold no address to send a link to. Call back, or write a letter.")
    asked_by_staff.send_fresh_link(ctx, point)


def _build(ctx: Context, found: RightsRequest) -> None:
    copies.build(ctx, opener(), _person(ctx, _of_kind(found, *COPIED)), by=_me(), request_id=found.id)


def _send(ctx: Context, found: RightsRequest) -> None:
    waiting = copies.current(ctx, _person(ctx, _of_kind(found, *COPIED)).id)
    if waiting is None:
        raise InvalidInput(field="copy", why="Build the copy first.")
    answers.send_copy(ctx, found, waiting, by=_me())


def _for_person(ctx: Context, found: RightsRequest, act: Callable[[Context, ContactPoint], object], outcome: str
                ) -> None:
    _person(ctx, found)
    point = requests.point_of(ctx, found)
    if point is None:
        raise InvalidInput(field="identity", why=FIRST)
    act(ctx, point)
    requests.close(ctx, found, outcome, by=_me())


def _stop(ctx: Context, point: ContactPoint) -> None:
    by_staff.stop(ctx, point, reported="desk")


def _hold(ctx: Context, point: ContactPoint) -> None:
    by_staff.hold(ctx, point, True)


def _child(ctx: Context, found: RightsRequest, objects: bool) -> None:
    report = children.of_request(ctx, found)
    if report is None:
        raise Conflict(rights_request=found.id)
    if objects:
        children.object_to(ctx, report, by=_me())
    else:
        children.forget(ctx, report, by=_me())
