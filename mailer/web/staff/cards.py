"""The cards of Home: each reads its own figures, so that one that fails leaves the others standing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from mailer.analytics import growth, k_anonymity
from mailer.analytics.growth import Growth
from mailer.audit.models import AuditEntry
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.messages import CampaignState, State
from mailer.lists.models import MailingList
from mailer.organisation import profile as organisation
from mailer.outbox import counts, servers
from mailer.rights import deadlines, requests
from mailer.staff import mode_switch
from mailer.staff.models import Staff
from mailer.staff.roles import Permission
from mailer.staff.sessions import SignedIn
from mailer.subscriptions import words
from mailer.web.staff.counted import counted
from mailer.web.support import application

RUNNING = (CampaignState.STARTING, CampaignState.SENDING, CampaignState.PAUSED)
ENDED = (CampaignState.SENT, CampaignState.STOPPED)
SCHEDULED_SHOWN = 5

PEOPLE = text("""
    SELECT channel, count(DISTINCT contact_point.id) FROM contact_point
    JOIN standing ON standing.contact_point_id = contact_point.id AND standing.state = 'live'
    GROUP BY channel ORDER BY channel""")
FIRST_FORM = text("""
    SELECT slug FROM form JOIN mailing_list ON mailing_list.id = form.list_id
    WHERE NOT form.archived AND NOT mailing_list.archived ORDER BY form.id LIMIT 1""")
SAMPLE_CAMPAIGN = text("SELECT id FROM campaign WHERE sample AND state = 'draft' ORDER BY id DESC LIMIT 1")
ALARMS = {
    "reveals_used_up": "A colleague has looked at 50 addresses in a day. The audit log says who.",
    "bulk_export": "Data of many people left in one export. The audit log says who exported it.",
    "typed_stops_slowed": "Many addresses were typed on the stop page from one network. They take effect later.",
}
CHANNEL_NAMES = {"email": "Email", "sms": "Text", "postal": "Post"}


@dataclass(frozen=True)
class Need:
    """One thing that waits for this person."""

    text: str
    path: str


@dataclass(frozen=True)
class Mailing:
    """One campaign in one line."""

    id: int
    name: str
    state: str
    into: int
    done: int
    at: datetime | None
    sample: bool = False


CARDS: dict[str, Callable[[Context, SignedIn], Any]] = {}


def read(ctx: Context, staff: SignedIn) -> tuple[dict[str, Any], list[str]]:
    """Every card's figures, and the names of those that could not be loaded."""
    found: dict[str, Any] = {}
    failed: list[str] = []
    for name, card in CARDS.items():
        try:
            with ctx.db.begin_nested():
                found[name] = card(ctx, staff)
        except DBAPIError:
            failed.append(name)
    return found, failed


def needs(ctx: Context, staff: SignedIn) -> list[Need]:
    """What this person should look at first."""
    found = []
    member = ctx.db.get_one(Staff, staff.staff_id)
    if member.failed_tries:
        tries = f"{member.failed_tries} wrong tries" if member.failed_tries > 1 else "1 wrong try"
        found.append(Need(f"{tries} to sign in as you. Was it you?", "/staff/account"))
    if not member.totp_confirmed:
        found.append(Need("Set up your second factor. It is required outside Practice.",
                          "/staff/account/second-factor"))
    if staff.may(Permission.PRIVACY) and mode_switch.asked_by(ctx) not in (None, staff.staff_id):
        found.append(Need("An Admin asked to go Live. It waits for your word.", "/staff/settings/live"))
    if staff.may(Permission.PRIVACY):
        found += _alarms(ctx) + _requests_due(ctx)
    if staff.may(Permission.SETTINGS):
        found += [Need(f"The mail server {hold.server} {hold.why}. Messages wait; nothing is lost.",
                       "/staff/settings/limits") for hold in servers.holds(ctx) if hold.refused_password]
    return found + _campaigns_that_wait(ctx, staff)


def running(ctx: Context, _staff: SignedIn) -> list[Mailing]:
    """Campaigns on their way."""
    return [_line(ctx, each) for each in ctx.db.scalars(
        select(Campaign).where(Campaign.state.in_(RUNNING)).order_by(Campaign.id))]


def scheduled(ctx: Context, _staff: SignedIn) -> list[Mailing]:
    """The next ones."""
    rows = ctx.db.scalars(select(Campaign).where(Campaign.state == CampaignState.SCHEDULED).order_by(
        Campaign.send_at).limit(SCHEDULED_SHOWN))
    return [Mailing(each.id, each.name, each.state, each.expected_in or 0, 0, each.send_at, each.sample)
            for each in rows]


def last(ctx: Context, _staff: SignedIn) -> Mailing | None:
    """The one that ended last."""
    campaign = ctx.db.scalar(select(Campaign).where(Campaign.state.in_(ENDED)).order_by(
        Campaign.finished_at.desc().nulls_last(), Campaign.id.desc()).limit(1))
    if campaign is None:
        return None
    into = (campaign.planned or 0) - (campaign.refused or 0)
    return Mailing(campaign.id, campaign.name, campaign.state, into, campaign.accepted or 0, campaign.finished_at,
                   campaign.sample)


def people(ctx: Context, staff: SignedIn) -> list[tuple[str, str]]:
    """How many people may be written to, by channel; small numbers are kept from those who may not see people."""
    exact = staff.may(Permission.SEE_PEOPLE)
    return [(CHANNEL_NAMES[channel], f"{n:,}" if exact else k_anonymity.shown(n))
            for channel, n in counted("people", lambda: ctx.db.execute(PEOPLE).tuples().all())]


def grown(ctx: Context, _staff: SignedIn) -> dict[str, Any]:
    """Twelve weeks of coming and going, in steps wide enough to point at nobody; no labels where it is withheld."""
    found = _growth_of_the_hour(ctx)
    if found is None:
        return {"labels": []}
    joined, left = sum(found.joined), sum(found.left)
    step = "a week" if found.width == 1 else f"{found.width} weeks"
    return {
        "summary": f"In 12 weeks {joined:,} confirmed and {left:,} left: net {joined - left:+,}. One bar is {step}.",
        "labels": [f"{day.day} {day:%b}" for day in found.begins], "joined": found.joined, "left": found.left}


def _growth_of_the_hour(ctx: Context) -> Growth | None:
    """Counted once an hour in each process: a large ledger takes seconds to read."""
    kept: dict[object, Growth | None] = application().extensions.setdefault("growth", {})
    profile = organisation.current(ctx)
    hour = (growth.counted_until(ctx), profile.mode, profile.time_zone)
    if hour not in kept:
        found = growth.of_weeks(ctx)
        kept.clear()
        kept[hour] = found
        return found
    return kept.get(hour)


def next_acts(ctx: Context, _staff: SignedIn) -> dict[str, str]:
    """Where to sign oneself up, and the sample campaign."""
    form, sample = ctx.db.scalar(FIRST_FORM), ctx.db.scalar(SAMPLE_CAMPAIGN)
    return {"join": f"/join/{form}" if form else "", "sample": f"/staff/campaigns/{sample}" if sample else "",
            "lists": "" if ctx.db.scalar(select(MailingList.id).limit(1)) else "/staff/lists"}


def _alarms(ctx: Context) -> list[Need]:
    """What the privacy officer is told of for a day (decisions 22 and 30)."""
    since = ctx.clock.now() - timedelta(days=1)
    acts = set(ctx.db.scalars(select(AuditEntry.act).where(AuditEntry.act.in_(ALARMS), AuditEntry.at > since)))
    return [Need(words, "/staff/audit") for act, words in ALARMS.items() if act in acts]


def _requests_due(ctx: Context) -> list[Need]:
    """Open requests: the overdue ones first, then how many wait and by when."""
    load, found = requests.load(ctx), []
    if load.overdue:
        said = "privacy requests are overdue" if load.overdue > 1 else "privacy request is overdue"
        found.append(Need(f"{load.overdue} {said}. Answer today.", "/staff/privacy"))
    if load.open > load.overdue and load.next_due:
        zone, now = words.zone(ctx), ctx.clock.now()
        left = max(0, deadlines.days_left(load.next_due, now, zone))
        waiting = load.open - load.overdue
        found.append(Need(f"{waiting} privacy request{'s' if waiting > 1 else ''} open, the next due on "
                          f"{words.day(load.next_due.astimezone(zone).date(), now.date())}, "
                          f"{left} day{'' if left == 1 else 's'} left.", "/staff/privacy"))
    return found


def _campaigns_that_wait(ctx: Context, staff: SignedIn) -> list[Need]:
    words = {CampaignState.COULD_NOT_START: "could not start", CampaignState.PAUSED: "is paused"}
    if staff.may(Permission.SEND):
        words[CampaignState.NEEDS_APPROVAL] = "waits for approval"
    if not staff.may(Permission.EDIT_CONTENT):
        return []
    rows = ctx.db.scalars(select(Campaign).where(Campaign.state.in_(words)).order_by(Campaign.id.desc()).limit(10))
    return [Need(f"“{each.name}” {words[CampaignState(each.state)]}.", f"/staff/campaigns/{each.id}") for each in rows]


def _line(ctx: Context, campaign: Campaign) -> Mailing:
    sums = counts.sums(ctx, campaign.id)
    refused = sums.ended.get(State.REFUSED, 0)
    return Mailing(campaign.id, campaign.name, campaign.state, sums.planned - refused,
                   sum(sums.ended.values()) - refused, campaign.started_at, campaign.sample)


CARDS |= {"needs": needs, "running": running, "scheduled": scheduled, "last": last, "people": people,
          "grown": grown, "next_acts": next_acts}
