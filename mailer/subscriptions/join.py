"""Asking to join. Whoever asks gets one answer, whatever we hold of the address (promise M19)."""

from collections.abc import Sequence
from enum import Enum, auto

from sqlalchemy import select

from mailer.audience import contact_points, pending
from mailer.audience.models import ContactPoint, PendingRequest
from mailer.consent import standing
from mailer.context import Context
from mailer.core.channel import Address
from mailer.core.errors import InvalidAddress
from mailer.core.jobs import Job
from mailer.core.links import Link
from mailer.core.messages import MessageClass, Purpose
from mailer.core.reasons import SUPPRESSING, Reason
from mailer.gate.table import TABLE, Cell
from mailer.lists import forms
from mailer.lists.models import Form, FormVersion, Topic
from mailer.organisation import profile
from mailer.outbox import singles
from mailer.policy import notices
from mailer.subscriptions import claims, fresh, limits, links, words
from mailer.subscriptions.answers import Answers, Asked, check
from mailer.suppression import domains, registry

ASKED_FOR = links.LASTS["confirm"]
"""An unconfirmed request is forgotten after 7 days (standards: 48 to 168 hours)."""

BARRED = frozenset(reason for reason in SUPPRESSING if TABLE[reason][MessageClass.CONFIRMATION] is Cell.NO)
"""What no confirmation gets past: then no row is kept either."""


class _Course(Enum):
    """What a request leads to; the person at the page cannot tell which."""

    CONFIRM = auto()
    ALREADY = auto()
    NOTHING = auto()


def ask(ctx: Context, version: FormVersion, answers: Answers, *, trapped: bool = False) -> None:
    """Take a request to join and mail a link to the address, or say there that all is set, or do nothing.

    The same work is done every time; where nothing may come of it, it is undone again. `trapped` says that a field
    was filled which no person sees. Raises: UnderAge before anything is looked up; UnfitAnswers; NotFound while no
    notice is published.
    """
    asked = check(ctx, forms.Definition.from_json(version.definition), answers)
    form = ctx.db.get_one(Form, version.form_id)
    bucket = limits.bucket(ctx, asked.address)
    limits.alone(ctx, bucket)
    point = contact_points.find(ctx, asked.channel, asked.address)
    course = _Course.NOTHING if trapped else _course(ctx, form, asked, point, bucket)
    earlier = _open_request(ctx, asked.channel, asked.address, form.list_id)
    attempt = ctx.db.begin_nested()
    if earlier is not None:
        links.close_for_request(ctx, earlier.id, links.Outcome.WITHDRAWN)
    request = _keep(ctx, form, version, asked)
    _mail_link(ctx, request, bucket)
    if course is _Course.CONFIRM:
        attempt.commit()
    else:
        attempt.rollback()
    if course is _Course.ALREADY and point is not None:
        _mail_already(ctx, point)
    ctx.nudge(Job.SINGLES)


def resend(ctx: Context, version: FormVersion, channel: str, raw: str) -> None:
    """Mail one more link for a request that waits, within the limits; an address with none gets nothing."""
    try:
        address = contact_points.parse(ctx, channel, raw)
    except InvalidAddress:
        return
    form = ctx.db.get_one(Form, version.form_id)
    bucket = limits.bucket(ctx, address)
    limits.alone(ctx, bucket)
    request = _open_request(ctx, channel, address, form.list_id)
    barred = _reasons(ctx, channel, address, form.list_id) & BARRED
    if request is not None and not barred and limits.left(ctx, bucket, limits.REQUESTS):
        _mail_link(ctx, request, bucket)
    ctx.nudge(Job.SINGLES)


def _course(ctx: Context, form: Form, asked: Asked, point: ContactPoint | None, bucket: bytes) -> _Course:
    reasons = _reasons(ctx, asked.channel, asked.address, form.list_id)
    if reasons & BARRED or domains.covers(ctx, asked.address.domain):
        return _Course.NOTHING
    if point is not None and not reasons and _stands(ctx, point, form.list_id, asked):
        free = limits.left(ctx, limits.point_bucket(ctx, point.id), limits.FRESH)
        return _Course.ALREADY if free else _Course.NOTHING
    earlier = _open_request(ctx, asked.channel, asked.address, form.list_id)
    if (earlier is not None and _same(earlier, asked)) or not limits.left(ctx, bucket, limits.REQUESTS):
        return _Course.NOTHING
    return _Course.CONFIRM


def _stands(ctx: Context, point: ContactPoint, list_id: int, asked: Asked) -> bool:
    """Whether everything asked for is confirmed already."""
    rows = [row for row in standing.of(ctx, point.id) if row.list_id == list_id]
    live = {(row.topic_id, row.purpose) for row in rows if row.state == "live"}
    held = {(row.topic_id, row.purpose) for row in rows if row.state == "refused"}
    wanted = {(topic, str(Purpose.OWN_OFFERS)) for topic in asked.topic_ids}
    wanted |= {(0, str(purpose)) for purpose, said in _about_partners(asked) if said}
    # A no is news for somebody who has not said it yet; silence is none.
    refused = {(0, str(purpose)) for purpose, said in _about_partners(asked) if said is False}
    return wanted <= live and refused <= held


def _about_partners(asked: Asked) -> tuple[tuple[Purpose, bool | None], ...]:
    return (Purpose.PARTNER_OFFERS, asked.partner_offers), (Purpose.SHARE, asked.share)


def _same(earlier: PendingRequest, asked: Asked) -> bool:
    """Whether a double press, or a second try, asks for what its first already mailed a link for."""
    return (earlier.topic_ids, earlier.partner_offers, earlier.share, earlier.format, earlier.every_days) == (
        sorted(asked.topic_ids), asked.partner_offers, asked.share, asked.format, asked.every_days)


def _reasons(ctx: Context, channel: str, address: Address, list_id: int) -> frozenset[Reason]:
    entries = registry.entries(ctx, channel, ctx.sealer.fingerprints(channel, address.identity))
    return frozenset(Reason(entry.reason) for entry in entries if entry.list_id in (0, list_id))


def _open_request(ctx: Context, channel: str, address: Address, list_id: int) -> PendingRequest | None:
    return ctx.db.scalars(select(PendingRequest).where(
        PendingRequest.channel == channel, PendingRequest.list_id == list_id,
        PendingRequest.fingerprint.in_(ctx.sealer.fingerprints(channel, address.identity)),
        PendingRequest.expires_at > ctx.clock.now())).first()


def _keep(ctx: Context, form: Form, version: FormVersion, asked: Asked) -> PendingRequest:
    return pending.add(
        ctx, channel=asked.channel, address=asked.address, list_id=form.list_id, topic_ids=asked.topic_ids,
        form_version_id=version.id, notice_id=notices.required(ctx).id, first_name=asked.first_name,
        partner_offers=asked.partner_offers, share=asked.share, partner_list=asked.partner_list,
        format=asked.format, every_days=asked.every_days,
        language=forms.Definition.from_json(version.definition).language, source=f"form:{form.slug}",
        mode=profile.current(ctx).mode, expires_at=ctx.clock.now() + ASKED_FOR)


def _mail_link(ctx: Context, request: PendingRequest, bucket: bytes) -> None:
    """The confirmation: our own words only, as whoever typed the address may not be its owner."""
    raw = links.issue(ctx, links.Purpose.CONFIRM, pending_request_id=request.id, expires_at=request.expires_at)
    count = limits.spend(ctx, bucket, limits.REQUESTS.kind)
    today = ctx.clock.now().date()
    names = _topic_names(ctx, request.topic_ids)
    singles.enqueue(
        ctx, MessageClass.CONFIRMATION, subject=f"request:{request.id}", occasion=f"{today}/{count}",
        channel=request.channel, pending_request_id=request.id, not_after=request.expires_at,
        detail={"topic": names[0], "topics": words.listed(names), "asked_on": words.full_day(today),
                "link": f"{profile.current(ctx).public_url}/confirm/{raw}"})


def _mail_already(ctx: Context, point: ContactPoint) -> None:
    """The answer given at sign-up stays changeable from the sign-up page: a fresh link, which may widen too."""
    fresh.mail(ctx, point.id, point.channel, {
        "template": "already_subscribed", "leave": claims.url(ctx, Link.LEAVE, point.id, claims.today(ctx))})


def _topic_names(ctx: Context, topic_ids: Sequence[int]) -> list[str]:
    rows = ctx.db.execute(select(Topic.name).where(Topic.id.in_(topic_ids)).order_by(Topic.position, Topic.id))
    return [name for (name,) in rows]
