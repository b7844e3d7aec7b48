"""Proof of one consent: one sheet to look at and print, and signed files to take along (ux 2.19)."""

from typing import Any

from flask import make_response, render_template
from werkzeug.wrappers import Response

from mailer.audience import show
from mailer.audience.models import ContactPoint, Person
from mailer.consent import proof as proofs
from mailer.consent.proof import Proof
from mailer.context import Context
from mailer.core.errors import InvalidInput, NotFound, TooMany
from mailer.rights import disclosures
from mailer.subscriptions import words
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.fields import Fields
from mailer.web.staff.frame import staff_page
from mailer.web.staff.people.person import REASONS, find, gone
from mailer.web.staff.people.timeline import HOW
from mailer.web.support import blueprint, opener, unit

proof = blueprint("staff_proof", "/staff/people")

ACTS = {"granted": "Yes", "refused": "No", "ended": "Ended"}
PURPOSES = {
    "own_offers": "News and offers of our own", "partner_offers_sent_by_us": "Offers of partners, sent by us",
    "share_with_partner": "Passing the address on to partners", "service": "Messages about what was ordered",
}
KINDS = {"json": ("application/json", "json"), "sheet": ("text/html; charset=utf-8", "html")}
CATEGORIES = ("contact", "consent")


@proof.get("/<int:point_id>/proof/<int:list_id>/<int:topic_id>")
@staff_only("privacy")
def page(point_id: int, list_id: int, topic_id: int) -> Response:
    """The sheet with the address masked."""
    return _page(point_id, list_id, topic_id)


@proof.post("/<int:point_id>/proof/<int:list_id>/<int:topic_id>")
@staff_only("privacy")
def take(point_id: int, list_id: int, topic_id: int) -> Response:
    """The signed file with the address: for a reason, noted as a look and in the register."""
    fields = Fields()
    kind, reason = fields.raw("kind"), fields.raw("reason")
    if kind not in KINDS:
        return _page(point_id, list_id, topic_id, 422, {"kind": "Choose what to take along."})
    try:
        with unit() as ctx:
            content = _file(ctx, find(ctx, point_id), (list_id, topic_id), kind, reason)
    except (InvalidInput, TooMany) as error:
        return _page(point_id, list_id, topic_id, error.status, {"reason": _sentence(error)})
    except NotFound:
        return gone(point_id)
    answer = make_response(content)
    answer.headers["Content-Type"] = KINDS[kind][0]
    name = f"proof-{point_id}-{list_id}-{topic_id}.{KINDS[kind][1]}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _page(point_id: int, list_id: int, topic_id: int, status: int = 200, errors: dict[str, str] | None = None
          ) -> Response:
    try:
        with unit() as ctx:
            point = find(ctx, point_id)
            found = proofs.gather(ctx, opener(), point, list_id, topic_id)
            values = _values(ctx, found, show.masked(ctx, opener(), point))
    except NotFound:
        return gone(point_id)
    return staff_page("staff/people/proof.html", status, point=point, errors=errors or {},
                      proof_list=list_id, proof_topic=topic_id, reasons=list(REASONS.items()), **values)


def _file(ctx: Context, point: ContactPoint, what: tuple[int, int], kind: str, reason: str) -> bytes:
    found = proofs.gather(ctx, opener(), point, *what)
    address = show.look(ctx, opener(), point, staff_id=here().staff_id, reason=reason)
    # Entered before it is made: a file whose entry cannot be written does not come into being.
    disclosures.record(ctx, "proof", reason="proof", recipient="the privacy officer", categories=CATEGORIES,
                       subjects=[ctx.db.get_one(Person, point.person_id).subject], ground=reason)
    if kind == "json":
        return proofs.as_json(ctx, found, address)
    return proofs.as_sheet(ctx, render_template("staff/people/proof_sheet.html", **_values(ctx, found, address)))


def _values(ctx: Context, found: Proof, address: str) -> dict[str, Any]:
    zone = words.zone(ctx)
    return {"proof": found, "address": address, "act_words": ACTS, "purposes": PURPOSES, "ways": HOW, "zone": zone.key}


def _sentence(error: InvalidInput | TooMany) -> str:
    return "Choose a reason from the list." if isinstance(error, InvalidInput) else \
        "You have looked at 50 addresses today. It goes on tomorrow."
