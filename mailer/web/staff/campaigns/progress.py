"""A campaign on its way: exact, for staff, since it counts messages and not what people do (decision 31)."""

import math
from datetime import datetime, timedelta
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from mailer.audit.models import AuditEntry
from mailer.campaigns import compose, control, hindrance, status, watch
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.messages import CampaignState, State
from mailer.organisation import profile as organisation
from mailer.staff import accounts
from mailer.staff.models import Staff
from mailer.web.staff.campaigns import words
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.frame import staff_page, when
from mailer.web.support import blueprint, exits_folder, opener, unit

progress = blueprint("progress")

SHOWN_FOR = timedelta(hours=1)
"""How long the exact figures stand after the end; then the report speaks, which keeps small numbers back."""

WINDOW = 60.0
"""Seconds over which the rate is taken, as far as the page has been open so long."""

LONGEST_ETA = 48 * 60
"""Minutes beyond which a guess at the end says nothing."""

AGAIN = {CampaignState.SCHEDULED: 30, CampaignState.STARTING: 1, CampaignState.SENDING: 2, CampaignState.PAUSED: 5}
LATER_AGAIN = 5
LONG = timedelta(minutes=10)


@progress.get("/<int:number>/progress")
@staff_only("read_content")
def page(number: int) -> Response:
    """The page with its part that refreshes itself."""
    with unit() as ctx:
        campaign = compose.find(ctx, number)
        if campaign.state in compose.EDITABLE and campaign.state != CampaignState.COULD_NOT_START:
            return redirect(url_for("staff_campaigns.show", number=number), 303)
        if campaign.finished_at and ctx.clock.now() - campaign.finished_at > SHOWN_FOR:
            return redirect(url_for("staff_campaigns.report.page", number=number), 303)
        values = _values(ctx, campaign)
    return staff_page("staff/campaigns/progress.html", **values)


@progress.get("/<int:number>/progress/part")
@staff_only("read_content")
def part(number: int) -> Response:
    """The part alone; it leaves out asking again when all is done."""
    with unit() as ctx:
        values = _values(ctx, compose.find(ctx, number))
    return staff_page("staff/campaigns/progress_part.html", **values)


def _values(ctx: Context, campaign: Campaign) -> dict[str, Any]:
    now, zone = ctx.clock.now(), organisation.current(ctx).time_zone
    seen = status.status(ctx, campaign)
    inside = seen.inside if seen.is_final or not campaign.expected_in else campaign.expected_in
    done = seen.inside - seen.waiting
    rate, marks = _rate(seen, done, now)
    state = seen.state
    return {
        "number": campaign.id, "name": campaign.name, "state": str(state), "done": done, "total": max(inside, done),
        "tiles": _tiles(seen), "reasons": words.waterfall(seen.refused_by_reason), "refused": seen.refused,
        "codes": sorted(seen.failed_by_code.items()), "uncertain": seen.uncertain, "final": seen.is_final,
        "rate": rate, "eta": _eta(max(inside, done) - done, rate) if state is CampaignState.SENDING else "",
        "kept_back": watch.kept_back(ctx, campaign), "events": _events(ctx, campaign, zone),
        "silent": state is CampaignState.SENDING and watch.workers_are_silent(ctx),
        "held": words.held(hindrance.of(ctx, campaign, exits_folder()))
        if state is CampaignState.SENDING else "",
        "may_resend": here().may("send") and control.may_send_uncertain(ctx, campaign),
        "why_paused": words.why_paused(campaign.why_paused),
        "why_not": words.why_not_started(campaign.why_not_started), "may_send": here().may("send"),
        "starts_in": _seconds_left(campaign, now), "stopping": campaign.stopping,
        "starts": words.clock_line(campaign.send_at, campaign.time_zone or zone, zone, now) if campaign.send_at else "",
        "again": None if seen.is_final else _again(campaign, now), "marks": marks,
        "announce": _announce(seen, done, inside), "mode_is_practice": campaign.mode == "practice",
    }


def _tiles(seen: status.Status) -> list[dict[str, Any]]:
    waiting = seen.waiting_by_state
    found = [
        ("waiting", "Waiting", seen.waiting - waiting[State.DEFERRED], "ring", ""),
        ("accepted", "Accepted", seen.accepted, "dot", "by the mail server"),
        ("will_retry", "Will retry", waiting[State.DEFERRED], "clock", ""),
        ("failed", "Failed", seen.failed, "triangle", ""),
        ("not_sent", "Not sent", seen.refused, "cross", "reasons below"),
    ]
    if seen.uncertain:
        found.append(("uncertain", "Unsure", seen.uncertain, "half", "may have arrived"))
    if seen.expired:
        found.append(("expired", "Too late", seen.expired, "cross", "not sent in time"))
    return [{"name": name, "label": label, "value": f"{value:,}", "shape": shape, "note": note}
            for name, label, value, shape, note in found]


def _rate(seen: status.Status, done: int, now: datetime) -> tuple[float, str]:
    """Messages a second over about the last minute, and the two readings that the next look goes by.

    The page carries them itself (`12.5-400_43.0-1700`: seconds and messages), so that nothing is kept per viewer.
    """
    if seen.started_at is None or seen.state is not CampaignState.SENDING:
        return 0.0, ""
    at = (now - seen.started_at).total_seconds()
    old, new = _marks(request.args.get("marks", ""), at, done)
    if at - new[0] >= WINDOW / 2:
        old, new = new, (at, done)
    gap = at - old[0]
    return (done - old[1]) / gap if gap >= 1 else 0.0, f"{old[0]:.1f}-{old[1]}_{new[0]:.1f}-{new[1]}"


def _marks(raw: str, at: float, done: int) -> tuple[tuple[float, int], tuple[float, int]]:
    try:
        (first, early), (second, late) = (each.split("-") for each in raw[:80].split("_"))
        old, new = (float(first), int(early)), (float(second), int(late))
    except ValueError:
        return (0.0, 0), (at, done)
    sane = 0 <= old[0] <= new[0] <= at and 0 <= old[1] <= new[1] <= done and at - old[0] <= 3 * WINDOW
    return (old, new) if sane else ((at, done), (at, done))


def _eta(left: int, rate: float) -> str:
    """The time left as a range, since no rate stays what it is."""
    if left <= 0 or rate <= 0:
        return ""
    minutes = left / rate / 60
    if minutes > LONGEST_ETA:
        return ""
    low, high = math.floor(minutes * 0.85), math.ceil(minutes * 1.2)
    if high <= 1:
        return "less than a minute left"
    return f"{max(low, 1)} to {high} minutes left" if high > max(low, 1) else f"about {high} minutes left"


def _seconds_left(campaign: Campaign, now: datetime) -> int:
    if campaign.send_at is None or campaign.state != CampaignState.STARTING:
        return 0
    return max(0, math.ceil((campaign.send_at - now).total_seconds()))


def _again(campaign: Campaign, now: datetime) -> int:
    """Seconds until the page looks again: soon at first, more slowly in a long campaign."""
    long = campaign.started_at is not None and now - campaign.started_at > LONG
    return max(AGAIN.get(CampaignState(campaign.state), 2), LATER_AGAIN if long else 0)


def _announce(seen: status.Status, done: int, inside: int) -> str:
    """What a screen reader hears: at the start, at each quarter and at the end only."""
    if seen.is_final:
        return f"Ended: {seen.accepted:,} accepted."
    if seen.state is CampaignState.PAUSED:
        return "Paused."
    quarter = 4 * done // inside if inside else 0
    return f"{25 * quarter}% done." if quarter else "Sending." if seen.state is CampaignState.SENDING else ""


def _events(ctx: Context, campaign: Campaign, zone: str) -> list[dict[str, Any]]:
    return [{"title": words.EVENTS.get(each.act, each.act.replace("_", " ").capitalize()),
             "when": when(each.at, zone), "by": _who(ctx, each)}
            for each in watch.events(ctx, campaign)]


def _who(ctx: Context, entry: AuditEntry) -> str:
    """The colleague by name, or the part of the system that did it."""
    kind, _, number = entry.actor.partition(":")
    if kind != "staff" or not number.isdigit():
        return {"system": "by itself", "operator": "from the command line"}.get(entry.actor, entry.actor)
    member = ctx.db.get(Staff, int(number))
    return (accounts.name_of(opener(), member) if member else "") or f"colleague {number}"
