"""What became of a campaign: totals, with small numbers kept back, as a page to print and a file to keep."""

from collections.abc import Mapping
from typing import Any

from flask import make_response, redirect, url_for
from werkzeug.wrappers import Response

from mailer.analytics import k_anonymity
from mailer.campaigns import compose, control
from mailer.campaigns import report as reports
from mailer.campaigns.report import Report
from mailer.context import Context
from mailer.core import spreadsheet
from mailer.lists.models import MailingList, Topic
from mailer.web.staff.campaigns import words
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, unit

report = blueprint("report")


@report.get("/<int:number>/report")
@staff_only("totals")
def page(number: int) -> Response:
    """One sentence first, then the figures."""
    with unit() as ctx:
        campaign = compose.find(ctx, number)
        if campaign.state not in reports.REPORTED:
            return redirect(url_for("staff_campaigns.show", number=number), 303)
        found = reports.of(ctx, campaign)
        values = {
            "number": number, "name": campaign.name, "state": campaign.state, "sample": campaign.sample,
            "audience": _audience(ctx, campaign.list_id, campaign.topic_id), "mode": campaign.mode,
            "may_resend": here().may("send") and control.may_send_uncertain(ctx, campaign),
            "started_at": campaign.started_at, "finished_at": campaign.finished_at, **_figures(found)}
    mode = values.pop("mode")
    return staff_page("staff/campaigns/report.html", sent_in=mode, **values)


@report.get("/<int:number>/report.csv")
@staff_only("totals")
def totals(number: int) -> Response:
    """The same totals as a file for a spreadsheet; nothing in it is a formula."""
    with unit() as ctx:
        campaign = compose.find(ctx, number)
        if campaign.state not in reports.REPORTED:
            return redirect(url_for("staff_campaigns.show", number=number), 303)
        figures = _figures(reports.of(ctx, campaign))
        head = [("Campaign", campaign.name), ("State", campaign.state),
                ("Started (UTC)", f"{campaign.started_at:%Y-%m-%d %H:%M}" if campaign.started_at else "")]
    rows: list[tuple[object, ...]] = [("figure", "number"), *head]
    rows += [(label, value) for label, value in figures["delivery"]]
    rows += [(f"Not sent: {label}", value) for label, _, value in figures["not_sent"]]
    rows += [(f"Failed: {label}", value) for label, _, value in figures["codes"]]
    rows += [(label, value) for label, value in figures["behaviour"]]
    response = make_response(spreadsheet.table(rows))
    response.mimetype = "text/csv"
    response.headers["Content-Disposition"] = f'attachment; filename="campaign-{number}.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _figures(found: Report) -> dict[str, Any]:
    """Messages are counted exactly; what people did is kept back where it is small (decision 31)."""
    ended = found.ended
    delivery = [("In", ended.inside), ("Accepted", ended.accepted), ("Failed", ended.failed),
                ("Unsure", ended.uncertain), ("Too late", ended.expired)]
    behaviour = [(label, _small(count)) for label, count in (
        ("Left by a link in it", found.left), ("Bounced later", found.bounced), ("Complained", found.complained))
        if count or label.startswith("Left")]
    return {
        "inside": ended.inside, "accepted": ended.accepted, "uncertain": ended.uncertain,
        "left": _small(found.left), "complained": _small(found.complained) if found.complained else "",
        "settled": found.settled, "counted_until": found.counted_until, "behaviour": behaviour,
        "refused": _small(ended.refused),
        "delivery": [(label, f"{value:,}") for label, value in delivery],
        "not_sent": _bars(found.reasons, words.reason), "codes": _bars(ended.failed_by_code, _code)}


def _bars(counts: Mapping[str, int], label: Any) -> list[tuple[str, int | None, str]]:
    """Label, length of the bar (none where the number is kept back) and the words of the number."""
    parts = k_anonymity.parts(counts)
    names = sorted(parts, key=lambda name: (name == k_anonymity.OTHER, -counts.get(name, 0)))
    return [("Other" if name == k_anonymity.OTHER else label(name), _length(parts[name]), parts[name])
            for name in names]


def _length(words: str) -> int | None:
    return int(words.replace(",", "")) if words[0].isdigit() else None


def _small(count: int) -> str:
    return k_anonymity.shown(count) if count else "none"


def _code(code: str) -> str:
    return f"Code {code}" if code else "No code"


def _audience(ctx: Context, list_id: int, topic_id: int | None) -> str:
    topic = ctx.db.get(Topic, topic_id) if topic_id else None
    name = ctx.db.get_one(MailingList, list_id).name
    return f"{name}: {topic.name}" if topic else name
