"""Settings, speed limits: how fast mail servers, senders and recipient domains are written to, and what rests."""

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from mailer.context import Context
from mailer.core.errors import InvalidInput, NotFound
from mailer.organisation import senders
from mailer.outbox import lanes, servers
from mailer.outbox.lanes import Lane, Wish
from mailer.staff.roles import Permission
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.fields import Fields, whole_number
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, unit

limits = blueprint("staff_limits", "/staff/settings/limits")

NAMES = ("target", "domain", "per_second", "burst", "warm_up", "factor")
DOMAIN = "domain"
RAMP_SHOWN = 14


@limits.get("")
@staff_only("see_settings")
def page() -> Response:
    """Servers, limits, what is left alone; `change` is a limit's place in the list, since names stay out of URLs."""
    return _page(200, Fields(), change=whole_number(request.args.get("change", "")))


@limits.post("")
@staff_only("settings")
def set_limit() -> Response:
    """Set or change a limit."""
    fields = Fields()
    wish = Wish(_number(fields, "per_second", required=True), _whole(fields, "burst"),
                _whole(fields, "warm_up") or 0, _number(fields, "factor"))
    kept = None
    if not fields.errors:
        try:
            with unit() as ctx:
                kept = lanes.set_limit(ctx, lanes.place(ctx, *_target(fields)), wish)
        except InvalidInput as error:
            chosen = DOMAIN if fields.raw("target") == DOMAIN else "target"
            fields.note(error, {"name": chosen, "scope": "target"}.get(str(error.context["field"]), ""))
    if kept is None:
        return _page(422, fields)
    flash(f"The limit of {kept.name} is kept. {lanes.described(kept)}", "good")
    return redirect(url_for("staff_limits.page"), 303)


@limits.post("/remove")
@staff_only("settings")
def remove() -> Response:
    """Take a limit away; a second press finds it gone and that is well too."""
    fields = Fields()
    try:
        with unit() as ctx:
            lanes.remove(ctx, lanes.place(ctx, fields.raw("scope"), fields.raw("name")))
    except (NotFound, InvalidInput):
        return redirect(url_for("staff_limits.page"), 303)
    flash("The limit is taken away.", "good")
    return redirect(url_for("staff_limits.page"), 303)


@limits.post("/try-again")
@staff_only("settings")
def try_again() -> Response:
    """Have a resting mail server tried at once."""
    try:
        with unit() as ctx:
            servers.try_again(ctx, Fields().raw("server"))
    except NotFound:
        return redirect(url_for("staff_limits.page"), 303)
    flash("It is tried again with the next message.", "info")
    return redirect(url_for("staff_limits.page"), 303)


def _target(fields: Fields) -> tuple[str, str]:
    scope, _, name = fields.raw("target").partition(":")
    return (scope, fields.raw("domain")) if scope == DOMAIN else (scope, name)


def _number(fields: Fields, name: str, *, required: bool = False) -> float | None:
    raw = fields.raw(name).strip().replace(",", ".")
    if not raw and not required:
        return None
    try:
        return float(raw)
    except ValueError:
        fields.errors[name] = "Type a number, such as 10 or 0.5."
        return None


def _whole(fields: Fields, name: str) -> int | None:
    raw = fields.raw(name).strip()
    number = whole_number(raw)
    if raw and number is None:
        fields.errors[name] = "Type a whole number."
    return number


def _page(status: int, fields: Fields, change: int | None = None) -> Response:
    with unit() as ctx:
        found = lanes.listed(ctx)
        values = _values(found[change]) if change is not None and change < len(found) else {}
        values |= {name: fields.raw(name) for name in NAMES if name in request.form}
        shown = {
            "servers": lanes.server_states(ctx), "limits": [_shown(each) for each in found], "held": lanes.held(ctx),
            "targets": _targets(ctx, found), "mail_server": ctx.fixed.mail_server,
        }
    return staff_page("staff/limits.html", status, errors=fields.errors, values=values,
                      may_change=here().may(Permission.SETTINGS), **shown)


def _values(lane: Lane) -> dict[str, str]:
    limit = lane.limit
    return {"target": DOMAIN if lane.scope == DOMAIN else f"{lane.scope}:{lane.name}",
            "domain": lane.name if lane.scope == DOMAIN else "", "per_second": f"{limit.per_second:g}",
            "burst": str(limit.burst), "warm_up": str(limit.ramp_per_day or ""), "factor": f"{limit.ramp_factor:g}"}


def _shown(lane: Lane) -> dict[str, object]:
    kind = {"server": "Mail server", "sender": "Sender", DOMAIN: "Recipient domain"}[lane.scope]
    return {"scope": lane.scope, "name": lane.name, "kind": kind, "said": lanes.described(lane),
            "days": [(f"{day.day} {day:%B}", f"{allowed:,}") for day, allowed in lanes.ramp(lane, RAMP_SHOWN)]
            if lane.today is not None else []}


def _targets(ctx: Context, found: list[Lane]) -> list[tuple[str, str]]:
    """What a limit may be set for; also what has one and is no longer among our servers and senders."""
    default = senders.default(ctx)
    addresses = [each.address.lower() for each in senders.listed(ctx)] + ([default.address.lower()] if default else [])
    named = [f"server:{name}" for name, _ in ctx.fixed.mail_servers] + [f"sender:{each}" for each in addresses]
    named += [f"{each.scope}:{each.name}" for each in found if each.scope != DOMAIN]
    words = {"server": "Mail server", "sender": "Sender"}
    return [*((each, f"{words[each.partition(':')[0]]} {each.partition(':')[2]}") for each in dict.fromkeys(named)),
            (DOMAIN, "A recipient domain")]
