"""What every public page shares: who may post to it, and what a link that does not read is answered with."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, request, url_for
from flask_wtf.csrf import CSRFError

from mailer.audience import show
from mailer.audience.models import ContactPoint
from mailer.context import Context
from mailer.core.errors import BadToken, NotFound
from mailer.organisation import profile
from mailer.web.support import blueprint, opener, public_page, unit

CHANNEL = "email"
"""The channel that these pages are about."""
LONGEST_ID = 19
"""Digits that surely fit into 64 bits."""
LONGEST_ECHO = 254
"""Characters of an address that are shown again: as many as one may have (RFC 5321 §4.5.3.1.3)."""


def public_blueprint(name: str) -> Blueprint:
    """Pages behind a link: one that is cut or unknown gets a page that helps."""
    pages = blueprint(name)
    pages.register_error_handler(BadToken, _unknown_link)
    return pages


def typed(name: str) -> str:
    """What was typed into a field, without the white space around it."""
    return request.form.get(name, "").strip()


def ids(name: str) -> frozenset[int]:
    """The ids posted under a name; what is none is left out."""
    return frozenset(int(value) for value in request.form.getlist(name)
                     if value.isascii() and value.isdigit() and len(value) < LONGEST_ID)


def from_our_pages() -> None:
    """Refuse a press that another site's page sent. Raises: CSRFError.

    Our pages send no referrer, and browsers then say `Origin: null`, so that alone refuses nobody (Fetch §3.2).
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None and site not in ("same-origin", "none"):
        raise CSRFError("Another site asked for this.")
    if origin not in (None, "null"):
        with unit() as ctx:
            ours = {request.host, urlsplit(profile.current(ctx).public_url).netloc}
        if urlsplit(str(origin)).netloc not in ours:
            raise CSRFError("Another site asked for this.")


def masked(ctx: Context, point: ContactPoint | None) -> str:
    """The address as a page behind a forwarded link may show it; an erased one reads like any."""
    if point is None:
        return "this address"
    try:
        return show.masked(ctx, opener(), point)
    except NotFound:
        return "this address"


def link_over(title: str, lead: str, next_url: str | None = None, next_label: str = "") -> Response:
    """A link that was right once (410)."""
    return public_page("public/link_over.html", 410, title=title, lead=lead, next_url=next_url, next_label=next_label)


def _unknown_link(_error: BadToken) -> Response:
    return public_page("public/link_unknown.html", 404, stop_url=url_for("public_stop.show"))
