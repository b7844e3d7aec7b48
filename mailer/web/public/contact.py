"""The contact that every page and message names: whatever somebody asks of us becomes a request with a clock (M30)."""

from typing import Any

from flask import Response, url_for

from mailer.core.card_numbers import holds_card_number
from mailer.core.errors import InvalidAddress, InvalidInput
from mailer.rights import requests, watch
from mailer.rights.requests import LONGEST_NOTE
from mailer.subscriptions import words
from mailer.web import stamps
from mailer.web.doors import LIMITER
from mailer.web.public.door import LONGEST_ECHO, from_our_pages, public_blueprint, typed
from mailer.web.support import open_to_all, public_page, unit

contact = public_blueprint("public_contact")

STAMP = "contact"
STALE = "This page was open for long. Your words are still here: press once more"
ADDRESS = "Enter the address to answer to, like name@example.com"
KINDS = (
    ("question", "A question, or feedback"),
    ("access", "A copy of what you hold about me"),
    ("correction", "Something you hold about me is wrong"),
    ("erasure", "Erase what you hold about me"),
    ("objection", "I object to what you do with my data"),
    ("hold", "Keep my data, but do not use it"),
    ("portability", "Hand me my data to take along"),
    ("complaint", "A complaint: I think you broke your own notice"),
)


@contact.get("/contact")
@open_to_all
def page() -> Response:
    """The form."""
    return _page({"kind": "", "email": "", "note": ""}, {})


@contact.post("/contact")
@open_to_all
@LIMITER.limit("10/hour")
def send() -> Response:
    """Open a request; what it is about and who asks is known to the privacy desk alone."""
    from_our_pages()
    said = {name: typed(name).replace("\x00", "").replace("\r\n", "\n") for name in ("kind", "email", "note")}
    errors = _faults(said)
    with unit() as ctx:
        if not errors and not stamps.fits(ctx, STAMP, typed("stamp")):
            errors["note"] = STALE
    if errors:
        return _page(said, errors, 422)
    try:
        with unit() as ctx:
            request = requests.open_request(ctx, said["kind"], source="public", contact=said["email"],
                                            note=said["note"])
            zone = words.zone(ctx)
            values: dict[str, Any] = {
                "number": request.id, "asked": requests.NAMES[request.kind],
                "due_on": words.full_day(request.due_at.astimezone(zone).date()),
                "acknowledge_by": words.full_day(request.acknowledge_by.astimezone(zone).date()),
                "escalation": watch.escalation(ctx)}
    except InvalidAddress:
        return _page(said, {"email": ADDRESS}, 422)
    except InvalidInput as error:
        return _page(said, {str(error.context["field"]): str(error.context["why"])}, 422)
    return public_page("public/contact_done.html", **values)


def _faults(said: dict[str, str]) -> dict[str, str]:
    errors = {}
    if said["kind"] not in dict(KINDS):
        errors["kind"] = "Choose what this is about"
    if not said["email"]:
        errors["email"] = ADDRESS
    if not said["note"]:
        errors["note"] = "Write a line, so that we know what to do"
    elif len(said["note"]) > LONGEST_NOTE:
        errors["note"] = f"Use at most {LONGEST_NOTE:,} characters"
    elif holds_card_number(said["note"]):
        errors["note"] = "Leave out the card number: we never keep one"
    return errors


def _page(said: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    with unit() as ctx:
        stamp, escalation = stamps.make(ctx, STAMP), watch.escalation(ctx)
    return public_page("public/contact.html", status, action=url_for("public_contact.send"), stamp=stamp, kinds=KINDS,
                       said=said | {"email": said["email"][:LONGEST_ECHO]}, errors=errors, escalation=escalation,
                       child_url=url_for("public_child.page"), longest=LONGEST_NOTE)
