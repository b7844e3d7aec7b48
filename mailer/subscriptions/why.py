"""Why somebody got a message: the consent, in the words they saw, and the campaign while its rows live."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import select

from mailer.audience.models import ContactPoint
from mailer.consent import history
from mailer.consent.history import Moment
from mailer.context import Context
from mailer.core.messages import Purpose
from mailer.core.vault import Opener
from mailer.lists.models import Form, FormVersion, MailingList, Topic, Wording
from mailer.policy.models import Notice
from mailer.subscriptions import words
from mailer.subscriptions.claims import Origin

ASKED = "asked "
"""How the note of a confirmed form begins; the moment of asking follows (ISO 8601)."""
AGREED = "agreed "
"""How the note of a consent that was proven begins; its day follows (ISO 8601), then who approved it."""


@dataclass(frozen=True)
class Grounds:
    """The consent that a message went out under. `ended_on` is set when it was taken back since.

    `row` is its number in the ledger, `partner` what was said of partners' offers (`partner_list`: of which list).
    """

    asked_on: date
    confirmed_on: date
    form_name: str
    wording: str
    topics: str
    list_name: str
    notice_version: str
    ended_on: date | None
    row: int = 0
    how: str = ""
    source: str = ""
    partner: str = ""
    partner_list: int = 0


def grounds(ctx: Context, opener: Opener, point: ContactPoint, origin: Origin) -> Grounds | None:
    """The newest consent for the message's list, of any list where the message is forgotten; None where none was.

    Raises: NotFound once erased; KeyProblem.
    """
    everything = history.timeline(ctx, opener, point)
    moments = [each for each in everything if each.purpose == Purpose.OWN_OFFERS]
    granted = [each for each in moments if each.act == "granted" and origin.list_id in (None, each.list_id)]
    # An undo repeats a consent without its words; those stand where it was first given.
    worded = next((each for each in granted if each.evidence.get("wording")), granted[0] if granted else None)
    if worded is None:
        return None
    partner = next((each for each in everything if each.purpose == Purpose.PARTNER_OFFERS
                    and each.list_id == worded.list_id), None)
    together = [each for each in granted if each.list_id == worded.list_id and each.at == worded.at]
    return Grounds(
        asked_on=_day(ctx, _asked_at(worded)), confirmed_on=_day(ctx, worded.at),
        form_name=_form_name(ctx, worded.evidence.get("form_version")),
        wording=_text(ctx, worded.evidence.get("wording")), topics=_topics(ctx, together),
        list_name=ctx.db.scalar(select(MailingList.name).where(MailingList.id == worded.list_id)) or "",
        notice_version=_notice(ctx, worded.evidence.get("notice")), ended_on=_ended(ctx, moments, worded.list_id),
        row=worded.seq, how=str(worded.evidence.get("how") or ""), source=str(worded.evidence.get("source") or ""),
        partner=partner.act if partner else "",
        partner_list=int(partner.evidence.get("partner_list") or 0) if partner else 0)


def _asked_at(moment: Moment) -> datetime:
    note = str(moment.evidence.get("note") or "")
    if note.startswith(AGREED):
        day = date.fromisoformat(note.removeprefix(AGREED).partition(";")[0])
        return datetime.combine(day, time(12), UTC)
    return datetime.fromisoformat(note.removeprefix(ASKED)) if note.startswith(ASKED) else moment.at


def _day(ctx: Context, at: datetime) -> date:
    return at.astimezone(words.zone(ctx)).date()


def _form_name(ctx: Context, version_id: int | None) -> str:
    return ctx.db.scalar(select(Form.name).join(FormVersion, FormVersion.form_id == Form.id).where(
        FormVersion.id == version_id)) or ""


def _text(ctx: Context, wording_id: int | None) -> str:
    return ctx.db.scalar(select(Wording.text).where(Wording.id == wording_id)) or ""


def _notice(ctx: Context, notice_id: int | None) -> str:
    return ctx.db.scalar(select(Notice.version).where(Notice.id == notice_id)) or ""


def _topics(ctx: Context, moments: Sequence[Moment]) -> str:
    return words.listed(ctx.db.scalars(select(Topic.name).where(
        Topic.id.in_([each.topic_id for each in moments])).order_by(Topic.position, Topic.id)).all())


def _ended(ctx: Context, moments: Sequence[Moment], list_id: int) -> date | None:
    """The day on which the last consent of the list ended, while none has been given since."""
    newest: dict[int, Moment] = {}
    for each in moments:
        if each.list_id == list_id:
            newest.setdefault(each.topic_id, each)
    if any(each.act == "granted" for each in newest.values()):
        return None
    return _day(ctx, max(each.at for each in newest.values()))
