"""What a made-up person would see: never a real one. The frame may run nothing and fetch nothing unasked."""

from datetime import datetime
from urllib.parse import urlsplit

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from mailer.campaigns import compose, test_send
from mailer.campaigns.test_send import MadeUp
from mailer.core.channel import Copy, Links, Recipient
from mailer.outbox import assignment
from mailer.web import headers
from mailer.web.staff.door import staff_only
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, unit

preview = blueprint("preview")

VIEWS = (("desktop", "Desktop"), ("phone", "Phone"), ("dark", "Dark, an approximation"), ("text", "Text only"))
DARK = "(prefers-color-scheme: dark)"
NARROW = "(max-width: 480px)"


@preview.get("/<int:number>/preview")
@staff_only("read_content")
def pane(number: int) -> Response:
    """The preview with its frame, as a part of the composer or as a page of its own."""
    person, view = _chosen()
    with unit() as ctx:
        copy = assignment.load(ctx, compose.find(ctx, number).id).copy
    template = "preview_part.html" if request.headers.get("HX-Request") else "preview_page.html"
    return staff_page(f"staff/campaigns/{template}", number=number, person=person, view=view, views=VIEWS,
                      people=test_send.PEOPLE, copy=copy, pictures=bool(request.args.get("pictures")))


@preview.get("/<int:number>/preview/frame")
@staff_only("read_content")
def frame(number: int) -> Response:
    """The message itself, for the sandboxed frame."""
    person, view = _chosen()
    with unit() as ctx:
        compose.find(ctx, number)
        task = assignment.load(ctx, number)
        channel = ctx.channels[task.terms.channel]
        recipient = _recipient(person, task.public_url, task.copy, ctx.clock.now())
        laid = "" if view == "text" else channel.preview_html(task.copy, recipient)
        text = "" if laid else channel.preview_text(task.copy, recipient)
    body = as_seen(laid, view) if laid else render_template("staff/campaigns/preview_text.html", text=text)
    response = make_response(body)
    response.headers["Content-Security-Policy"] = policy(task.public_url, bool(request.args.get("pictures")))
    response.headers["Cache-Control"] = "no-store"
    return response


def as_seen(laid: str, view: str) -> str:
    """The same message under the light and the width of that view, whatever the reader's own machine prefers."""
    laid = laid.replace(DARK, "all" if view == "dark" else "not all")
    laid = laid.replace('content="light dark"', f'content="{"dark" if view == "dark" else "light"}"')
    return laid.replace(NARROW, "all") if view == "phone" else laid


def policy(public_url: str, remote_pictures: bool) -> str:
    """Nothing runs, nothing is sent; pictures of our own show, others once somebody pressed for them.

    Inline style is what mail programs understand, so this answer alone allows it.
    """
    parts = urlsplit(public_url)
    own = f"'self' {parts.scheme}://{parts.netloc}"
    pictures = f"{own} https: http:" if remote_pictures else own
    return (headers.FRAMED.replace("style-src 'self'", "style-src 'unsafe-inline'")
            .replace("script-src 'self'", "script-src 'none'").replace("connect-src 'self'", "connect-src 'none'")
            .replace("form-action 'self'", "form-action 'none'").replace("frame-src 'self'", "frame-src 'none'")
            .replace("img-src 'self' data:", f"img-src {pictures}") + "; sandbox")


def _recipient(person: MadeUp, public_url: str, copy: Copy, now: datetime) -> Recipient:
    page = f"{public_url}/test-link"
    return Recipient(
        address=f"{person.key}@example.org", text_only=person.text_only,
        fields={"first name": person.first_name} if person.first_name else {}, links=Links(page, page, page, page),
        message_id=f"<preview.{person.key}@example.org>", envelope_sender=copy.sender.address, date=now)


def _chosen() -> tuple[MadeUp, str]:
    view = request.args.get("view", "")
    return test_send.person(request.args.get("person", "")), view if view in dict(VIEWS) else "desktop"


