"""Who we are, the privacy notice in all its versions, and what search engines may list."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Response, url_for
from sqlalchemy import select

from mailer.context import Context
from mailer.core import papers
from mailer.core.errors import NotFound
from mailer.friends import settings
from mailer.lists import forms
from mailer.lists.forms import Definition
from mailer.lists.models import Form
from mailer.policy import notices
from mailer.policy.models import Notice
from mailer.subscriptions import words
from mailer.web import prose
from mailer.web.public.door import public_blueprint
from mailer.web.support import open_to_all, public_page, unit

site = public_blueprint("public_site")


@site.get("/")
@open_to_all
def home() -> Response:
    """Who this is, and what one may ask for."""
    with unit() as ctx:
        ways_in = _forms(ctx)
        friend_url = url_for("public_friend.show") if settings.offers(ctx) else None
    return public_page("public/home.html", forms=ways_in, friend_url=friend_url, stop_url=url_for("public_stop.show"),
                       manage_url=url_for("public_fresh.manage"))


@site.get("/privacy")
@open_to_all
def privacy() -> Response:
    """The notice in force, and links to all others."""
    with unit() as ctx:
        values = _notice_values(ctx, notices.in_force(ctx), notices.versions(ctx))
    return _notice_page(values)


@site.get("/privacy/<version>")
@open_to_all
def privacy_version(version: str) -> Response:
    """One version, old, in force or coming. Raises: NotFound."""
    with unit() as ctx:
        published = notices.versions(ctx)
        found = next((each for each in published if each.version == version), None)
        if found is None:
            raise NotFound(notice="version")
        values = _notice_values(ctx, found, published)
    return _notice_page(values)


@site.get("/paper-keys.txt")
@open_to_all
def paper_keys() -> Response:
    """The public keys that check what we sign: `mailer proof verify FILE --key THIS`."""
    with unit() as ctx:
        return Response(papers.key_file(ctx.sealer.public_keys), mimetype="text/plain")


@site.get("/robots.txt")
@open_to_all
def robots() -> Response:
    """Only the front page and the notice may be listed."""
    return Response("User-agent: *\nAllow: /$\nAllow: /privacy\nDisallow: /\n", mimetype="text/plain")


def _forms(ctx: Context) -> list[tuple[str, str]]:
    slugs = ctx.db.scalars(select(Form.slug).where(Form.archived.is_(False)).order_by(Form.id)).all()
    return [(Definition.from_json(forms.current(ctx, slug)[1].definition).title,
             url_for("public_join.show", slug=slug)) for slug in slugs]


def _notice_values(ctx: Context, notice: Notice | None, published: Sequence[Notice]) -> dict[str, Any]:
    now = ctx.clock.now()
    coming = min((each for each in published if each.effective_at > now), key=lambda each: each.effective_at,
                 default=None)
    return {
        "notice": {"version": notice.version, "date": _day(ctx, notice), "body": prose.html(notice.text),
                   "stands": _stands(notice, published, now)} if notice else None,
        "versions": [(f"Version {each.version}, from {_day(ctx, each)}", _href(each),
                      notice is not None and each.id == notice.id) for each in published],
        "coming": {"version": coming.version, "from_date": _day(ctx, coming), "summary": "", "href": _href(coming)}
        if coming and coming is not notice else None,
    }


def _stands(notice: Notice, published: Sequence[Notice], now: datetime) -> str:
    """How this version stands, before its date; `published` is newest first."""
    if notice.effective_at > now:
        return "begins on"
    newest = next(each for each in published if each.effective_at <= now)
    return "in force since" if newest.id == notice.id else "no longer in force; it held from"


def _notice_page(values: dict[str, Any]) -> Response:
    response = public_page("public/privacy.html", **values)
    del response.headers["X-Robots-Tag"]
    return response


def _href(notice: Notice) -> str:
    return url_for("public_site.privacy_version", version=notice.version)


def _day(ctx: Context, notice: Notice) -> str:
    return words.full_day(notice.effective_at.astimezone(words.zone(ctx)).date())
