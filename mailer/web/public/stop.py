"""A stop without a link: type the address (promise T13), or several (T14). It is never refused, for whomever it is."""

import re
from datetime import datetime

from flask import Response, url_for

from mailer.context import Context
from mailer.core.errors import InvalidAddress
from mailer.core.links import Link
from mailer.subscriptions import claims, stop_other, words
from mailer.web import stamps
from mailer.web.doors import network
from mailer.web.public.door import CHANNEL, LONGEST_ECHO, from_our_pages, public_blueprint, typed
from mailer.web.support import open_to_all, public_page, token_in_path, unit

stopping = public_blueprint("public_stop")

STAMP = "stop_email"
MOST = 100
"""Addresses of one press; each is a stop of its own, for its own wait and answer."""
MANY = f"Type at most {MOST} addresses at a time. Press, then go on with the rest"
UNREAD = "We cannot read this as an address. All others are stopped"
BETWEEN = re.compile(r"[\s,;]+")
LONGEST_LIST = 40_000
ADDRESS = "Enter the address to stop, like name@example.com"
STALE = "This page was open for long. Your address is still here: press once more"


@stopping.get("/stop")
@open_to_all
def short() -> Response:
    """The address that is printed and named: so far it takes an e-mail address."""
    return _page("", {})


@stopping.get("/stop-email")
@open_to_all
def show() -> Response:
    """The field for an address."""
    return _page("", {})


@stopping.post("/stop-email")
@open_to_all
def press() -> Response:
    """Stop; the answer is the same for any address."""
    from_our_pages()
    with unit() as ctx:
        ours = stamps.fits(ctx, STAMP, typed("stamp"))
    if not ours:
        return _page(typed("email"), {"email": STALE}, 400, more=_more())
    return _stop()


@stopping.post("/u/<token>/other")
@token_in_path
def other(token: str) -> Response:
    """Stop another address too, from the page of one's own link."""
    from_our_pages()
    with unit() as ctx:
        claims.read(ctx, token, Link.LEAVE)
    return _stop()


def _stop() -> Response:
    """Each address by itself; what cannot be read comes back, and costs the others nothing."""
    asked = [typed("email"), *BETWEEN.split(_more())]
    addresses = list(dict.fromkeys(each for each in asked if each))
    if len(addresses) > MOST:
        return _page(typed("email"), {"more": MANY}, 422, more=_more())
    bad: list[str] = []
    with unit() as ctx:
        now = ctx.clock.now()
        last, waiting = now, 0
        for each in addresses:
            try:
                stopped = stop_other.stop(ctx, CHANNEL, each, network=network())
            except InvalidAddress:
                bad.append(each)
            else:
                last, waiting = max(last, stopped.at), waiting + stopped.delayed
        at, effect = words.clock(ctx, now), f"at {_moment(ctx, last)}" if waiting else "at once"
        stamp = stamps.make(ctx, STAMP) if bad else ""
    if len(bad) == len(addresses):
        return _page(typed("email"), {"email": ADDRESS}, 422, more=_more())
    return public_page(
        "public/stop_email_done.html", at=at, effect=effect, count=len(addresses) - len(bad), waiting=waiting,
        again_url=url_for("public_stop.show"), bad="\n".join(each[:LONGEST_ECHO] for each in bad), stamp=stamp,
        action=url_for("public_stop.press"), errors={"more": UNREAD} if bad else {})


def _more() -> str:
    """Further addresses, one on each line or however they are set apart."""
    return typed("more")[:LONGEST_LIST]


def _moment(ctx: Context, at: datetime) -> str:
    return f"{words.clock(ctx, at)} on {words.full_day(at.astimezone(words.zone(ctx)).date())}"


def _page(value: str, errors: dict[str, str], status: int = 200, *, more: str = "") -> Response:
    with unit() as ctx:
        stamp = stamps.make(ctx, STAMP)
    return public_page("public/stop_email.html", status, action=url_for("public_stop.press"), stamp=stamp,
                       value=value[:LONGEST_ECHO], more=more, errors=errors)
