"""A stop without a link: type the address (promise T13). It is never refused, for whomever it is."""

from flask import Response, url_for

from mailer.core.errors import InvalidAddress
from mailer.core.links import Link
from mailer.subscriptions import claims, stop_other, words
from mailer.web import stamps
from mailer.web.doors import network
from mailer.web.public.door import CHANNEL, LONGEST_ECHO, from_our_pages, public_blueprint, typed
from mailer.web.support import open_to_all, public_page, token_in_path, unit

stopping = public_blueprint("public_stop")

STAMP = "stop_email"
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
        return _page(typed("email"), {"email": STALE}, 400)
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
    try:
        with unit() as ctx:
            stopped = stop_other.stop(ctx, CHANNEL, typed("email"), network=network())
            at = words.clock(ctx, ctx.clock.now())
            effect = "at once"
            if stopped.delayed:
                effect = f"at {words.clock(ctx, stopped.at)} on {words.full_day(stopped.at.date())}"
    except InvalidAddress:
        return _page(typed("email"), {"email": ADDRESS}, 422)
    return public_page("public/stop_email_done.html", at=at, effect=effect, again_url=url_for("public_stop.show"))


def _page(value: str, errors: dict[str, str], status: int = 200) -> Response:
    with unit() as ctx:
        stamp = stamps.make(ctx, STAMP)
    return public_page("public/stop_email.html", status, action=url_for("public_stop.press"), stamp=stamp,
                       value=value[:LONGEST_ECHO], errors=errors)
