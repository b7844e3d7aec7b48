"""The disclosure register: every time personal data left, and to whom; the officer writes, the Auditor reads (2.21)."""

from datetime import date
from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.policy import packs
from mailer.rights import disclosures
from mailer.rights.models import Disclosure
from mailer.staff import accounts, sign_in
from mailer.staff.models import Staff
from mailer.staff.roles import Permission
from mailer.web.doors import network
from mailer.web.numbers import place
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.fields import Fields, whole_number
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, opener, unit

register = blueprint("staff_register", "/staff/register")

KINDS = {
    "export": "Export", "access_copy": "Copy for the person", "batch": "Postal batch", "hook": "Hook",
    "processor": "Somebody who works for us", "legal_demand": "Legal demand",
    "business_transfer": "Business transfer", "proof": "Proof of a consent",
}
BY_HAND = ("processor", "legal_demand", "business_transfer", "export", "proof")
"""Kinds that leave outside this program; the others enter themselves."""
REASONS = {
    "person_asked": "The person asked", "proof": "Proof of a consent", "processing": "They work for us",
    "own_records": "Our own records", "legal_process": "Legal process: a court asked",
    "government_request": "A government asked", "illegal_or_terms": "Illegal acts, or our terms were broken",
    "rights_or_safety": "To protect rights or safety", "fraud": "Fraud", "business_transfer": "The business was sold",
}
CATEGORIES = ("addresses", "names", "choices", "consents", "messages", "stop list")
NAMES = ("kind", "reason", "recipient", "people", "ground", "legal_reference", "second", "sealed_until")
MOST_PEOPLE = 1_000_000_000


@register.get("")
@staff_only("register")
def page() -> Response:
    """The newest entries, or those before a number."""
    return _page(200, Fields())


@register.post("")
@staff_only("privacy")
def write() -> Response:
    """Enter what left by hand; the reasons are those that the policy allows."""
    fields = Fields()
    people = whole_number(fields.raw("people").strip())
    if people is None or people > MOST_PEOPLE:
        fields.errors["people"] = "Type how many people it is about."
    sealed, second = _day(fields), _second(fields)
    made = None
    if not fields.errors:
        try:
            with unit() as ctx:
                made = disclosures.record(
                    ctx, _of(BY_HAND, fields.raw("kind")), reason=fields.raw("reason"),
                    recipient=fields.raw("recipient")[:200],
                    categories=[each for each in fields.many("categories") if each in CATEGORIES], people=people,
                    ground=fields.raw("ground")[:300], legal_reference=fields.raw("legal_reference")[:300],
                    by=f"staff:{here().staff_id}", automatic=False, sealed_until=sealed,
                    second=second)
        except InvalidInput as error:
            fields.note(error)
    if made is None:
        return _page(422, fields)
    flash(f"Entry {made.id} is written. It cannot be taken away.", "good")
    return redirect(url_for("staff_register.page"), 303)


def _page(status: int, fields: Fields) -> Response:
    before = place(request.args, "before")
    with unit() as ctx:
        entries = disclosures.listed(ctx, before=before or None, size=disclosures.PAGE + 1)
        names: dict[str, str] = {}
        lines = [_line(ctx, each, names) for each in entries[:disclosures.PAGE]]
        allowed = packs.current(ctx).disclosure_reasons
    older = entries[disclosures.PAGE - 1].id if len(entries) > disclosures.PAGE else None
    return staff_page(
        "staff/privacy/register.html", status, lines=lines, older=older, errors=fields.errors, kinds=[
            (kind, KINDS[kind]) for kind in BY_HAND],
        reasons=[(code, said) for code, said in REASONS.items() if code in allowed],
        categories=[(each, each.capitalize()) for each in CATEGORIES],
        chosen=fields.many("categories"), values={name: fields.raw(name) for name in NAMES},
        may_write=here().may(Permission.PRIVACY))


def _line(ctx: Context, entry: Disclosure, names: dict[str, str]) -> dict[str, Any]:
    return {"entry": entry, "kind": KINDS[entry.kind], "reason": REASONS.get(entry.reason, entry.reason),
            "by": _who(ctx, entry.by, names), "second": _who(ctx, entry.second, names) if entry.second else ""}


def _who(ctx: Context, actor: str, names: dict[str, str]) -> str:
    if actor not in names:
        kind, _, number = actor.partition(":")
        member = ctx.db.get(Staff, int(number)) if kind == "staff" and number.isdigit() else None
        names[actor] = (accounts.name_of(opener(), member) if member else "") or (
            "the person" if actor == "self" else actor)
    return names[actor]


def _second(fields: Fields) -> str:
    """A colleague agrees by typing their own password here; the try is kept, right or wrong."""
    email = fields.raw("second").strip()
    if not email:
        return ""
    with unit() as ctx:
        number = sign_in.agrees(ctx, email=email, password=fields.raw("second_password"), network=network())
    if not number:
        fields.errors["second"] = "This address and password do not go together, or it was tried too often."
    return f"staff:{number}" if number else ""


def _of(allowed: tuple[str, ...], typed: str) -> str:
    """Raises: InvalidInput for a kind that enters itself."""
    if typed not in allowed:
        raise InvalidInput(field="kind", why="Choose what left from the list.")
    return typed


def _day(fields: Fields) -> date | None:
    typed = fields.raw("sealed_until").strip()
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        fields.errors["sealed_until"] = "Type a day such as 2026-03-14, or leave it empty."
        return None
