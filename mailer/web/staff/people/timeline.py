"""What happened with a person, newest first: consents with their evidence, messages, goodbyes, acts of staff."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import select

from mailer.audience.models import ContactPoint, PendingRequest
from mailer.audit.models import AuditEntry
from mailer.consent import history as consents
from mailer.consent.history import Moment
from mailer.context import Context
from mailer.core.messages import MessageClass, Purpose
from mailer.core.vault import Opener
from mailer.gate import history as answers
from mailer.gate.history import Answered
from mailer.lists import forms
from mailer.lists.models import Form, FormVersion, MailingList, Topic, Wording
from mailer.policy.models import Notice
from mailer.staff import accounts
from mailer.staff.models import Staff
from mailer.subscriptions.models import Goodbye
from mailer.web.staff.campaigns.words import reason

ASKED = "asked "
"""How the note of a confirmed form begins; the moment of asking follows (ISO 8601)."""
HOW = {
    "form_confirmed": "by the button in the message to their own address", "undo": "they took their goodbye back",
    "one_click": "by the unsubscribe button of their mail program", "unsubscribe_page": "on the unsubscribe page",
    "preferences": "on their preferences page", "preferences_fresh": "on their own page, by a fresh link",
    "merged": "from another address that turned out to be theirs",
    "address_changed": "because of a stop at the address they moved to",
    "address_undone": "because a change of address was taken back",
    "typed_address": "by the address typed on a stop page",
    "friend_never": "by “never write to me again” on a friend's page",
    "staff_stop": "by staff, because the person said so", "exits_file": "from the record of people who left",
    "imported_proof": "with proof from elsewhere, approved by the privacy officer",
    "said_with_order": "with an order", "said_with_survey": "with a survey", "said_with_contest": "with an entry",
    "said_with_service": "with a question to us", "said_with_delivery": "with a delivery",
    "said_with_recruitment": "with an application",
    "child_reported": "because somebody said that it is a child's address",
    "break": "for a break", "seed": "made-up person", "phone": "by phone", "letter": "by letter", "desk": "at the desk",
}
KINDS = {
    MessageClass.CONFIRMATION: "Confirmation", MessageClass.FRESH_LINK: "Fresh link",
    MessageClass.INVITATION: "Invitation", MessageClass.SERVICE_NOTICE: "Service message",
    MessageClass.POLICY_NOTICE: "Notice of a change", MessageClass.RIGHTS_ANSWER: "Answer to a request",
    MessageClass.REPLY: "Reply",
    MessageClass.ACKNOWLEDGEMENT: "Acknowledgement",
}
STATES = {
    "accepted": ("sent", "dot", "good"), "failed": ("failed", "triangle", "bad"),
    "expired": ("not sent: too late", "cross", "quiet"), "uncertain": ("unsure whether it was sent", "half", "warn"),
}
UNDER_WAY = ("is being sent", "clock", "")
ACTS = {
    "reveal_address": ("Address looked at", "shield"), "stop_for_person": ("Stopped by staff", "cross"),
    "hold_on": ("Put on hold", "bars"), "hold_off": ("Hold ended", "play"), "asked_why": ("Asked why", "diamond"),
}
REVEALS = {
    "answer_to_the_person": "to answer the person", "rights_request": "for a request about their data",
    "delivery_problem": "for a problem with delivery", "complaint_or_abuse": "for a complaint or abuse",
    "legal_duty": "because the law asks for it",
}


@dataclass(frozen=True)
class Item:
    """One point of the line, as the template's macro takes it; `at` sorts, `rank` orders what came at once."""

    at: datetime
    title: str
    rank: int = 0
    detail: str = ""
    quote: str = ""
    by: str = ""
    shape: str = "dot"
    tone: str = ""


class Names:
    """What ids stand for, each looked up once."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.lists = {row.id: row.name for row in ctx.db.scalars(select(MailingList))}
        self.topics = {row.id: row.name for row in ctx.db.scalars(select(Topic))}

    def form(self, version_id: int | None) -> str:
        row = self._ctx.db.execute(select(Form.name, FormVersion.version).join(
            FormVersion, FormVersion.form_id == Form.id).where(FormVersion.id == version_id)).one_or_none()
        return f"form {row.name}, version {row.version}" if row else ""

    def notice(self, notice_id: int | None) -> str:
        version = self._ctx.db.scalar(select(Notice.version).where(Notice.id == notice_id))
        return f"privacy notice {version}" if version else ""

    def wording(self, wording_id: int | None) -> str:
        return self._ctx.db.scalar(select(Wording.text).where(Wording.id == wording_id)) or ""

    def staff(self, opener: Opener, actor: str) -> str:
        kind, _, number = actor.partition(":")
        member = self._ctx.db.get(Staff, int(number)) if kind == "staff" and number.isdigit() else None
        return (accounts.name_of(opener, member) or "A colleague") if member else actor.capitalize()

    def what(self, moments: Sequence[Moment]) -> str:
        """`Concert news: Events, New releases`; partner offers have a line of their own."""
        topics = [self.topics[each.topic_id] for each in moments if each.topic_id in self.topics]
        return f"{self.lists.get(moments[0].list_id, 'A list')}: {', '.join(topics)}" if topics else ""


def of(ctx: Context, opener: Opener, points: Sequence[ContactPoint]) -> list[Item]:
    """The whole line of one person. Raises: NotFound once erased."""
    names = Names(ctx)
    items: list[Item] = []
    for point in points:
        moments = consents.timeline(ctx, opener, point)
        items += _consents(names, moments)
        items += [_message(each) for each in answers.of(ctx, point.id)]
        items += _goodbyes(ctx, point.id, {each.at for each in moments})
        items += _acts(ctx, names, opener, point.id)
    return _sorted(items)


def of_request(ctx: Context, asked: PendingRequest) -> list[Item]:
    """The line of somebody who has only asked so far."""
    names = Names(ctx)
    version = ctx.db.get(FormVersion, asked.form_version_id) if asked.form_version_id else None
    notice = ctx.db.get(Notice, asked.notice_id) if asked.notice_id else None
    shown = forms.as_seen(ctx, version, notice).text if version else ""
    items = [_asked(names, asked.asked_at, asked.form_version_id, asked.notice_id, shown)]
    return _sorted(items + [_message(each) for each in answers.of_request(ctx, asked.id)])


def _sorted(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=lambda item: (item.at, item.rank), reverse=True)


def _consents(names: Names, moments: Sequence[Moment]) -> list[Item]:
    items: list[Item] = []
    for _, group in groupby(moments, key=lambda each: (each.at, each.act, each.purpose, each.list_id)):
        together = list(group)
        first = together[0]
        items.append(_consent(names, together))
        note = str(first.evidence.get("note") or "")
        if note.startswith(ASKED) and first.purpose == Purpose.OWN_OFFERS:
            said = first.evidence
            items.append(_asked(names, datetime.fromisoformat(note.removeprefix(ASKED)), said.get("form_version"),
                                said.get("notice"), names.wording(said.get("wording"))))
    return items


def _consent(names: Names, together: Sequence[Moment]) -> Item:
    first = together[0]
    how, source = str(first.evidence.get("how") or ""), str(first.evidence.get("source") or "")
    way = HOW.get(how, how.replace("_", " "))
    if how == "staff_stop" and source in HOW:
        way = f"{way} {HOW[source]}"
    detail = _sentence("; ".join(part for part in (names.what(together), way) if part))
    partner = first.purpose != Purpose.OWN_OFFERS
    about = "passing the address on" if first.purpose == Purpose.SHARE else "partner offers" if partner else ""
    if first.act == "granted":
        confirmed = "Subscribed again" if how == "undo" else "Confirmed" if how == "form_confirmed" else "Subscribed"
        return Item(first.at, f"{about.capitalize()}: yes ({confirmed.lower()})" if partner else confirmed, 3, detail,
                    names.wording(first.evidence.get("wording")) if partner else "", shape="dot", tone="good")
    if first.act == "refused":
        return Item(first.at, f"Said no to {about or 'this'}", 2, detail, shape="cross", tone="quiet")
    return Item(first.at, f"Unsubscribed{f' from {about}' if partner else ''}", 3, detail, shape="cross", tone="warn")


def _asked(names: Names, at: datetime, version_id: int | None, notice_id: int | None, wording: str) -> Item:
    parts = [part for part in (names.form(version_id), names.notice(notice_id)) if part]
    detail = f"{_sentence(', '.join(parts))} They saw:" if parts else ""
    return Item(at, "Asked", 0, detail, wording, shape="ring")


def _message(each: Answered) -> Item:
    what = f"Message “{each.name}”" if each.kind == MessageClass.CAMPAIGN else KINDS.get(MessageClass(each.kind),
                                                                                         "Message")
    if not each.cleared:
        return Item(each.at, f"{what} not sent: {reason(each.reason or '').lower()}", 1, shape="cross", tone="quiet")
    words, shape, tone = STATES.get(each.state, UNDER_WAY)
    detail = f"The mail server said {each.code}." if each.state == "failed" and each.code else ""
    return Item(each.at, f"{what} {words}", 1, detail, shape=shape, tone=tone)


def _goodbyes(ctx: Context, point_id: int, told: set[datetime]) -> list[Item]:
    """Those that ended no consent, such as a break, and each that was taken back without a consent to give again."""
    items = []
    for each in ctx.db.scalars(select(Goodbye).where(Goodbye.contact_point_id == point_id)):
        how = str(each.ended.get("how") or "")
        if each.at not in told:
            title = "Taking a break" if how == "break" else "Changed" if how == "preferences" else "Unsubscribed"
            items.append(Item(each.at, title, 2, _sentence(HOW.get(how, how)), shape="bars", tone="warn"))
        if each.undone_at is not None and each.undone_at not in told:
            items.append(Item(each.undone_at, "Taken back", 3, "They took their goodbye back.", shape="play"))
    return items


def _acts(ctx: Context, names: Names, opener: Opener, point_id: int) -> list[Item]:
    rows = ctx.db.scalars(select(AuditEntry).where(
        AuditEntry.about == f"contact_point:{point_id}", AuditEntry.act.in_(ACTS)))
    return [_act(row, names.staff(opener, row.actor)) for row in rows]


def _act(row: AuditEntry, by: str) -> Item:
    title, shape = ACTS[row.act]
    told: dict[str, Any] = row.detail
    words = {"reveal_address": REVEALS.get(told.get("reason", ""), ""),
             "stop_for_person": f"the person told us {HOW.get(told.get('reported', ''), '')}",
             "asked_why": f"campaign {told.get('campaign', '')}: {told.get('answer', '')}"}.get(row.act, "")
    return Item(row.at, title, 4, _sentence(words), by=by, shape=shape, tone="quiet")


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words else ""
