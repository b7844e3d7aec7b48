"""The privacy notice: a new version is written, looked at and published; a published one is never changed."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from mailer.context import Context
from mailer.core.errors import Conflict, InvalidInput
from mailer.organisation import profile as organisation
from mailer.policy import notices, starter
from mailer.policy.models import Notice
from mailer.staff import accounts
from mailer.staff.roles import Permission, Role
from mailer.web import prose
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.fields import Fields
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, unit

notice = blueprint("staff_notice", "/staff/notice")

NAMES = ("version", "text", "from", "day")
TAKEN = "This version was published already. A published one is never changed: choose another number."
DAY = "Choose a day from tomorrow on, such as 2026-04-01."
OFFICER = "A privacy officer works here: they publish the notice."


@notice.get("")
@staff_only("notice")
def page() -> Response:
    """The one in force, all others, and the form for the next."""
    return _page(200, {})


@notice.post("")
@staff_only("notice")
def publish() -> Response:
    """Show what was written, or publish it."""
    fields = Fields()
    if request.form.get("act") != "publish":
        return _page(200, {}, preview=fields.whole("text", notices.LONGEST_TEXT))
    try:
        with unit() as ctx:
            _refuse_where_an_officer_does_it(ctx)
            made = notices.publish(ctx, fields.raw("version"), fields.whole("text", notices.LONGEST_TEXT),
                                   _begins(ctx, fields))
    except InvalidInput as error:
        return _page(422, {str(error.context["field"]): str(error.context["why"])})
    except Conflict:
        return _page(409, {"version": TAKEN})
    flash(f"Version {made.version} is published. Everybody can read it at /privacy.", "good")
    return redirect(url_for("staff_notice.page"), 303)


def _page(status: int, errors: dict[str, str], preview: str = "") -> Response:
    with unit() as ctx:
        current = notices.in_force(ctx)
        every = notices.versions(ctx)
        values = _next(ctx, current, every) | _typed()
        may_publish = _may_publish(ctx)
        now = ctx.clock.now()
    return staff_page("staff/notice.html", status, errors=errors, current=current, versions=every, values=values,
                      now=now, may_publish=may_publish, why_not="" if may_publish else OFFICER,
                      preview=prose.html(preview) if preview.strip() else "")


def _typed() -> dict[str, str]:
    """What was typed, to be shown again."""
    fields = Fields()
    return {name: fields.whole(name, notices.LONGEST_TEXT) for name in NAMES if name in request.form}


def _next(ctx: Context, current: Notice | None, every: list[Notice]) -> dict[str, Any]:
    """The next version begins as the newest; as the starter with today's name and addresses while that is in force."""
    numbers = [int(each.version) for each in every if each.version.isascii() and each.version.isdigit()]
    text = every[0].text if every else ""
    if current is None or current.starter:
        text = starter.text(organisation.brand(organisation.current(ctx), ""))
    return {"version": str(max(numbers, default=0) + 1), "text": text, "from": "now", "day": ""}


def _begins(ctx: Context, fields: Fields) -> datetime:
    """The moment from which it holds. Raises: InvalidInput naming `day`."""
    now = ctx.clock.now()
    if fields.raw("from") != "day":
        return now
    zone = ZoneInfo(organisation.current(ctx).time_zone)
    try:
        day = date.fromisoformat(fields.raw("day").strip())
        begins = datetime(day.year, day.month, day.day, tzinfo=zone)
    except ValueError as error:
        raise InvalidInput(field="day", why=DAY) from error
    if begins <= now:
        raise InvalidInput(field="day", why=DAY)
    return begins


def _may_publish(ctx: Context) -> bool:
    """The privacy officer; an Admin as long as there is none."""
    return here().may(Permission.PRIVACY) or not accounts.holders(ctx, Role.PRIVACY_OFFICER)


def _refuse_where_an_officer_does_it(ctx: Context) -> None:
    if not _may_publish(ctx):
        raise InvalidInput(field="version", why=OFFICER)
