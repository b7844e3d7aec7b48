"""Fresh links: asking for one, pressing it, and being done with the page that it opened (decision 23)."""

from flask import Response, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from mailer.core.errors import InvalidAddress
from mailer.core.links import Link
from mailer.subscriptions import claims
from mailer.subscriptions import fresh as fresh_links
from mailer.subscriptions.fresh import LinkOver
from mailer.subscriptions.links import Outcome
from mailer.web import stamps
from mailer.web.doors import LIMITER
from mailer.web.public.door import CHANNEL, LONGEST_ECHO, from_our_pages, link_over, public_blueprint, typed
from mailer.web.support import open_to_all, public_page, token_in_path, unit

fresh = public_blueprint("public_fresh")

STAMP = "manage"
TRIES = "20/hour"
"""For one network; each address has limits of its own besides (decision 25)."""
ADDRESS = "Enter your email address, like name@example.com"
STALE = "This page was open for long. Your address is still here: press once more"


@fresh.get("/fresh/<token>")
@token_in_path
def show(token: str) -> Response:
    """A button, because mail programs open links by themselves."""
    with unit() as ctx:
        outcome = fresh_links.look(ctx, token)
    if outcome is not Outcome.OPEN:
        return _over(outcome)
    return public_page("public/fresh.html", action=url_for("public_fresh.press", token=token))


@fresh.post("/fresh/<token>")
@token_in_path
def press(token: str) -> AnyResponse:
    """Use the link up and open the page."""
    from_our_pages()
    try:
        with unit() as ctx:
            opened = fresh_links.press(ctx, token)
    except LinkOver as error:
        return _over(error.outcome)
    return redirect(url_for("public_me.page", token=opened), 303)


@fresh.get("/manage")
@open_to_all
def manage() -> Response:
    """Mail me my link."""
    return _manage("", {})


@fresh.post("/manage")
@open_to_all
@LIMITER.limit(TRIES)
def mail_me() -> Response:
    """Mail a link to an address of ours; the answer is the same for any."""
    from_our_pages()
    with unit() as ctx:
        ours = stamps.fits(ctx, STAMP, typed("stamp"))
    if not ours:
        return _manage(typed("email"), {"email": STALE}, 400)
    try:
        with unit() as ctx:
            fresh_links.ask_for(ctx, CHANNEL, typed("email"))
    except InvalidAddress:
        return _manage(typed("email"), {"email": ADDRESS}, 422)
    return sent(typed("email")[:LONGEST_ECHO])


@fresh.post("/p/<token>/fresh")
@token_in_path
def from_light_page(token: str) -> Response:
    """From the page behind a message's link: the mail goes to the mailbox that the message went to."""
    from_our_pages()
    with unit() as ctx:
        way = claims.read(ctx, token, Link.PREFERENCES)
        if way.point is not None and claims.preferences_open(ctx, way.origin):
            fresh_links.ask(ctx, way.point)
    return sent("")


def sent(email: str) -> Response:
    """The page that says to look into one's mail; `email` as it was typed, empty where nobody typed."""
    return public_page("public/fresh_sent.html", email=email, outbox_url="/outbox",
                       again_url=url_for("public_fresh.manage"))


def _over(outcome: Outcome) -> Response:
    title = "This link was used" if outcome is Outcome.USED else "This link was for 30 minutes"
    lead = "It works once. Send yourself a new one whenever you like." if outcome is Outcome.USED else \
        "It is over now. Send yourself a new one whenever you like."
    return link_over(title, lead, url_for("public_fresh.manage"), "Send a new one")


def _manage(value: str, errors: dict[str, str], status: int = 200) -> Response:
    with unit() as ctx:
        stamp = stamps.make(ctx, STAMP)
    return public_page("public/manage.html", status, action=url_for("public_fresh.mail_me"), stamp=stamp,
                       value=value[:LONGEST_ECHO], errors=errors)
