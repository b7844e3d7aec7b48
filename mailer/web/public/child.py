"""Telling us that an address is a child's, and what its own mailbox may do then (decision 41, promise S26)."""

from flask import Response, url_for

from mailer.audience.models import ContactPoint
from mailer.context import Context
from mailer.core.errors import Conflict, InvalidAddress
from mailer.rights import children, deadlines
from mailer.rights.models import ChildReport
from mailer.subscriptions import links, words
from mailer.subscriptions.links import Found, Outcome
from mailer.web import stamps
from mailer.web.doors import LIMITER
from mailer.web.public.door import LONGEST_ECHO, from_our_pages, link_over, masked, public_blueprint, typed
from mailer.web.support import open_to_all, public_page, token_in_path, unit

child = public_blueprint("public_child")

STAMP = "report_child"
ADDRESS = "Enter the child's address, like name@example.com"
STALE = "This page was open for long. The address is still here: press once more"


@child.get("/report-child")
@open_to_all
def page() -> Response:
    """The field for an address."""
    return _page("", {})


@child.post("/report-child")
@open_to_all
@LIMITER.limit("20/hour")
def report() -> Response:
    """Stop at once; the answer is the same for any address."""
    from_our_pages()
    with unit() as ctx:
        ours = stamps.fits(ctx, STAMP, typed("stamp"))
    if not ours:
        return _page(typed("email"), {"email": STALE}, 400)
    try:
        with unit() as ctx:
            children.report(ctx, typed("email"))
            # Never an earlier report's day, which would tell that there was one.
            due_on = words.full_day((ctx.clock.now() + deadlines.CHILD_WITHIN).astimezone(words.zone(ctx)).date())
    except InvalidAddress:
        return _page(typed("email"), {"email": ADDRESS}, 422)
    return public_page("public/child_done.html", due_on=due_on)


@child.get("/child/<token>")
@token_in_path
def answer(token: str) -> Response:
    """From the mailbox itself: erase now, or object; a look changes nothing. Raises: BadToken."""
    with unit() as ctx:
        found = links.look(ctx, links.Purpose.PRESS, token)
        reported = _reported(ctx, found)
        address = masked(ctx, ctx.db.get(ContactPoint, found.contact_point_id)) if found.contact_point_id else ""
    if reported is None:
        return _over()
    return public_page("public/child_answer.html", masked=address, action=url_for("public_child.press", token=token))


@child.post("/child/<token>")
@token_in_path
def press(token: str) -> Response:
    """Erase, or take the report back; nothing that ended begins again. Raises: BadToken."""
    from_our_pages()
    objects = typed("answer") == "adult"
    try:
        with unit() as ctx:
            found = links.take(ctx, links.Purpose.PRESS, token)
            reported = _reported(ctx, found)
            if reported is None:
                return _over()
            links.use_up(ctx, found)
            if objects:
                children.object_to(ctx, reported, by="self")
            else:
                children.forget(ctx, reported, by="self")
    except Conflict:
        return _over()
    return public_page("public/child_answered.html", objects=objects, home_url=url_for("public_site.home"))


def _reported(ctx: Context, found: Found) -> ChildReport | None:
    if found.outcome is not Outcome.OPEN or found.contact_point_id is None:
        return None
    point = ctx.db.get(ContactPoint, found.contact_point_id)
    return children.of_point(ctx, point) if point is not None else None


def _over() -> Response:
    return link_over("This link is over.", "The address was erased, or somebody answered before.",
                     url_for("public_contact.page"), "Write to us")


def _page(value: str, errors: dict[str, str], status: int = 200) -> Response:
    with unit() as ctx:
        stamp = stamps.make(ctx, STAMP)
    return public_page("public/report_child.html", status, action=url_for("public_child.report"), stamp=stamp,
                       value=value[:LONGEST_ECHO], errors=errors)
