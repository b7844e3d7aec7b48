"""The press that makes somebody a subscriber, and the one that says it was somebody else."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from mailer.audience import pending, people
from mailer.audience.models import ContactPoint, PendingRequest, Preference
from mailer.consent import ledger
from mailer.consent.ledger import Evidence
from mailer.context import Context
from mailer.core.messages import Purpose
from mailer.core.reasons import Reason
from mailer.lists import forms
from mailer.lists.models import Form, FormVersion, Topic
from mailer.organisation import profile
from mailer.policy.models import Notice
from mailer.subscriptions import links, words
from mailer.subscriptions.links import Outcome
from mailer.suppression import registry

MAY_LIFT = (Reason.ERASED, Reason.FRIEND_ONLY, Reason.UNSUBSCRIBED, Reason.POST_CODE, Reason.STAFF_STOP,
            Reason.BOUNCED, Reason.GONE_AWAY)
"""What the person's own confirmation ends: the rows of the gate's table that let a confirmation through (decision 2).

STOP by text is lifted by START alone; complaint, never, child, law, hold and "not me" by nothing done here.
"""
NOT_ME_LASTS = timedelta(days=30)


@dataclass(frozen=True)
class Answer:
    """How it stands with a confirm link: `day` is that of its use, `agreed` what is, or was, agreed to."""

    outcome: Outcome
    day: date
    agreed: tuple[str, ...] = ()
    wording: str = ""
    thanks: str = ""


def look(ctx: Context, raw: str) -> Answer:
    """What pressing would agree to; changes nothing. Raises: BadToken."""
    found = links.look(ctx, links.Purpose.CONFIRM, raw)
    request = ctx.db.get(PendingRequest, found.pending_request_id) if found.pending_request_id else None
    return _described(ctx, found, request)


def confirm(ctx: Context, raw: str) -> Answer:
    """Admit the person and write each consent; an answer other than OPEN changed nothing. Raises: BadToken."""
    found, request = _take(ctx, raw)
    answer = _described(ctx, found, request)
    if answer.outcome is not Outcome.OPEN or request is None:
        return answer
    links.close_for_request(ctx, request.id, Outcome.USED)
    version = ctx.db.get(FormVersion, request.form_version_id) if request.form_version_id else None
    asked = _Asked.of(request)
    point = people.admit(ctx, request)
    for scope in (0, asked.list_id):
        registry.lift(ctx, channel=point.channel, fingerprints=[point.fingerprint], reasons=MAY_LIFT, list_id=scope)
    _grant(ctx, point, asked, version)
    _set_preferences(ctx, point, asked, version)
    return answer


def not_me(ctx: Context, raw: str) -> Answer:
    """Forget the request at once, and take none for this address for 30 days. Raises: BadToken."""
    found, request = _take(ctx, raw)
    answer = _described(ctx, found, request)
    if request is not None and answer.outcome is Outcome.OPEN:
        registry.suppress(ctx, channel=request.channel, fingerprint=request.fingerprint, reason=Reason.NOT_ME,
                          until=ctx.clock.now().date() + NOT_ME_LASTS, version=request.fingerprint_version)
        links.close_for_request(ctx, request.id, Outcome.WITHDRAWN)
        pending.discard(ctx, request)
    return answer


@dataclass(frozen=True)
class _Asked:
    """What outlives the row of the request, which admission deletes."""

    list_id: int
    topic_ids: tuple[int, ...]
    partner_offers: bool | None
    every_days: int
    format: str
    evidence: Evidence
    notice_id: int | None

    @classmethod
    def of(cls, request: PendingRequest) -> "_Asked":
        return cls(request.list_id, tuple(request.topic_ids), request.partner_offers, request.every_days,
                   request.format, Evidence(
                       how="form_confirmed", form_version_id=request.form_version_id, notice_id=request.notice_id,
                       source=request.source, note=f"asked {request.asked_at.isoformat(timespec='seconds')}"),
                   request.notice_id)


def _take(ctx: Context, raw: str) -> tuple[links.Found, PendingRequest | None]:
    """The request first, its link second, both locked: two presses at once queue up and neither waits in a ring."""
    found = links.look(ctx, links.Purpose.CONFIRM, raw)
    request = ctx.db.scalars(
        select(PendingRequest).where(PendingRequest.id == found.pending_request_id).with_for_update(),
        execution_options={"populate_existing": True}).first() if found.pending_request_id else None
    return links.take(ctx, links.Purpose.CONFIRM, raw), request


def _described(ctx: Context, found: links.Found, request: PendingRequest | None) -> Answer:
    if found.outcome is not Outcome.OPEN:
        return Answer(found.outcome, found.day)
    # A link mailed in another mode proves nothing here: in Practice staff could have opened it in the Outbox.
    if request is None or request.mode != profile.current(ctx).mode:
        return Answer(Outcome.WITHDRAWN, found.day)
    version = ctx.db.get(FormVersion, request.form_version_id) if request.form_version_id else None
    definition = forms.Definition.from_json(version.definition) if version else None
    topics = ctx.db.scalars(select(Topic.name).where(Topic.id.in_(request.topic_ids)).order_by(
        Topic.position, Topic.id)).all()
    often = f", {words.FREQUENCIES[request.every_days]}" if definition is None or definition.ask_frequency else ""
    look = f", {words.FORMATS[request.format]}" if request.format == "text" else ""
    agreed = [f"{words.listed(topics)}, by {words.CHANNELS[request.channel]}{often}{look}."]
    if request.partner_offers is not None:
        agreed.append(f"Partner offers: {'yes' if request.partner_offers else 'no'}.")
    note = forms.partner_note(definition, profile.current(ctx).name) if definition and request.partner_offers else ""
    return Answer(Outcome.OPEN, found.day, tuple(agreed), note, definition.thanks if definition else "")


def _grant(ctx: Context, point: ContactPoint, asked: _Asked, version: FormVersion | None) -> None:
    notice = ctx.db.get(Notice, asked.notice_id) if asked.notice_id else None
    wording = forms.as_seen(ctx, version, notice).id if version else None
    evidence = _with_wording(asked.evidence, wording)
    for topic_id in asked.topic_ids:
        ledger.grant(ctx, point, list_id=asked.list_id, topic_id=topic_id, purpose=Purpose.OWN_OFFERS,
                     evidence=evidence)
    shown = forms.partner_as_seen(ctx, version) if version else None
    if asked.partner_offers is None or shown is None:
        return
    act = ledger.grant if asked.partner_offers else ledger.refuse
    act(ctx, point, list_id=asked.list_id, topic_id=0, purpose=Purpose.PARTNER_OFFERS,
        evidence=_with_wording(asked.evidence, shown.id))


def _with_wording(evidence: Evidence, wording_id: int | None) -> Evidence:
    return Evidence(evidence.how, evidence.form_version_id, wording_id, evidence.notice_id, evidence.source,
                    evidence.note)


def _set_preferences(ctx: Context, point: ContactPoint, asked: _Asked, version: FormVersion | None) -> None:
    """Somebody known has just agreed to these answers; what the form did not ask stays as it was."""
    preference = ctx.db.get(Preference, point.id)
    if preference is None or version is None:
        return
    definition = forms.Definition.from_json(version.definition)
    if definition.ask_frequency:
        preference.every_days = asked.every_days
    if definition.ask_format:
        preference.format = asked.format


def ask_again_path(ctx: Context) -> str:
    """The only form in use, so that an old link leads straight to it; empty where there are none or several."""
    slugs = ctx.db.scalars(select(Form.slug).where(Form.archived.is_(False)).limit(2)).all()
    return slugs[0] if len(slugs) == 1 else ""
