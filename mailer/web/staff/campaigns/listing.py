"""The list of campaigns, by how far they are."""

from typing import Any

from flask import flash, redirect, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from mailer.campaigns import compose, status
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.core.messages import CampaignState
from mailer.lists.models import MailingList, Topic
from mailer.web.numbers import place
from mailer.web.staff.campaigns import words
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.frame import path_if, staff_page
from mailer.web.support import blueprint, unit

campaigns = blueprint("staff_campaigns", "/staff/campaigns")

TABS: dict[str, tuple[str, tuple[CampaignState, ...]]] = {
    "draft": ("Draft", (CampaignState.DRAFT, CampaignState.COULD_NOT_START)),
    "needs_approval": ("Needs approval", (CampaignState.NEEDS_APPROVAL,)),
    "scheduled": ("Scheduled", (CampaignState.SCHEDULED,)),
    "sending": ("Sending", (CampaignState.STARTING, CampaignState.SENDING, CampaignState.PAUSED)),
    "sent": ("Sent", (CampaignState.SENT, CampaignState.STOPPED)),
}
A_PAGE = 50


@campaigns.get("")
@staff_only("read_content")
def page() -> Response:
    """One tab of campaigns, newest first; without a choice the first tab that holds any."""
    chosen = request.args.get("tab", "")
    before = place(request.args, "before") or 0
    with unit() as ctx:
        sizes = _sizes(ctx)
        if chosen not in TABS:
            chosen = next((name for name in ("sending", "needs_approval", "draft", "scheduled", "sent")
                           if sizes[name]), "draft")
        rows = _rows(ctx, TABS[chosen][1], before)
        shown = [_shown(ctx, *row) for row in rows[:A_PAGE]]
        has_list = ctx.db.scalar(select(MailingList.id).where(MailingList.archived.is_(False)).limit(1)) is not None
    tabs = [(f"{label} {sizes[name]:,}", url_for("staff_campaigns.page", tab=name), name == chosen)
            for name, (label, _) in TABS.items()]
    older = url_for("staff_campaigns.page", tab=chosen, before=rows[A_PAGE - 1][0].id) if len(rows) > A_PAGE else ""
    return staff_page("staff/campaigns/list.html", tabs=tabs, tab=chosen, tab_label=TABS[chosen][0], rows=shown,
                      older=older, has_list=has_list, lists_url=path_if("/staff/lists"))


@campaigns.post("/<int:number>/copy")
@staff_only("edit_content")
def duplicate(number: int) -> Response:
    """A new draft that says the same to the same list."""
    try:
        with unit() as ctx:
            made = compose.copy(ctx, number, staff_id=here().staff_id).id
    except InvalidInput:
        flash("Its list or topic is out of use, so it cannot be duplicated.", "warn")
        return redirect(url_for("staff_campaigns.page"), 303)
    return redirect(url_for("staff_campaigns.composer.edit", number=made), 303)


@campaigns.get("/<int:number>")
@staff_only("read_content")
def show(number: int) -> Response:
    """To the page that fits the campaign's state."""
    with unit() as ctx:
        state = CampaignState(compose.find(ctx, number).state)
    if state in compose.EDITABLE:
        writes = here().may("edit_content") and state is not CampaignState.NEEDS_APPROVAL
        target = "staff_campaigns.composer.edit" if writes else "staff_campaigns.check.page"
    elif state in (CampaignState.SENT, CampaignState.STOPPED):
        target = "staff_campaigns.report.page"
    else:
        target = "staff_campaigns.progress.page"
    return redirect(url_for(target, number=number), 303)


def _sizes(ctx: Context) -> dict[str, int]:
    states = list(ctx.db.scalars(select(Campaign.state)))
    return {name: sum(state in among for state in states) for name, (_, among) in TABS.items()}


def _rows(ctx: Context, states: tuple[CampaignState, ...], before: int) -> list[tuple[Campaign, str, str | None]]:
    asked = select(Campaign, MailingList.name, Topic.name).join(
        MailingList, MailingList.id == Campaign.list_id).outerjoin(Topic, Topic.id == Campaign.topic_id).where(
        Campaign.state.in_(states)).order_by(Campaign.id.desc()).limit(A_PAGE + 1)
    if before:
        asked = asked.where(Campaign.id < before)
    return [(campaign, list_name, topic) for campaign, list_name, topic in ctx.db.execute(asked)]


def _shown(ctx: Context, campaign: Campaign, list_name: str, topic: str | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": campaign.id, "name": campaign.name, "state": campaign.state, "sample": campaign.sample,
        "audience": f"{list_name}: {topic}" if topic else list_name,
        "moment": campaign.finished_at or campaign.started_at or campaign.send_at or campaign.changed_at,
        "why": words.why_not_started(campaign.why_not_started) or words.why_paused(campaign.why_paused),
        "done": None, "of": None}
    if campaign.state in (CampaignState.SENDING, CampaignState.PAUSED):
        now = status.status(ctx, campaign)
        row |= {"done": now.inside - now.waiting, "of": campaign.expected_in or now.inside}
    elif campaign.state == CampaignState.SENT:
        row |= {"accepted": campaign.accepted, "of": (campaign.planned or 0) - (campaign.refused or 0)}
    return row
