"""Why a message came: anybody who holds it may read that, for as long as we hold the consent."""

from typing import Any

from flask import Response, url_for
from markupsafe import Markup, escape

from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.core.links import Link
from mailer.subscriptions import claims, origins, words
from mailer.subscriptions.claims import Way
from mailer.subscriptions.why import Grounds, grounds
from mailer.web.public.door import masked, public_blueprint
from mailer.web.support import opener, public_page, token_in_path, unit

why = public_blueprint("public_why")

HOW = {"form_confirmed": "You pressed the button in the message to this address", "undo": "You took your goodbye back",
       "imported_proof": "We hold proof of it from elsewhere, which our privacy officer has looked at",
       "seed": "Made up for trying out"}
PARTNER = {"granted": "Yes", "refused": "No, and that holds", "ended": "No longer"}


@why.get("/why/<token>")
@token_in_path
def page(token: str) -> Response:
    """The consent with its exact words, and the campaign while its rows live."""
    with unit() as ctx:
        way = claims.read(ctx, token, Link.WHY)
        first, second, origin = way.claim.first, way.claim.second, way.origin
        found = _grounds(ctx, way)
        values: dict[str, Any] = {
            "masked": masked(ctx, way.point), "consent": _shown(found) if found else None,
            "origins": _origins(ctx, way) if found else [],
            "campaign": {"subject": origin.subject, "list_name": origin.list_name, "sent_on": words.full_day(
                origin.sent_at.astimezone(words.zone(ctx)).date())} if origin.sent_at and origin.subject else None,
            "unsubscribe_url": url_for("public_leave.page", token=claims.token(ctx, Link.LEAVE, first, second)),
            "preferences_url": url_for("public_preferences.page", token=claims.token(
                ctx, Link.PREFERENCES, first, second)) if claims.preferences_open(ctx, origin) else None}
    return public_page("public/why.html", **values)


def _grounds(ctx: Context, way: Way) -> Grounds | None:
    if way.point is None:
        return None
    try:
        return grounds(ctx, opener(), way.point, way.origin)
    except NotFound:
        return None


def _origins(ctx: Context, way: Way) -> list[dict[str, str]]:
    """Where each detail came from; the details themselves are not shown, as messages get forwarded."""
    told = origins.told(ctx, way.point) if way.point is not None else []
    return [{"detail": each.detail, "place": each.place, "on": words.full_day(each.on), "notice": each.notice,
             "collector": each.collector, "policy": each.policy} for each in told]


def _shown(found: Grounds) -> dict[str, object]:
    lines = [escape(line) for line in found.wording.splitlines()]
    return {
        "asked_on": words.full_day(found.asked_on), "confirmed_on": words.full_day(found.confirmed_on),
        "form_name": found.form_name, "topics": found.topics, "wording": Markup("<br>").join(lines),
        "notice_version": found.notice_version, "list_name": found.list_name, "row": found.row,
        "purpose": "News and offers of our own, for which you asked", "how": HOW.get(found.how, ""),
        "imported_from": found.source.removeprefix(origins.IMPORT) if found.how == "imported_proof" else "",
        "partner": PARTNER.get(found.partner, ""), "partner_list": found.partner_list,
        "ended_on": words.full_day(found.ended_on) if found.ended_on else None}
