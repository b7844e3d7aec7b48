"""A child's address: stopped at once when somebody says so, erased 7 days later or sooner (decision 41, S26)."""

from collections.abc import Sequence

from sqlalchemy import select

from mailer.audience import contact_points, pending
from mailer.audience.models import ContactPoint, PendingRequest
from mailer.audit import trail
from mailer.consent import ledger
from mailer.consent.ledger import Evidence
from mailer.context import Context
from mailer.core.errors import Conflict, NotFound
from mailer.core.messages import MessageClass
from mailer.core.reasons import Reason
from mailer.organisation import profile
from mailer.outbox import singles
from mailer.outbox.keep_back import keep_back
from mailer.rights import deadlines, requests
from mailer.rights.erase import erase
from mailer.rights.models import ChildReport, RightsRequest
from mailer.subscriptions import limits, links, words
from mailer.subscriptions.address import withdraw
from mailer.suppression import registry

CHANNEL = "email"
ROUND = 20
OPEN, OBJECTED, ERASED = "open", "objected", "erased"


def report(ctx: Context, raw: str) -> ChildReport:
    """Stop an address because it is a child's, known to us or not, and track it. Raises: InvalidAddress.

    Telling twice is telling once while the first report is open.
    """
    address = contact_points.parse(ctx, CHANNEL, raw)
    prints = ctx.sealer.fingerprints(CHANNEL, address.identity)
    now = ctx.clock.now()
    # Whoever asks to join waits here too: they come before and are forgotten below, or after and are barred.
    limits.alone(ctx, limits.bucket(ctx, address))
    fingerprint = contact_points.fingerprint(ctx, CHANNEL, address)
    registry.suppress(ctx, channel=CHANNEL, fingerprint=fingerprint, reason=Reason.CHILD)
    _forget_requests(ctx, prints)
    before = ctx.db.scalars(select(ChildReport).where(
        ChildReport.channel == CHANNEL, ChildReport.fingerprint.in_(prints), ChildReport.state == OPEN)).first()
    if before is not None:
        return before
    request = requests.open_request(ctx, "child", source="public")
    request.due_at = now + deadlines.CHILD_WITHIN
    made = ChildReport(channel=CHANNEL, fingerprint=fingerprint, fingerprint_version=ctx.sealer.fingerprint_version,
                       at=now, due_at=now + deadlines.CHILD_WITHIN, request_id=request.id)
    ctx.db.add(made)
    ctx.db.flush()
    point = contact_points.find(ctx, CHANNEL, address)
    if point is not None:
        _stop(ctx, point, made)
    return made


def of_request(ctx: Context, request: RightsRequest) -> ChildReport | None:
    """The report that a request tracks."""
    return ctx.db.scalars(select(ChildReport).where(ChildReport.request_id == request.id)).first()


def point_of(ctx: Context, found: ChildReport) -> ContactPoint | None:
    """Whose address was reported, where it is anybody's."""
    return ctx.db.scalars(select(ContactPoint).where(
        ContactPoint.channel == found.channel, ContactPoint.fingerprint.in_(
            ctx.sealer.with_newer([found.fingerprint])))).first()


def of_point(ctx: Context, point: ContactPoint) -> ChildReport | None:
    """The open report of an address."""
    return ctx.db.scalars(select(ChildReport).where(
        ChildReport.channel == point.channel, ChildReport.fingerprint.in_(
            ctx.sealer.with_newer([point.fingerprint])),
        ChildReport.state == OPEN)).first()


def unreported(ctx: Context, points: Sequence[ContactPoint]) -> list[ContactPoint]:
    """Those of these without an open report; nobody but the privacy desk sees the others."""
    prints = {point.id: {(point.channel, each) for each in ctx.sealer.with_newer([point.fingerprint])}
              for point in points}
    reported = {(row.channel, row.fingerprint) for row in ctx.db.execute(
        select(ChildReport.channel, ChildReport.fingerprint).where(
            ChildReport.state == OPEN,
            ChildReport.fingerprint.in_({each for found in prints.values() for _, each in found})))}
    return [point for point in points if not prints[point.id] & reported]


def forget(ctx: Context, found: ChildReport, *, by: str) -> None:
    """Erase now: the mailbox's own press, the officer's act, or the seventh day. Raises: Conflict when it is over."""
    _end(ctx, found, ERASED)
    point = point_of(ctx, found)
    if point is not None:
        erase(ctx, point.person_id, by=by, request_id=found.request_id)
    _close(ctx, found, "erased", by=by)


def object_to(ctx: Context, found: ChildReport, *, by: str) -> None:
    """An adult says that the address is theirs: it is no longer a child's. Nothing that ended begins again.

    Raises: Conflict when it is over.
    """
    _end(ctx, found, OBJECTED)
    registry.lift(ctx, channel=found.channel, fingerprints=[found.fingerprint], reasons=[Reason.CHILD])
    _close(ctx, found, "an adult objected", by=by)


def erase_due(ctx: Context) -> int:
    """Erase whom somebody reported 7 days ago; how many reports were ended. For the ticker."""
    due = ctx.db.scalars(select(ChildReport).where(
        ChildReport.state == OPEN, ChildReport.due_at <= ctx.clock.now()).order_by(ChildReport.due_at).limit(
            ROUND).with_for_update(skip_locked=True)).all()
    numbers = [found.id for found in due]
    for number in numbers:
        # An erasure lets go of everything that the session knew.
        forget(ctx, ctx.db.get_one(ChildReport, number), by="system")
    return len(numbers)


def _forget_requests(ctx: Context, prints: Sequence[bytes]) -> None:
    """Who asked and has not confirmed joins no more; locked in the order in which a confirmation locks."""
    for asked in ctx.db.scalars(select(PendingRequest).where(
            PendingRequest.channel == CHANNEL, PendingRequest.fingerprint.in_(prints)).order_by(
                PendingRequest.id).with_for_update()).all():
        links.close_for_request(ctx, asked.id, links.Outcome.WITHDRAWN)
        pending.discard(ctx, asked)


def _stop(ctx: Context, point: ContactPoint, made: ChildReport) -> None:
    try:
        ledger.end_all(ctx, point, evidence=Evidence(how="child_reported"))
    except NotFound:
        return
    withdraw(ctx, point.id)
    keep_back(ctx, [point.id])
    raw = links.issue(ctx, links.Purpose.PRESS, contact_point_id=point.id, expires_at=made.due_at)
    singles.enqueue(
        ctx, MessageClass.RIGHTS_ANSWER, subject=f"child_report:{made.id}", occasion="told", channel=CHANNEL,
        contact_point_id=point.id, not_after=made.due_at, detail={
            "template": "child_reported", "link": f"{profile.current(ctx).public_url}/child/{raw}",
            "due_on": words.full_day(made.due_at.astimezone(words.zone(ctx)).date())})


def _end(ctx: Context, found: ChildReport, state: str) -> None:
    held = ctx.db.get(ChildReport, found.id, with_for_update=True, populate_existing=True)
    if held is None or held.state != OPEN:
        raise Conflict(child_report=found.id)
    held.state = state
    ctx.db.flush()
    trail.record(ctx, f"child_report_{state}", f"child_report:{found.id}")


def _close(ctx: Context, found: ChildReport, outcome: str, *, by: str) -> None:
    request = ctx.db.get(RightsRequest, found.request_id) if found.request_id else None
    if request is not None and request.state == "open":
        requests.close(ctx, request, outcome, by=by)
