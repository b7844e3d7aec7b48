"""What staff do on a person's page: look, stop, hold, and ask the gate; each act is in the audit log."""

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from mailer.audience import show
from mailer.audit import trail
from mailer.campaigns import compose, forecast
from mailer.context import Context
from mailer.core.errors import InvalidInput, NotFound
from mailer.gate.forecast import Why, why_of
from mailer.subscriptions import by_staff
from mailer.web.staff.campaigns.words import reason
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.fields import Fields, whole_number
from mailer.web.staff.people.person import Shown, find, gone, shown
from mailer.web.support import blueprint, opener, unit

acts = blueprint("staff_person_acts", "/staff/people")

STOPPED = "Stopped. Nothing more is sent to this person on this channel; only their own confirmation lifts it."
NO_CAMPAIGN = "Choose a campaign."


@acts.post("/<int:point_id>/reveal")
@staff_only("reveal")
def reveal(point_id: int) -> Response:
    """Show the address on this one page, for a reason from the list; 50 a day."""
    why = Fields().raw("reason")
    try:
        with unit() as ctx:
            address = show.look(ctx, opener(), find(ctx, point_id), staff_id=here().staff_id, reason=why)
    except InvalidInput:
        return shown(point_id, 422, errors={"reason": "Choose a reason from the list."})
    except NotFound:
        return gone(point_id)
    return shown(point_id, extra=Shown(address=address))


@acts.post("/<int:point_id>/stop")
@staff_only("reveal")
def stop(point_id: int) -> Response:
    """Stop everything on this channel, because the person said so."""
    told = Fields().raw("reported")
    try:
        with unit() as ctx:
            by_staff.stop(ctx, find(ctx, point_id), reported=told)
    except InvalidInput as error:
        return shown(point_id, 422, errors={"reported": str(error.context["why"])})
    except NotFound:
        return gone(point_id)
    flash(STOPPED, "good")
    return redirect(url_for("staff_person.page", point_id=point_id), 303)


@acts.post("/<int:point_id>/hold")
@staff_only("privacy")
def hold(point_id: int) -> Response:
    """Put on hold, or end it; for the privacy officer."""
    on = Fields().raw("hold") == "on"
    try:
        with unit() as ctx:
            by_staff.hold(ctx, find(ctx, point_id), on)
    except NotFound:
        return gone(point_id)
    flash("On hold: nothing is sent but answers to their requests." if on else "The hold is over.", "good")
    return redirect(url_for("staff_person.page", point_id=point_id), 303)


@acts.post("/<int:point_id>/why")
@staff_only("see_people")
def why(point_id: int) -> Response:
    """Would this person get that campaign now, and why; noted."""
    typed = Fields().raw("campaign")
    try:
        with unit() as ctx:
            answer = _answer(ctx, point_id, typed)
    except InvalidInput:
        return shown(point_id, 422, errors={"campaign": NO_CAMPAIGN}, chosen={"campaign": typed})
    except NotFound:
        return gone(point_id)
    return shown(point_id, extra=Shown(why=answer), chosen={"campaign": typed})


def _answer(ctx: Context, point_id: int, typed: str) -> dict[str, object]:
    point = find(ctx, point_id)
    try:
        campaign = compose.find(ctx, whole_number(typed) or 0)
    except NotFound as error:
        raise InvalidInput(field="campaign", why=NO_CAMPAIGN) from error
    found: Why = why_of(ctx, forecast.terms(ctx, campaign), point.channel, [point.fingerprint])
    trail.record(ctx, "asked_why", f"contact_point:{point.id}", campaign=campaign.id, answer=found.answer)
    return {"campaign": campaign.name, "answer": found.answer, "reason": reason(found.reason) if found.reason else "",
            "since": found.since, "until": found.until}
