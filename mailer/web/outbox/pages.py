"""The list, and one message in its tabs. Looking changes nothing; the New mark goes by a POST."""

import re
from html import escape
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from mailer.context import Context
from mailer.core.channel import Grade
from mailer.organisation import profile as organisation
from mailer.practice import box, checks, scanner
from mailer.practice.read import Reading
from mailer.practice.transport import KEPT
from mailer.web.outbox.inside import Outsider
from mailer.web.outbox.reader import Reader, Shown, before, reader, shown
from mailer.web.staff.door import staff_only
from mailer.web.staff.fields import Fields
from mailer.web.staff.frame import staff_page
from mailer.web.support import application, opener, unit

A_PAGE = 50
LONGEST_SEARCH = 200
TABS = ("html", "text", "headers", "source", "links", "checks")
VIEWS = ("desktop", "phone", "dark")
LARGEST_SOURCE = 500_000
"""Characters of the source that a page shows."""

MESSAGE_POLICY = ("default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'none'; "
                  "base-uri 'none'; frame-ancestors 'self'; sandbox")
"""For the message itself: no script, no form, and nothing fetched from elsewhere."""
ASKS_FOR_DARK = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)", re.IGNORECASE)
EITHER_SCHEME = re.compile(r"""content\s*=\s*["']light dark["']""", re.IGNORECASE)


@staff_only("outbox")
def page() -> Response:
    """The newest messages, or those before a number."""
    by = reader()
    with unit() as ctx:
        items = box.listed(ctx.db, staff_only_of=by.staff_only_of, before=before(), size=A_PAGE + 1)
        lines = [shown(ctx, item, by) for item in items[:A_PAGE]]
    return _list(by, lines, older=items[A_PAGE - 1].id if len(items) > A_PAGE else None, newest=before() is None)


@staff_only("outbox")
def search() -> Response:
    """Messages in whose subject or recipient the words stand; by POST, so that no address stands in a log."""
    by = reader()
    words = Fields().raw("words")[:LONGEST_SEARCH].strip()
    if not words:
        return redirect(url_for("outbox.page"), 303)
    with unit() as ctx:
        items = box.find(ctx.db, opener(), words, lambda item, to: by.name(ctx, item, to),
                         staff_only_of=by.staff_only_of, most=A_PAGE + 1)
        lines = [shown(ctx, item, by) for item in items[:A_PAGE]]
    return _list(by, lines, words=words, more=len(items) > A_PAGE)


@staff_only("outbox")
def seen_all() -> Response:
    """Take every New mark off."""
    with unit() as ctx:
        box.mark_seen(ctx.db, staff_only_of=reader().staff_only_of)
    return redirect(url_for("outbox.page"), 303)


@staff_only("outbox")
def seen(item_id: int) -> Response:
    """Take the New mark off one message; its page asks for this when it is shown."""
    with unit() as ctx:
        box.mark_seen(ctx.db, item_id, staff_only_of=reader().staff_only_of)
    return Response(status=204)


@staff_only("outbox")
def item(item_id: int) -> Response:
    """One message: HTML, text, headers, source, links or checks."""
    return message_page(find(item_id))


@staff_only("outbox")
def opened(item_id: int) -> Response:
    """Open as recipient: the links of the message, each for a tab of its own."""
    found = find(item_id)
    links = [link for link in found.reading.links if {"html", "text"} & set(link.places)
             and link.url.lower().startswith(("http://", "https://"))]
    return staff_page("outbox/open.html", shown=found, ways=links, outsider=outsider())


@staff_only("outbox")
def html(item_id: int) -> Response:
    """The message's HTML alone, for the frame."""
    found = find(item_id).reading
    response = Response(dressed(found, request.args.get("view", ""), outsider()), mimetype="text/html")
    response.headers["Content-Security-Policy"] = MESSAGE_POLICY
    response.headers["Cache-Control"] = "no-store"
    return response


def find(item_id: int) -> Shown:
    """The message as the one who asks may see it. Raises: NotFound."""
    by = reader()
    with unit() as ctx:
        return shown(ctx, box.get(ctx.db, item_id, staff_only_of=by.staff_only_of), by)


def outsider() -> Outsider:
    """Somebody from outside, who knows the public address."""
    with unit() as ctx:
        return Outsider(application(), organisation.current(ctx).public_url)


def message_page(found: Shown, **more: Any) -> Response:
    """A message's page in the tab asked for, or with what an act of the outside world led to."""
    reading = found.reading
    tab = request.args.get("show", "html" if reading.html else "text")
    view = request.args.get("view", "desktop")
    examined = checks.examine(reading, outsider().resolves, bulk=found.item.campaign_id is not None)
    return staff_page(
        "outbox/item.html", shown=found, tab=tab if tab in TABS else "text",
        view=view if view in VIEWS else "desktop", checks=examined, is_ours=outsider().path,
        must_fix=sum(each.grade is Grade.MUST_FIX for each in examined),
        source=reading.source[:LARGEST_SOURCE], can_press=scanner.can_press(reading), **more)


def dressed(reading: Reading, view: str, to: Outsider) -> str:
    """The HTML as one look of it: its own rules for dark are on or off, pictures of other hosts are left out."""
    page = ASKS_FOR_DARK.sub("(min-width: 0)" if view == "dark" else "not all", reading.html)
    page = EITHER_SCHEME.sub(f'content="{"dark" if view == "dark" else "light"}"', page)
    for src in {picture.src for picture in reading.pictures if picture.src}:
        if to.path(src) is None and not src.startswith("data:"):
            for written in (src, escape(src)):
                page = page.replace(f'src="{written}"', 'data-elsewhere=""')
    return page


def _list(by: Reader, lines: list[Shown], **more: Any) -> Response:
    with unit() as ctx:
        counts = _counts(ctx, by)
    return staff_page("outbox/list.html", lines=lines, **{"words": "", "more": False, "older": None, "newest": True,
                                                          "kept": KEPT, **counts, **more})


def _counts(ctx: Context, by: Reader) -> dict[str, int]:
    return {"count": box.count(ctx.db, staff_only_of=by.staff_only_of),
            "new": box.count_new(ctx.db, staff_only_of=by.staff_only_of)}

