"""Settings: organisation, senders, and the switch from Practice to Trial to Live."""

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from mailer.context import Context
from mailer.core.errors import CannotSend, Conflict, InvalidInput, NotFound
from mailer.core.modes import Mode
from mailer.organisation import details, dkim, senders
from mailer.organisation import profile as organisation
from mailer.outbox import servers
from mailer.sample import load as sample
from mailer.staff import accounts, mode_switch, two_factor
from mailer.staff.models import Staff
from mailer.staff.roles import Permission
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.fields import Fields
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, opener, unit

settings = blueprint("staff_settings", "/staff/settings")

NAMES = ("organisation", "postal_address", "help_email", "public_url", "time_zone")


@settings.get("")
@staff_only("see_settings")
def page() -> Response:
    """All of it; who may only read sees it greyed."""
    return _page(200, Fields())


@settings.post("/organisation")
@staff_only("settings")
def organisation_details() -> Response:
    """Keep the organisation's details."""
    fields = Fields()
    with unit() as ctx:
        values = _checked(ctx, fields)
        if not fields.errors:
            details.change(ctx, **values)
    if fields.errors:
        return _page(422, fields)
    flash("The organisation's details are kept.", "good")
    return redirect(url_for("staff_settings.page"), 303)


@settings.post("/senders")
@staff_only("settings")
def add_sender() -> Response:
    """Add a sender."""
    fields = Fields()
    with unit() as ctx:
        name = fields.checked(senders.check_name, fields.raw("sender_name"))
        address = fields.checked(senders.check_address, ctx, fields.raw("sender_address"))
        if name and address:
            senders.add(ctx, name=name, address=address)
    if fields.errors:
        return _page(422, fields)
    flash("The sender is added.", "good")
    return redirect(url_for("staff_settings.page"), 303)


@settings.post("/senders/<int:sender_id>/<any(default, archive):act>")
@staff_only("settings")
def change_sender(sender_id: int, act: str) -> Response:
    """Make a sender the default one, or take it out of use."""
    fields = Fields()
    try:
        with unit() as ctx:
            (senders.make_default if act == "default" else senders.archive)(ctx, sender_id)
    except InvalidInput as error:
        fields.note(error)
        return _page(422, fields)
    return redirect(url_for("staff_settings.page"), 303)


@settings.post("/mode")
@staff_only("settings")
def switch_mode() -> Response:
    """Switch the mode, or say what lacks. Going back is one press."""
    wanted = Fields().raw("mode")
    if wanted not in set(Mode):
        raise NotFound(what="mode")
    try:
        with unit() as ctx:
            switched = mode_switch.switch(ctx, Mode(wanted), by=here().staff_id)
    except CannotSend:
        return _page(409, Fields(), wanted=Mode(wanted))
    if switched:
        flash(f"The mode is now {wanted.capitalize()}.", "good")
    else:
        flash("Asked. Live begins when a privacy officer confirms it.", "info")
    return redirect(url_for("staff_settings.page"), 303)


@settings.get("/live")
@staff_only("privacy")
def live() -> Response:
    """Where the privacy officer confirms going Live, or does not."""
    return _live_page(200)


@settings.post("/live")
@staff_only("privacy")
def decide_live() -> Response:
    """The officer's word."""
    try:
        with unit() as ctx:
            if request.form.get("answer") == "yes":
                mode_switch.confirm_live(ctx, by=here().staff_id)
            else:
                mode_switch.decline_live(ctx)
    except (CannotSend, Conflict):
        return _live_page(409)
    return redirect(url_for("staff_home.page"), 303)


def _live_page(status: int) -> Response:
    with unit() as ctx:
        asked = mode_switch.asked_by(ctx)
        member = ctx.db.get(Staff, asked) if asked is not None else None
        name = accounts.name_of(opener(), member) if member else ""
        lacks = mode_switch.lacking(ctx, Mode.LIVE)
    return staff_page("staff/go_live.html", status, asked_by=name, own=asked == here().staff_id, lacks=lacks)


def _checked(ctx: Context, fields: Fields) -> dict[str, str]:
    row = details.stored(ctx)
    fixed = organisation.current(ctx).fixed
    postal = row.postal_address if "postal_address" in fixed else fields.raw("postal_address")
    url = row.public_url if "public_url" in fixed else fields.raw("public_url")
    found = {
        "name": fields.checked(details.check_name, fields.raw("organisation")),
        "postal_address": fields.checked(details.check_postal_address, postal),
        "help_email": fields.checked(details.check_help_email, ctx, fields.raw("help_email")),
        "public_url": fields.checked(details.check_public_url, url),
        "time_zone": fields.checked(details.check_time_zone, fields.raw("time_zone")),
    }
    return {name: value or "" for name, value in found.items()}


def _page(status: int, fields: Fields, *, wanted: Mode | None = None) -> Response:
    with unit() as ctx:
        profile = organisation.current(ctx)
        row = details.stored(ctx)
        kept = {"organisation": row.name, "postal_address": profile.postal_address, "help_email": row.help_email,
                "public_url": profile.public_url if "public_url" in profile.fixed else row.public_url,
                "time_zone": row.time_zone}
        typed = {name: fields.raw(name) for name in NAMES if name in request.form}
        values = {
            "values": {**kept, **typed}, "fixed": profile.fixed, "senders": senders.listed(ctx),
            "default_sender": senders.default(ctx), "local_url": ctx.fixed.local_url,
            "domains": dkim.sending_domains(ctx),
            "lacks": {str(mode): mode_switch.lacking(ctx, mode) for mode in (Mode.TRIAL, Mode.LIVE)},
            "without_second_factor": [accounts.name_of(opener(), ctx.db.get_one(Staff, each))
                                      for each in two_factor.without_it(ctx)],
            "live_asked": mode_switch.asked_by(ctx) is not None,
            "mail_server": ctx.fixed.mail_server, "has_sample": sample.is_loaded(ctx),
            "resting": [each.server for each in servers.holds(ctx)],
        }
    return staff_page("staff/settings.html", status, errors=fields.errors, wanted=str(wanted or ""),
                      zones=details.time_zones(), may_change=here().may(Permission.SETTINGS),
                      sender_name=fields.raw("sender_name"), sender_address=fields.raw("sender_address"), **values)
