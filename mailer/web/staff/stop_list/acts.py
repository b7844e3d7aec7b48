"""Domain rules, and lifting what the privacy officer may lift: each act is in the audit log."""

from datetime import date

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from mailer.context import Context
from mailer.core.errors import InvalidInput, NotFound
from mailer.core.reasons import SUPPRESSING, Reason
from mailer.subscriptions import by_staff
from mailer.suppression import domains, registry
from mailer.suppression.registry import Stop
from mailer.web.staff.door import staff_only
from mailer.web.staff.fields import Fields, whole_number
from mailer.web.staff.stop_list import answers
from mailer.web.staff.stop_list.pages import shown, typed_domain
from mailer.web.support import blueprint, unit

stop_list_acts = blueprint("staff_stop_list_acts", "/staff/stop-list")

FINGERPRINT = 64
"""Hexadecimal digits."""


@stop_list_acts.post("/domains")
@staff_only("reveal")
def add_domain() -> Response:
    """Write to nobody at a domain from now on."""
    try:
        with unit() as ctx:
            domains.add(ctx, typed_domain())
    except InvalidInput as error:
        return shown(422, domain=typed_domain(), errors={"domain": str(error.context["why"])})
    flash("The rule is kept. Nobody there is written to from now on.", "good")
    return redirect(url_for("staff_stop_list.page"), 303)


@stop_list_acts.post("/domains/remove")
@staff_only("privacy")
def remove_domain() -> Response:
    """Take a rule back; a second press finds it gone and that is well too."""
    try:
        with unit() as ctx:
            domains.remove(ctx, typed_domain())
    except InvalidInput:
        return redirect(url_for("staff_stop_list.page"), 303)
    flash("The rule is gone. Everybody's own yes or no counts there again.", "good")
    return redirect(url_for("staff_stop_list.page"), 303)


@stop_list_acts.post("/lift")
@staff_only("privacy")
def lift() -> Response:
    """Take one entry off the list, with a reason, or on the person's own written word. Raises: NotFound, NotAllowed."""
    fields = Fields()
    entry = _entry(fields)
    try:
        with unit() as ctx:
            by_staff.lift(ctx, entry, why=fields.raw("why"), written=fields.raw("written"),
                          written_on=_day(fields.raw("written_on")))
    except InvalidInput as error:
        with unit() as ctx:
            lines = _lines(ctx, entry)
        return answers.page(lines, 422, errors={str(error.context["field"]): str(error.context["why"])},
                            chosen={name: fields.raw(name) for name in ("why", "written", "written_on")})
    flash("Lifted. It allows nothing by itself: the person has to ask and confirm anew.", "good")
    return redirect(url_for("staff_stop_list.page"), 303)


def _entry(fields: Fields) -> Stop:
    """The entry that the button named. Raises: NotFound for anything that names none."""
    hashed, why = fields.raw("fingerprint"), fields.raw("reason")
    list_id, topic_id = whole_number(fields.raw("list_id")), whole_number(fields.raw("topic_id"))
    try:
        fingerprint = bytes.fromhex(hashed)
    except ValueError as error:
        raise NotFound(what="stop_list_entry") from error
    if len(hashed) != FINGERPRINT or why not in SUPPRESSING or list_id is None or topic_id is None:
        raise NotFound(what="stop_list_entry")
    return Stop(fields.raw("channel"), fingerprint, Reason(why), list_id, topic_id)


def _lines(ctx: Context, entry: Stop) -> list[answers.Line]:
    return [answers.line_of(ctx, each) for each in registry.entries(ctx, entry.channel, [entry.fingerprint])
            if (each.reason, each.list_id, each.topic_id) == (entry.reason, entry.list_id, entry.topic_id)]


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        return None
