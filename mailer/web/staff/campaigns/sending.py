"""The presses that move a campaign: send, schedule, ask, approve, undo, pause, go on, stop."""

from collections.abc import Callable

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from mailer.campaigns import compose, control, forecast, preflight, review, schedule, status
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.errors import Conflict, NotAllowed
from mailer.core.messages import CampaignState
from mailer.gate.forecast import Forecast
from mailer.organisation import profile as organisation
from mailer.staff import accounts
from mailer.staff.roles import Role
from mailer.web.staff.campaigns import check, moment, words
from mailer.web.staff.campaigns.moment import When
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.fields import whole_number
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, unit

sending = blueprint("sending")

STOPPABLE = frozenset({CampaignState.SCHEDULED, CampaignState.STARTING, CampaignState.SENDING, CampaignState.PAUSED})
CHANGED = "This campaign changed since you looked. Look again, then press the button."
HELD = "Something must be fixed first. The list says what and where."


@sending.post("/<int:number>/send")
@staff_only("send")
def send(number: int) -> Response:
    """Send now or schedule what was looked at; anything that differs from it is shown and asked again."""
    with unit() as ctx:
        campaign = compose.lock(ctx, number)
        if campaign.state not in compose.EDITABLE:
            return _to(number)
        own_zone = organisation.current(ctx).time_zone
        when = check.read_when(request.form, own_zone)
        meant = moment.meaning(when, own_zone, ctx.clock.now())
        unseen = meant.error or meant.stamp != request.form.get("stamp", "") or "look" in request.form
        seen = forecast.of(ctx, campaign)
        refused = "" if unseen else _refused(ctx, campaign, seen)
        if not unseen and not refused:
            _leave(ctx, campaign, when, seen.inside)
    if unseen or refused:
        return check.show(number, 422 if refused or meant.error else 200, when=when, refused=refused)
    return redirect(url_for("staff_campaigns.progress.page", number=number), 303)


@sending.post("/<int:number>/ask")
@staff_only("edit_content")
def ask(number: int) -> Response:
    """Ask a second person, or one who may send."""
    with unit() as ctx:
        campaign = compose.lock(ctx, number)
        if campaign.state not in review.ASKABLE:
            return redirect(url_for("staff_campaigns.check.page", number=number), 303)
        seen = forecast.of(ctx, campaign)
        refused = _not_as_seen(ctx, campaign, seen)
        if not refused:
            review.ask(ctx, number, version=campaign.version, inside=seen.inside)
    if refused:
        return check.show(number, 422, refused=refused)
    flash("Approval asked for. It is under “Needs approval”.", "good")
    return redirect(url_for("staff_campaigns.check.page", number=number), 303)


@sending.post("/<int:number>/take-back")
@staff_only("edit_content")
def take_back(number: int) -> Response:
    """Take the request for approval back: a draft again."""
    return _moved(number, review.take_back)


@sending.post("/<int:number>/undo")
@staff_only("send")
def undo(number: int) -> Response:
    """Within the undo time, or before its time comes: a draft again, and nothing was sent."""
    try:
        with unit() as ctx:
            schedule.undo(ctx, number)
    except Conflict:
        flash("Too late to undo: it had begun. You can pause or stop it here.", "warn")
        return _to(number)
    flash("Undone. Nothing was sent.", "good")
    return redirect(url_for("staff_campaigns.check.page", number=number), 303)


@sending.post("/<int:number>/pause")
@staff_only("send")
def pause(number: int) -> Response:
    """Pause at once, without a question."""
    return _moved(number, control.pause)


@sending.post("/<int:number>/resume")
@staff_only("send")
def resume(number: int) -> Response:
    """Go on from where it was."""
    return _moved(number, control.resume)


@sending.post("/<int:number>/send-uncertain")
@staff_only("send")
def send_uncertain(number: int) -> Response:
    """Send again to those who may have got it already: the words stand beside the button."""
    try:
        with unit() as ctx:
            count = control.send_uncertain(ctx, number)
    except Conflict:
        flash("Nobody is unsure any more, or the campaign has moved on. This is how it stands.", "warn")
    else:
        flash(f"It goes to {words.people(count)} again.", "good")
    return _to(number)


@sending.get("/<int:number>/stop")
@staff_only("send")
def stop_page(number: int) -> Response:
    """Ask once more, with the number that has not been sent."""
    with unit() as ctx:
        campaign = compose.find(ctx, number)
        left = status.status(ctx, campaign).waiting
        name, over = campaign.name, campaign.state not in STOPPABLE
    return _to(number) if over else staff_page("staff/campaigns/stop.html", number=number, left=left, name=name)


@sending.post("/<int:number>/stop")
@staff_only("send")
def stop(number: int) -> Response:
    """Stop for good."""
    return _moved(number, control.stop)


def _not_as_seen(ctx: Context, campaign: Campaign, seen: Forecast) -> str:
    """What differs from the page that was looked at, or holds the campaign back."""
    if campaign.version != _posted("version"):
        return CHANGED
    if preflight.must_fix(ctx, campaign, seen):
        return HELD
    more = seen.inside - _posted("expected_in")
    return f"Since you looked, {words.people(more)} more came in. Look again; the button now names all " \
           f"{seen.inside:,}." if more > 0 else ""


def _refused(ctx: Context, campaign: Campaign, seen: Forecast) -> str:
    """Why this press is not taken; the page then shows the campaign as it is now. Raises: NotAllowed."""
    waits = campaign.state == CampaignState.NEEDS_APPROVAL
    if waits and ctx.actor in review.barred(ctx, campaign):
        raise NotAllowed(campaign=campaign.id)
    if not waits and review.needs_second(seen.inside, accounts.holders(ctx, Role.SENDER)):
        return f"A campaign to more than {review.LARGE:,} people needs a second person. Ask for approval."
    return _not_as_seen(ctx, campaign, seen)


def _leave(ctx: Context, campaign: Campaign, when: When, inside: int) -> None:
    if campaign.state == CampaignState.NEEDS_APPROVAL:
        review.approve(ctx, campaign.id, version=campaign.version, staff_id=here().staff_id)
    if when.later:
        schedule.later(ctx, campaign.id, local=moment.local_time(when), zone_name=when.zone, fold=when.fold,
                       expected_in=inside)
    else:
        schedule.send(ctx, campaign.id, expected_in=inside)


def _moved(number: int, verb: Callable[[Context, int], Campaign]) -> Response:
    """Do it; where the campaign moved on meanwhile, its page says how it stands."""
    try:
        with unit() as ctx:
            verb(ctx, number)
    except Conflict:
        flash("The campaign had moved on meanwhile. This is how it stands.", "warn")
    return _to(number)


def _to(number: int) -> Response:
    return redirect(url_for("staff_campaigns.show", number=number), 303)


def _posted(name: str) -> int:
    posted = whole_number(request.form.get(name, ""))
    return -1 if posted is None else posted
