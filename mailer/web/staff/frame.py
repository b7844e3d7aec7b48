"""The frame of every staff page: navigation, mode bar, who is here, and times in the organisation's zone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, g, make_response, render_template, request, url_for
from flask.globals import request_ctx
from markupsafe import Markup
from sqlalchemy import text

from mailer.context import Context
from mailer.core.modes import Mode
from mailer.organisation import profile as organisation
from mailer.practice import box
from mailer.practice.transport import TrialTransport
from mailer.staff import accounts
from mailer.staff.models import Staff
from mailer.staff.roles import Permission, in_words
from mailer.staff.sessions import SignedIn
from mailer.web.staff import cookies
from mailer.web.support import opener, unit


@dataclass(frozen=True)
class Place:
    """One entry of the navigation; absent for those whose roles do not permit it, and in Live where it says so."""

    label: str
    path: str
    permission: Permission
    in_live: bool = True


NAV = (
    Place("Home", "/staff", Permission.SIGNED_IN),
    Place("Campaigns", "/staff/campaigns", Permission.READ_CONTENT),
    Place("People", "/staff/people", Permission.SEE_PEOPLE),
    Place("Lists", "/staff/lists", Permission.SEE_LISTS),
    Place("Forms", "/staff/forms", Permission.EDIT_FORMS),
    Place("Stop list", "/staff/stop-list", Permission.SEE_PEOPLE),
    Place("Outbox", "/outbox", Permission.OUTBOX, in_live=False),
    Place("Privacy desk", "/staff/privacy", Permission.PRIVACY_COUNTS),
    Place("Register", "/staff/register", Permission.REGISTER),
    Place("Settings", "/staff/settings", Permission.SEE_SETTINGS),
    Place("Privacy notice", "/staff/notice", Permission.NOTICE),
    Place("Policy", "/staff/policy", Permission.NOTICE),
    Place("Team", "/staff/team", Permission.TEAM),
    Place("Audit log", "/staff/audit", Permission.AUDIT),
)

SENT_TODAY = text("SELECT n FROM limit_count WHERE bucket = :bucket AND kind = 'trial' AND day = :day")


def staff_page(template: str, status: int = 200, **values: Any) -> Response:
    """A staff page in its frame; never stored by a browser or proxy. `errors` may be left out.

    Templates also get `when(moment)`, which prints the organisation's own time with UTC beside it.
    """
    with unit() as ctx:
        frame = _frame(ctx, g.get("staff"))
    values.setdefault("errors", {})
    response = make_response(render_template(template, **{**frame, **values}), status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    # Flask-WTF compares the Referer under https, and Origin is checked at the door: our own pages must send them.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def path_if(path: str) -> str:
    """The path, where this application has a page there; else nothing, and no link is shown."""
    adapter = request_ctx.url_adapter
    return path if path and adapter is not None and adapter.test(path, method="GET") else ""


def when(moment: datetime | None, zone: str) -> Markup | str:
    """A moment in the organisation's zone, with UTC in the title."""
    if moment is None:
        return "never"
    local, utc = moment.astimezone(ZoneInfo(zone)), moment.astimezone(UTC)
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"), utc.strftime("%d %B %Y, %H:%M"), local.strftime("%-d %B %Y, %H:%M"))


def _frame(ctx: Context, staff: SignedIn | None) -> dict[str, Any]:
    profile = organisation.current(ctx)
    frame: dict[str, Any] = {
        "mode": str(profile.mode), "brand_name": profile.name, "theme": cookies.theme(), "nav": [], "staff": None,
        "help_url": url_for("staff_help.page"), "when": lambda moment: when(moment, profile.time_zone),
        "may": staff.may if staff else lambda permission: False,
    }
    entered = staff is not None and (staff.passed_second_factor or not staff.has_second_factor)
    if staff is None:
        return frame
    member = ctx.db.get_one(Staff, staff.staff_id)
    frame["staff"] = {"name": accounts.name_of(opener(), member) or "Your account", "roles": in_words(staff.roles)}
    frame["theme_url"] = url_for("staff_account.look")
    if entered:
        frame["nav"] = _nav(staff, profile.mode)
        frame |= _mode_bar(ctx, staff, profile.mode)
    return frame


def _nav(staff: SignedIn, mode: Mode) -> list[tuple[str, str, bool]]:
    return [(place.label, place.path, _is_here(place.path)) for place in NAV
            if staff.may(place.permission) and (place.in_live or mode is not Mode.LIVE) and path_if(place.path)]


def _is_here(path: str) -> bool:
    return request.path == path or (path != NAV[0].path and request.path.startswith(f"{path}/"))


def _mode_bar(ctx: Context, staff: SignedIn, mode: Mode) -> dict[str, Any]:
    if mode is Mode.PRACTICE:
        return {"outbox_url": path_if("/outbox"), "outbox_new": box.count_new(ctx.db, staff_only_of=staff.staff_id)}
    if mode is Mode.TRIAL:
        sent = ctx.db.scalar(SENT_TODAY, {"bucket": ctx.sealer.bucket("trial", "day"), "day": ctx.clock.now().date()})
        return {"trial_limit": TrialTransport.A_DAY, "trial_left": max(0, TrialTransport.A_DAY - (sent or 0))}
    return {}
