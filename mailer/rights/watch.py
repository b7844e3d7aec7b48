"""Clocks of requests: reminders to the privacy officers, an alarm when one is overdue, and whom people may turn to."""

from datetime import timedelta

from sqlalchemy import select, text

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.core.messages import MessageClass
from mailer.organisation import profile
from mailer.organisation.models import Organisation
from mailer.outbox import singles
from mailer.rights import children, copies, deadlines, requests
from mailer.rights.models import RightsRequest
from mailer.staff import accounts
from mailer.staff.roles import Role
from mailer.subscriptions import words

REMIND_BEFORE = (timedelta(days=7), timedelta(days=2))
LETTERS_TRIED_FOR = timedelta(days=1)
LONGEST_ESCALATION = 300
AUTHORITY = "The data protection authority of the country you live in"
"""Whom anybody may turn to, whatever else is named (GDPR Art. 77)."""

NOTED = text("SELECT EXISTS (SELECT FROM audit_entry WHERE about = :about AND act = :act)")


def sweep(ctx: Context) -> None:
    """Everything that time brings to requests, copies and reports; for the ticker."""
    requests.sweep(ctx)
    copies.sweep(ctx)
    remind(ctx)


def erase_children(ctx: Context) -> int:
    """Reports of children whose 7 days are over; in a transaction of its own."""
    return children.erase_due(ctx)


def remind(ctx: Context) -> int:
    """Tell the officers of requests that are nearly due, due, or not acknowledged; each once. How many letters."""
    now, told = ctx.clock.now(), 0
    for request in ctx.db.scalars(select(RightsRequest).where(RightsRequest.state == "open").order_by(
            RightsRequest.due_at)).all():
        for occasion, said in _said(ctx, request):
            told += _tell(ctx, request, occasion, said)
        if request.due_at < now:
            _alarm(ctx, "request_overdue", request)
        if request.acknowledged_at is None and request.acknowledge_by < now:
            _alarm(ctx, "acknowledgement_overdue", request)
    return told


def escalation(ctx: Context) -> str:
    """Whom somebody may turn to who is not answered: the organisation's own choice, or the authority."""
    row = ctx.db.get(Organisation, 1)
    return row.escalation if row is not None and row.escalation else AUTHORITY


def set_escalation(ctx: Context, said: str) -> None:
    """Name whom people may turn to; nothing means the authority. Raises: InvalidInput naming `escalation`."""
    if len(said.strip()) > LONGEST_ESCALATION:
        raise InvalidInput(field="escalation", why=f"Use at most {LONGEST_ESCALATION} characters.")
    profile.ensure_row(ctx)
    ctx.db.get_one(Organisation, 1).escalation = said.strip()
    trail.record(ctx, "set_escalation", "organisation")


def _said(ctx: Context, request: RightsRequest) -> list[tuple[str, str]]:
    """What the officers are told about a request by now, each with its occasion."""
    now, zone = ctx.clock.now(), words.zone(ctx)
    due = words.full_day(request.due_at.astimezone(zone).date())
    number = f"Request {request.id} ({requests.NAMES[request.kind].lower()})"
    if request.due_at < now:
        return [("overdue", f"{number} was due on {due} and is overdue. Answer it today.")]
    left = deadlines.days_left(request.due_at, now, zone)
    said = [(f"due/{step.days}/{request.due_at.date()}", f"{number} is due on {due}: {max(left, 0)} days left.")
            for step in REMIND_BEFORE if request.due_at - step <= now][-1:]
    if request.acknowledged_at is None and request.acknowledge_by < now:
        said.append(("acknowledge", f"{number} was not acknowledged in time. Tell the person that it has come."))
    return said


def _tell(ctx: Context, request: RightsRequest, occasion: str, said: str) -> int:
    officers = accounts.holders(ctx, Role.PRIVACY_OFFICER)
    link = f"{profile.current(ctx).public_url}/staff/privacy/{request.id}"
    made = [singles.enqueue(
        ctx, MessageClass.STAFF, subject=f"staff:{officer}", occasion=f"rights_request:{request.id}/{occasion}",
        staff_id=officer, not_after=ctx.clock.now() + LETTERS_TRIED_FOR,
        detail={"title": "A privacy request waits", "text": f"{said}\n\n{link}"}) for officer in officers]
    return sum(number is not None for number in made)


def _alarm(ctx: Context, act: str, request: RightsRequest) -> None:
    about = f"rights_request:{request.id}"
    if not ctx.db.scalar(NOTED, {"about": about, "act": act}):
        trail.record(ctx, act, about)
