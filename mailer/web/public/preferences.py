"""What a link in a message lets one see and narrow."""

from collections.abc import Mapping
from typing import Any

from flask import Response, url_for

from mailer.context import Context
from mailer.core.errors import InvalidInput, NotFound
from mailer.core.links import Link
from mailer.lists import forms
from mailer.policy import partners
from mailer.subscriptions import claims, words
from mailer.subscriptions import preferences as wishes
from mailer.subscriptions.claims import Way
from mailer.subscriptions.preferences import Choices, Saved, View
from mailer.web.public.door import from_our_pages, ids, link_over, masked, public_blueprint, typed
from mailer.web.public.join import FREQUENCIES
from mailer.web.public.leave import stop_everything
from mailer.web.support import public_page, token_in_path, unit

preferences = public_blueprint("public_preferences")

NAMES = {days: name for name, days in FREQUENCIES.items()}


@preferences.get("/p/<token>")
@token_in_path
def page(token: str) -> Response:
    """What we send, as this link may show it."""
    with unit() as ctx:
        way = claims.read(ctx, token, Link.PREFERENCES)
        view = _view(ctx, way)
        values = _values(ctx, view) | {"masked": masked(ctx, way.point)} if view else None
    return _page(token, values) if values else _over()


@preferences.post("/p/<token>")
@token_in_path
def save(token: str) -> Response:
    """Apply what narrows or takes back, and say exactly what changed."""
    from_our_pages()
    try:
        saved, undo_action = _save(token)
    except InvalidInput as error:
        return _again(token, error)
    if saved is None:
        return _over()
    return public_page("public/preferences_saved.html", changes=saved.changes, undo_action=undo_action, stamp=None,
                       preferences_url=url_for("public_preferences.page", token=token))


@preferences.post("/p/<token>/stop")
@token_in_path
def stop(token: str) -> Response:
    """Stop everything: this never ends, however old the link."""
    from_our_pages()
    return stop_everything(token, Link.PREFERENCES)


def _save(token: str) -> tuple[Saved | None, str | None]:
    with unit() as ctx:
        way = claims.read(ctx, token, Link.PREFERENCES)
        if way.point is None or _view(ctx, way) is None:
            return None, None
        saved = wishes.save(ctx, way.point, _choices())
        if saved.goodbye is None:
            return saved, None
        undo = claims.token(ctx, Link.UNDO, way.claim.first, saved.goodbye.id)
    return saved, url_for("public_leave.take_back", token=undo)


def _view(ctx: Context, way: Way) -> View | None:
    """None where the link is over, or the person erased: the page reads alike."""
    if way.point is None or not claims.preferences_open(ctx, way.origin):
        return None
    try:
        return wishes.look(ctx, way.point)
    except NotFound:
        return None


def _choices() -> Choices:
    return Choices(
        topics=ids("topics"),
        every_days=FREQUENCIES.get(typed("frequency")), format=typed("format") or None, pause=typed("pause") or None,
        until=typed("pause_until"), partner_offers=typed("partner_offers") == "yes")


def _values(ctx: Context, view: View) -> dict[str, Any]:
    today = ctx.clock.now().astimezone(words.zone(ctx)).date()
    until = view.paused_until.astimezone(words.zone(ctx)).date() if view.paused_until else None
    return {
        "topics": [{"value": str(row.topic_id), "label": row.label, "state": row.state,
                    "since": f"on {words.day(row.since.astimezone(words.zone(ctx)).date(), today)}" if row.since
                    else None} for row in view.topics],
        "frequency": NAMES[view.every_days],
        "frequency_locked": [NAMES[days] for days in sorted(NAMES) if days < view.most_often],
        "format": view.format, "partner_offers": view.partner_offers,
        "partners_named": forms.named(partners.current(ctx)),
        "pause": {"value": "until" if until else "no", "until": until.isoformat() if until else "",
                  "now": f"Paused until {words.day(until, today)}" if until else None},
    }


def _page(token: str, values: Mapping[str, Any], errors: Mapping[str, str] | None = None, status: int = 200
          ) -> Response:
    return public_page(
        "public/preferences.html", status, action=url_for("public_preferences.save", token=token),
        stop_action=url_for("public_preferences.stop", token=token), errors=errors or {}, stamp=None,
        fresh_action=url_for("public_fresh.from_light_page", token=token),
        join_url=url_for("public_site.home"), **values)


def _again(token: str, error: InvalidInput) -> Response:
    """The page with what was chosen, and the date to mend."""
    chosen = _choices()
    with unit() as ctx:
        way = claims.read(ctx, token, Link.PREFERENCES)
        view = _view(ctx, way)
        values = _values(ctx, view) | {"masked": masked(ctx, way.point)} if view else None
    if values is None:
        return _over()
    for row in values["topics"]:
        if row["state"] != "off":
            row["state"] = "on" if int(row["value"]) in chosen.topics else "undo"
            row["since"] = row["since"] if row["state"] == "undo" else None
    values["pause"] |= {"value": "until", "until": chosen.until[:20]}
    values["frequency"] = NAMES.get(chosen.every_days, values["frequency"]) if chosen.every_days is not None \
        else values["frequency"]
    values["format"] = chosen.format or values["format"]
    return _page(token, values, {"pause_until": f"Choose {error.context['why']}"}, 422)


def _over() -> Response:
    return link_over("This link was for 90 days", "Newer messages carry a newer one. To stop, you need no link.",
                     url_for("public_stop.show"), "Type the address to stop")
