"""The press that makes somebody a subscriber, and the one that says it was somebody else."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import select

from mailer.audience import field_sources, pending, people
from mailer.audience.field_sources import Origin
from mailer.audience.models import ContactPoint, PendingRequest, Preference
from mailer.consent import ledger
from mailer.consent.ledger import Evidence
from mailer.context import Context
from mailer.core.messages import Purpose
from mailer.core.reasons import Reason
from mailer.lists import forms, wordings
from mailer.lists.models import Form, FormVersion, Topic, Wording
from mailer.organisation import profile
from mailer.policy import packs, partners
from mailer.policy.models import Notice
from mailer.subscriptions import links, words
from mailer.subscriptions.links import Outcome
from mailer.suppression import alone, registry

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
    # Nobody may spend this address as a friend's while it becomes a subscriber's.
    alone.hold(ctx, request.fingerprint)
    point = people.admit(ctx, request)
    for list_id, topic_id in ((0, 0), (asked.list_id, 0), *((asked.list_id, topic) for topic in asked.topic_ids)):
        registry.lift(ctx, channel=point.channel, fingerprints=[point.fingerprint], reasons=MAY_LIFT, list_id=list_id,
                      topic_id=topic_id)
    _grant(ctx, point, asked, version, answer.agreed)
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
    share: bool | None
    partner_list: int | None
    every_days: int
    format: str
    evidence: Evidence
    origin: Origin
    notice_id: int | None
    person_id: int
    named: bool

    @classmethod
    def of(cls, request: PendingRequest) -> "_Asked":
        return cls(request.list_id, tuple(request.topic_ids), request.partner_offers, request.share,
                   request.partner_list, request.every_days, request.format, Evidence(
                       how="form_confirmed", form_version_id=request.form_version_id, notice_id=request.notice_id,
                       source=request.source, note=f"asked {request.asked_at.isoformat(timespec='seconds')}"),
                   Origin(request.source, request.notice_id, request.collector, request.policy, request.asked_at),
                   request.notice_id, request.reserved_person_id, request.sealed_first_name is not None)


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
    if definition is not None and definition.partner_offers:
        agreed.append(f"Partner offers: {'yes' if request.partner_offers else 'no'}.")
    if definition is not None and definition.share and packs.current(ctx).shares(request.channel):
        agreed.append(f"Passing your address on: {'yes' if request.share else 'no'}.")
    return Answer(Outcome.OPEN, found.day, tuple(agreed), _note(ctx, definition, request),
                  definition.thanks if definition else "")


def _note(ctx: Context, definition: forms.Definition | None, request: PendingRequest) -> str:
    """What was said of partners beside each box that was ticked."""
    if definition is None:
        return ""
    brand, named = profile.current(ctx).name, partners.of_version(ctx, request.partner_list)
    said = [forms.partner_note(definition, brand, named)] if request.partner_offers else []
    return " ".join(said + ([forms.share_note(brand, named)] if request.share else []))


def _grant(ctx: Context, point: ContactPoint, asked: _Asked, version: FormVersion | None, agreed: Sequence[str]
           ) -> None:
    """Each purpose by itself, under the words that asked for it; none implies another (promise M8)."""
    evidence = replace(asked.evidence, wording_id=_words(ctx, asked, version, agreed).id)
    for topic_id in asked.topic_ids:
        ledger.grant(ctx, point, list_id=asked.list_id, topic_id=topic_id, purpose=Purpose.OWN_OFFERS,
                     evidence=evidence)
    if version is None:
        return
    named = partners.of_version(ctx, asked.partner_list)
    for purpose, said, shown in (
            (Purpose.PARTNER_OFFERS, asked.partner_offers, forms.partner_as_seen(ctx, version, named)),
            (Purpose.SHARE, asked.share, forms.share_as_seen(ctx, version, named))):
        if said is not None and shown is not None:
            act = ledger.grant if said else ledger.refuse
            act(ctx, point, list_id=asked.list_id, topic_id=0, purpose=purpose,
                evidence=replace(evidence, wording_id=shown.id, partner_list=asked.partner_list))


def _words(ctx: Context, asked: _Asked, version: FormVersion | None, agreed: Sequence[str]) -> Wording:
    """The words that were agreed to: those of the form, or where there was none those above the button."""
    if version is None:
        return wordings.keep(ctx, "\n".join(("Yes, send me this", *agreed)), "en")
    notice = ctx.db.get(Notice, asked.notice_id) if asked.notice_id else None
    return forms.as_seen(ctx, version, notice, asks_age=packs.current(ctx).asks_age)


def _note_sources(ctx: Context, point: ContactPoint, asked: _Asked, definition: forms.Definition | None) -> None:
    """Where each detail came from; somebody known keeps what was known of the others (promise M28)."""
    known = point.person_id != asked.person_id
    given = set() if known else {"email", "language", "frequency", "format"}
    given |= {"first_name"} if asked.named and not known else set()
    if definition is not None:
        given |= {name for name in ("frequency", "format") if name in definition.asked}
    field_sources.note(ctx, point.person_id, given, asked.origin)


def _set_preferences(ctx: Context, point: ContactPoint, asked: _Asked, version: FormVersion | None) -> None:
    """Somebody known has just agreed to these answers; what the form did not ask stays as it was."""
    preference = ctx.db.get(Preference, point.id)
    definition = forms.Definition.from_json(version.definition) if version else None
    _note_sources(ctx, point, asked, definition)
    if preference is None or definition is None:
        return
    if definition.ask_frequency:
        preference.every_days = asked.every_days
    if definition.ask_format:
        preference.format = asked.format


def ask_again_path(ctx: Context) -> str:
    """The only form in use, so that an old link leads straight to it; empty where there are none or several."""
    slugs = ctx.db.scalars(select(Form.slug).where(Form.archived.is_(False)).limit(2)).all()
    return slugs[0] if len(slugs) == 1 else ""
