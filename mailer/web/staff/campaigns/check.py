"""Check and send: who gets it, what must be mended, when it leaves, and the one button."""

from collections.abc import Mapping
from typing import Any

from flask import request, url_for
from werkzeug.wrappers import Response

from mailer.campaigns import compose, forecast, preflight, review, test_send
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.channel import Grade
from mailer.core.messages import CampaignState
from mailer.gate.forecast import Forecast
from mailer.organisation import details
from mailer.organisation import profile as organisation
from mailer.outbox import assignment
from mailer.staff import accounts
from mailer.staff.models import Staff
from mailer.staff.roles import Role
from mailer.web.staff.campaigns import moment, words
from mailer.web.staff.campaigns.moment import Meaning, When
from mailer.web.staff.campaigns.testing import colleagues, new_press
from mailer.web.staff.counted import counted
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.frame import path_if, staff_page
from mailer.web.support import blueprint, opener, unit

check = blueprint("check")


@check.get("/<int:number>/check")
@staff_only("read_content")
def page(number: int) -> Response:
    """Everything to look at before it leaves."""
    return show(number)


@check.get("/<int:number>/check/when")
@staff_only("read_content")
def when_part(number: int) -> Response:
    """What date, time and zone come to, and the button that fits: a part of the page."""
    with unit() as ctx:
        campaign = compose.find(ctx, number)
        own_zone = organisation.current(ctx).time_zone
        meant = moment.meaning(read_when(request.args, own_zone), own_zone, ctx.clock.now())
        inside = request.args.get("expected_in", default=0, type=int)
        values = press_values(ctx, campaign, inside, meant)
    return staff_page("staff/campaigns/press_part.html", **values)


def show(number: int, status: int = 200, *, when: When | None = None, refused: str = "") -> Response:
    """The page; `refused` says why a press was not taken."""
    with unit() as ctx:
        campaign = compose.find(ctx, number)
        profile = organisation.current(ctx)
        when = when or When(zone=profile.time_zone)
        meant = moment.meaning(when, profile.time_zone, ctx.clock.now())
        seen = audience_of(ctx, campaign, anew=bool(refused))
        copy = assignment.load(ctx, number).copy
        values = _values(ctx, campaign, seen) | press_values(ctx, campaign, seen.inside, meant)
        if refused or (meant.error and request.method == "POST"):
            values["errors"] = {"press": refused} if refused else {"date": meant.error}
        values |= {"when_typed": when, "zones": zones(profile.time_zone), "copy": copy,
                   "why": words.why_not_started(campaign.why_not_started)}
    return staff_page("staff/campaigns/check.html", status, **values)


def audience_of(ctx: Context, campaign: Campaign, *, anew: bool = False) -> Forecast:
    """The forecast to look at; whoever presses Send is told by a fresh one, and then sees that."""
    asked = ("forecast", campaign.list_id, campaign.topic_id, organisation.current(ctx).mode)
    return counted(asked, lambda: forecast.of(ctx, campaign), anew=anew)


def read_when(form: Mapping[str, str], own_zone: str) -> When:
    """Now or Later, as posted or asked for."""
    return moment.read(form, zones(own_zone), own_zone)


def zones(own_zone: str) -> list[str]:
    """Every time zone, the organisation's first."""
    return [own_zone, *(each for each in details.time_zones() if each != own_zone)]


def press_values(ctx: Context, campaign: Campaign, inside: int, meant: Meaning) -> dict[str, Any]:
    """What stands at the foot of the page: the button for this person and this campaign, or why there is none."""
    senders = accounts.holders(ctx, Role.SENDER)
    waits = campaign.state == CampaignState.NEEDS_APPROVAL
    own = f"staff:{here().staff_id}"
    barred = review.barred(ctx, campaign) if waits else frozenset()
    others = [each for each in senders if f"staff:{each}" not in barred | {own}]
    return {
        "number": campaign.id, "version": campaign.version, "inside": inside, "people": words.people(inside),
        "meant": meant, "waits": waits, "second": review.needs_second(inside, senders), "may_send": here().may("send"),
        "may_write": here().may("edit_content"), "is_barred": own in barred,
        "approvers": _names(ctx, others), "editable": campaign.state in compose.EDITABLE,
    }


def _values(ctx: Context, campaign: Campaign, seen: Forecast) -> dict[str, Any]:
    edit = url_for("staff_campaigns.composer.edit", number=campaign.id)
    settings = path_if("/staff/settings") if here().may("see_settings") else ""
    found = preflight.findings(ctx, campaign, seen, keep=counted)
    lines = [words.finding(each, edit if here().may("edit_content") else "", settings) for each in found]
    return {
        "campaign": campaign, "seen": seen, "reasons": words.waterfall(seen.reasons), "findings": lines,
        "must_fix": sum(each.grade is Grade.MUST_FIX for each in found),
        "look": sum(each.grade is Grade.LOOK for each in found), "edit": edit, "colleagues": colleagues(ctx),
        "press": new_press(ctx), "test_people": test_send.PEOPLE, "at_most": test_send.AT_MOST,
    }


def _names(ctx: Context, staff_ids: list[int]) -> str:
    """Colleagues by name: `Sam`, `Sam or Sue`."""
    names = [accounts.name_of(opener(), ctx.db.get_one(Staff, each)) or f"colleague {each}" for each in staff_ids]
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
