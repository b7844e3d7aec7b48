"""Leaving: the page behind a message's link, the mail program's own button, and taking it back."""

from datetime import datetime
from typing import NamedTuple

from flask import Response, abort, request, url_for

from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.core.links import Link
from mailer.subscriptions import claims, preferences, reasons, undo, words
from mailer.subscriptions.claims import Way
from mailer.subscriptions.leave import leave, open_goodbyes
from mailer.web.doors import LIMITER
from mailer.web.public.door import from_our_pages, link_over, masked, public_blueprint
from mailer.web.support import public_page, token_in_path, unit

leaving = public_blueprint("public_leave")

LARGEST_ONE_CLICK = 16 * 1024
"""Octets: the form of RFC 8058 §3.2 has about a hundred."""
BREAK_DAYS = 30


class _Done(NamedTuple):
    """What a stop led to; `goodbye_id` is 0 for an address that we no longer hold, and the page reads alike."""

    at: datetime
    goodbye_id: int
    what: str = ""


@leaving.get("/u/<token>")
@token_in_path
def page(token: str) -> Response:
    """The page with the buttons."""
    return _page(token, Link.LEAVE)


@leaving.post("/u/<token>")
@token_in_path
def press(token: str) -> Response:
    """Stop everything (also where no button is named), one list, or for a while."""
    from_our_pages()
    with unit() as ctx:
        way = claims.read(ctx, token, Link.LEAVE)
        done = _stop(ctx, way, request.form.get("act", "all"))
    return _done_page(token, way.claim.first, done)


@leaving.post("/u/<token>/reason")
@token_in_path
@LIMITER.limit("20/hour")
def reason(token: str) -> Response:
    """Count a reason; nothing is kept with the address."""
    from_our_pages()
    with unit() as ctx:
        way = claims.read(ctx, token, Link.LEAVE)
        if request.form.get("reason") in reasons.REASONS:
            reasons.count(ctx, request.form["reason"])
        newest = next(iter(open_goodbyes(ctx, way.claim.first)), None)
        done = _Done(newest.at, newest.id) if newest else _Done(ctx.clock.now(), 0)
    return _done_page(token, way.claim.first, done, thanks=True)


@leaving.route("/one-click/<token>", methods=["GET", "POST"])
@token_in_path
def one_click(token: str) -> Response:
    """RFC 8058: a POST leaves, with no cookie, question or redirect; a GET only shows the page.

    Any body is taken, as the token alone says who; answered once it is stored, never queued.
    """
    if request.method != "POST":
        return _page(token, Link.ONE_CLICK)
    if (request.content_length or 0) > LARGEST_ONE_CLICK:
        abort(413)
    with unit() as ctx:
        way = claims.read(ctx, token, Link.ONE_CLICK)
        only = way.origin.list_id if ctx.fixed.one_click_scope == "list" else None
        _leave(ctx, way, only, "one_click")
    response = Response("Unsubscribed.\n", mimetype="text/plain")
    response.headers["Cache-Control"] = "no-store"
    return response


@leaving.get("/undo/<token>")
@token_in_path
def ask_undo(token: str) -> Response:
    """From the notice of a stop that somebody typed: a button, because reading changes nothing."""
    with unit() as ctx:
        way = claims.read(ctx, token, Link.UNDO)
        open_still, address = undo.may(ctx, way.claim.second, way.claim.first), masked(ctx, way.point)
    if not open_still:
        return _undo_over()
    return public_page("public/undo.html", action=url_for("public_leave.take_back", token=token), masked=address)


@leaving.post("/undo/<token>")
@token_in_path
def take_back(token: str) -> Response:
    """Grant again exactly what that goodbye ended; twice is once."""
    from_our_pages()
    with unit() as ctx:
        way = claims.read(ctx, token, Link.UNDO)
        undone = undo.undo(ctx, way.claim.second, way.claim.first)
        at = words.clock(ctx, undone.at) if undone.at else ""
        again = claims.token(ctx, Link.LEAVE, way.claim.first, 0)
    if undone.at is None:
        return _undo_over()
    return public_page("public/undo_done.html", at=at, what=None,
                       unsubscribe_url=url_for("public_leave.page", token=again))


def stop_everything(token: str, link: Link) -> Response:
    """The same stop, from the preferences page."""
    with unit() as ctx:
        way = claims.read(ctx, token, link)
        leave_token = claims.token(ctx, Link.LEAVE, way.claim.first, way.claim.second)
        done = _leave(ctx, way, None, "preferences_page")
    return _done_page(leave_token, way.claim.first, done)


def left(contact_point_id: int, at: datetime, goodbye_id: int) -> Response:
    """What is said after a stop on a page of one's own."""
    with unit() as ctx:
        token = claims.token(ctx, Link.LEAVE, contact_point_id, 0)
    return _done_page(token, contact_point_id, _Done(at, goodbye_id))


def _page(token: str, link: Link) -> Response:
    with unit() as ctx:
        way = claims.read(ctx, token, link)
        first, second = way.claim.first, way.claim.second
        leave_token = claims.token(ctx, Link.LEAVE, first, second)
        fewer = url_for("public_preferences.page", token=claims.token(ctx, Link.PREFERENCES, first, second)) \
            if claims.preferences_open(ctx, way.origin) else None
        address = masked(ctx, way.point)
    return public_page(
        "public/unsubscribe.html", action=url_for("public_leave.press", token=leave_token), masked=address,
        list_name=way.origin.list_name or None, preferences_url=fewer, break_days=BREAK_DAYS, stamp=None,
        other_action=url_for("public_stop.other", token=leave_token))


def _stop(ctx: Context, way: Way, act: str) -> _Done:
    if act == "break":
        return _break(ctx, way)
    if act == "list" and way.origin.list_id is not None:
        done = _leave(ctx, way, way.origin.list_id, "unsubscribe_page")
        return done._replace(what=f"No more emails about {way.origin.list_name} from us. "
                                  "One already on its way may still land today.")
    return _leave(ctx, way, None, "unsubscribe_page")


def _leave(ctx: Context, way: Way, list_id: int | None, how: str) -> _Done:
    """Leave; somebody erased has left for good, and is answered alike."""
    if way.point is not None:
        try:
            goodbye = leave(ctx, way.point, list_id=list_id, how=how, campaign_id=way.origin.campaign_id)
        except NotFound:
            return _Done(ctx.clock.now(), 0)
        return _Done(goodbye.at, goodbye.id)
    return _Done(ctx.clock.now(), 0)


def _break(ctx: Context, way: Way) -> _Done:
    now, goodbye_id, until = ctx.clock.now(), 0, None
    if way.point is not None:
        try:
            until, goodbye = preferences.take_a_break(ctx, way.point, BREAK_DAYS)
            goodbye_id = goodbye.id
        except NotFound:
            until = None
    until = until or preferences.break_end(ctx, BREAK_DAYS)
    day = words.full_day(until.astimezone(words.zone(ctx)).date())
    return _Done(now, goodbye_id, f"No emails from us until {day}. Then they come again by themselves.")


def _done_page(token: str, contact_point_id: int, done: _Done, *, thanks: bool = False) -> Response:
    with unit() as ctx:
        at = words.clock(ctx, done.at)
        undo_token = claims.token(ctx, Link.UNDO, contact_point_id, done.goodbye_id)
    return public_page(
        "public/unsubscribe_done.html", at=at, what=done.what or None,
        undo_action=url_for("public_leave.take_back", token=undo_token), stamp=None, reason_thanks=thanks,
        reason_action=url_for("public_leave.reason", token=token), reasons=list(reasons.REASONS.items()))


def _undo_over() -> Response:
    return link_over("Too late to undo", "The time for this undo is over, or you have left altogether since. "
                     "You can ask for our messages anew.", url_for("public_site.home"), "Ask again")
