"""What people ask of us, with its clocks: acknowledged, checked, answered, and closed in time (promises S29 and T2)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, or_, select, text

from mailer.audience import contact_points
from mailer.audience import personal_data as audience
from mailer.audience.models import ContactPoint, Person
from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import Conflict, InvalidInput, NotFound
from mailer.core.messages import MessageClass
from mailer.core.vault import Opener, Use
from mailer.outbox import singles
from mailer.rights import deadlines
from mailer.rights.models import KINDS, RightsRequest
from mailer.subscriptions import words

TABLE = "rights_request"
LONGEST_NOTE = 4000
PAGE = 100
SOON, A_MONTH = timedelta(days=7), timedelta(days=30)
UNDER_THEIR_KEY = b"\0"
"""How a note begins that is sealed under the person's own key; key numbers of the instance begin with 1."""
NOT_THEIRS = "not theirs"
"""The outcome of a request that somebody else wrote with this address."""
CHANNEL = "email"
"""How somebody who is nobody's contact point is answered."""
IDENTITIES = {"fresh_link": "by a fresh link", "call_back": "by calling back", "letter": "by letter",
              "not_needed": "not needed", "unchecked": "not checked yet"}
NEEDS_IDENTITY = frozenset({"access", "portability", "correction", "erasure"})
"""Kinds that would hand out or change a stranger's data."""
NAMES = {"access": "Copy of my data", "correction": "Correct my data", "erasure": "Erase me",
         "objection": "Objection", "hold": "Hold my data", "portability": "Take my data along",
         "complaint": "Complaint", "question": "Question", "child": "Report of a child"}

SETTLE = text("""
    UPDATE rights_request SET sealed_contact = NULL, contact_fingerprint = NULL, sealed_note = NULL
    WHERE state = 'closed' AND (sealed_contact IS NOT NULL OR contact_fingerprint IS NOT NULL
                                OR sealed_note IS NOT NULL)
      AND (CAST(:id AS bigint) IS NULL OR id = :id)
      AND NOT EXISTS (SELECT FROM single_message m WHERE m.rights_request_id = rights_request.id
                      AND m.state IN ('ready', 'claimed', 'handed', 'deferred'))
""")
ACKNOWLEDGED = text("""
    UPDATE rights_request r SET acknowledged_at = :now WHERE r.state = 'open' AND r.acknowledged_at IS NULL
      AND EXISTS (SELECT FROM single_message m WHERE m.subject = 'rights_request:' || r.id
                  AND m.class = 'acknowledgement' AND m.state = 'accepted')
""")
LOAD = text("""
    SELECT count(*) FILTER (WHERE state = 'open') AS open,
           count(*) FILTER (WHERE state = 'open' AND due_at < :now) AS overdue,
           count(*) FILTER (WHERE state = 'open' AND due_at >= :now AND due_at < :soon) AS soon,
           min(due_at) FILTER (WHERE state = 'open' AND due_at >= :now) AS next_due,
           count(*) FILTER (WHERE closed_at > :month) AS closed,
           count(*) FILTER (WHERE closed_at > :month AND closed_at <= due_at) AS in_time
    FROM rights_request
""")


@dataclass(frozen=True)
class Load:
    """Counts and times of requests, for everybody who may see that there are any; `closed` within 30 days."""

    open: int
    overdue: int
    soon: int
    next_due: datetime | None
    closed: int
    in_time: int


@dataclass(frozen=True, repr=False)
class Words:
    """What was asked and where to answer, in the clear, for the privacy desk alone."""

    note: str
    contact: str


def open_request(ctx: Context, kind: str, *, source: str, point: ContactPoint | None = None, contact: str = "",
                 note: str = "", told: bool = False) -> RightsRequest:
    """Open a request and acknowledge it by mail where there is an address to write to, unless they were `told`.

    `contact` is the e-mail address of somebody who is not known to be anybody's. Raises: InvalidInput for an unknown
    kind or a note that is too long; InvalidAddress.
    """
    if kind not in KINDS:
        raise InvalidInput(field="kind", why="Choose what this is about.")
    if len(note) > LONGEST_NOTE:
        raise InvalidInput(field="note", why=f"Use at most {LONGEST_NOTE:,} characters.")
    now, zone = ctx.clock.now(), words.zone(ctx)
    request = RightsRequest(
        kind=kind, source=source, state="open", identity="fresh_link" if source == "self" else "unchecked",
        person_id=point.person_id if point else None, contact_point_id=point.id if point else None,
        fingerprint_version=ctx.sealer.fingerprint_version, opened_at=now,
        acknowledge_by=now + deadlines.ACKNOWLEDGE_WITHIN, due_at=deadlines.answer_by(now, zone))
    ctx.db.add(request)
    ctx.db.flush()
    if contact.strip() and point is None:
        address = contact_points.parse(ctx, CHANNEL, contact)
        request.sealed_contact = _seal(ctx, address.normalised, request.id, "contact")
        request.contact_fingerprint = contact_points.fingerprint(ctx, CHANNEL, address)
    if note.strip():
        request.sealed_note = _seal_note(ctx, note.strip(), request)
    ctx.db.flush()
    trail.record(ctx, "open_request", _name(request), kind=kind, source=source)
    if told or source == "self":
        request.acknowledged_at = now
    else:
        _acknowledge(ctx, request)
    return request


def close(ctx: Context, request: RightsRequest, outcome: str, *, by: str) -> None:
    """Stop the clock. The address and the words go as soon as no answer waits. Raises: Conflict when it is closed."""
    held = _held(ctx, request.id)
    held.state, held.closed_at, held.outcome, held.handled_by = "closed", ctx.clock.now(), outcome, by
    held.acknowledged_at = held.acknowledged_at or held.closed_at
    ctx.db.flush()
    ctx.db.execute(SETTLE, {"id": held.id})
    ctx.db.expire(held)
    trail.record(ctx, "close_request", _name(held), outcome=outcome)


def extend(ctx: Context, request: RightsRequest, *, by: str) -> None:
    """Take two months more, once; the person is told why by the officer's own letter. Raises: Conflict."""
    held = _held(ctx, request.id)
    if held.extended:
        raise Conflict(rights_request=held.id)
    held.extended = True
    held.due_at = deadlines.answer_by(held.opened_at, words.zone(ctx), extended=True)
    trail.record(ctx, "extend_request", _name(held), by=by)


def acknowledged(ctx: Context, request: RightsRequest) -> None:
    """The officer told the person by telephone or letter that the request has come. Raises: Conflict."""
    held = _held(ctx, request.id)
    held.acknowledged_at = held.acknowledged_at or ctx.clock.now()
    trail.record(ctx, "acknowledge_request", _name(held))


def identify(ctx: Context, request: RightsRequest, how: str) -> None:
    """The officer made sure who asks, or need not. Raises: InvalidInput naming `identity`; Conflict when closed."""
    if how not in ("call_back", "letter", "not_needed"):
        raise InvalidInput(field="identity", why="Choose how you made sure who asks.")
    if how == "not_needed" and request.kind in NEEDS_IDENTITY:
        raise InvalidInput(field="identity", why="This kind of request needs somebody to make sure who asks.")
    held = _held(ctx, request.id)
    held.identity = how
    trail.record(ctx, "identify_request", _name(held), how=how)


def in_doubt(ctx: Context, point: ContactPoint) -> list[RightsRequest]:
    """Open requests in the name of this address of which nobody knows yet who wrote them, the oldest first."""
    return list(ctx.db.scalars(_in_doubt(ctx, point)))


def answered(ctx: Context, point: ContactPoint, request_id: int, *, theirs: bool) -> RightsRequest:
    """Behind a fresh link somebody said whether they asked this: from then on it is theirs, or it is closed.

    A link that was pressed proves the mailbox and not who wrote the request. Raises: NotFound for any other request.
    """
    found = ctx.db.scalars(_in_doubt(ctx, point).where(RightsRequest.id == request_id).with_for_update()).one_or_none()
    if found is None:
        raise NotFound(rights_request=request_id)
    if not theirs:
        close(ctx, found, NOT_THEIRS, by="self")
        return found
    found.identity, found.person_id = "fresh_link", found.person_id or point.person_id
    found.contact_point_id = found.contact_point_id or point.id
    trail.record(ctx, "identify_request", _name(found), how="fresh_link")
    return found


def get(ctx: Context, request_id: int) -> RightsRequest:
    """One request. Raises: NotFound."""
    request = ctx.db.get(RightsRequest, request_id) if 0 < request_id < 1 << 63 else None
    if request is None:
        raise NotFound(rights_request=request_id)
    return request


def point_of(ctx: Context, request: RightsRequest) -> ContactPoint | None:
    """Whose contact point a request is about, by its link or by the address it came from."""
    if request.contact_point_id is not None:
        return ctx.db.get(ContactPoint, request.contact_point_id)
    if request.contact_fingerprint is None:
        return None
    return ctx.db.scalars(select(ContactPoint).where(
        ContactPoint.channel == CHANNEL, ContactPoint.fingerprint.in_(
            ctx.sealer.with_newer([request.contact_fingerprint])))).first()


def person_of(ctx: Context, request: RightsRequest) -> Person | None:
    """Who asked, once somebody made sure of it."""
    if request.identity == "unchecked":
        return None
    point = point_of(ctx, request)
    person_id = request.person_id or (point.person_id if point else None)
    return ctx.db.get(Person, person_id) if person_id else None


def words_of(ctx: Context, opener: Opener, request: RightsRequest) -> Words:
    """What was asked and the address to answer to; both empty once they were forgotten. Raises: KeyProblem."""
    note = request.sealed_note or b""
    if note[:1] == UNDER_THEIR_KEY and request.person_id is not None:
        said = audience.opened(ctx, opener, request.person_id, note[1:], table=TABLE, row=request.id, field="note")
    else:
        said = _open(opener, note, request.id, "note")
    return Words(said, _open(opener, request.sealed_contact or b"", request.id, "contact"))


def load(ctx: Context) -> Load:
    """How many wait for an answer, and how that stands to their clocks; nobody's words."""
    now = ctx.clock.now()
    row = ctx.db.execute(LOAD, {"now": now, "soon": now + SOON, "month": now - A_MONTH}).one()
    return Load(**row._mapping)


def listed(ctx: Context, *, state: str, size: int = PAGE) -> list[RightsRequest]:
    """Open requests with the nearest clock first, or closed ones, the newest first."""
    order = RightsRequest.due_at if state == "open" else RightsRequest.closed_at.desc()
    return list(ctx.db.scalars(select(RightsRequest).where(RightsRequest.state == state).order_by(
        order, RightsRequest.id).limit(size)))


def sweep(ctx: Context) -> None:
    """Note acknowledgements that went out, and forget addresses and words of closed requests; for the ticker."""
    ctx.db.execute(ACKNOWLEDGED, {"now": ctx.clock.now()})
    ctx.db.execute(SETTLE, {"id": None})


def _acknowledge(ctx: Context, request: RightsRequest) -> None:
    """One letter that says that it came, and by when it is answered."""
    if request.sealed_contact is None and request.contact_point_id is None:
        return
    to_person = request.contact_point_id is not None
    zone = words.zone(ctx)
    singles.enqueue(
        ctx, MessageClass.ACKNOWLEDGEMENT, subject=_name(request), occasion="received", channel=CHANNEL,
        contact_point_id=request.contact_point_id, rights_request_id=None if to_person else request.id,
        not_after=request.acknowledge_by, detail={
            "number": request.id, "asked": NAMES[request.kind],
            "received_on": words.full_day(request.opened_at.astimezone(zone).date()),
            "due_on": words.full_day(request.due_at.astimezone(zone).date())})


def _held(ctx: Context, request_id: int) -> RightsRequest:
    """The request, locked and open. Raises: NotFound; Conflict when another closed it."""
    held = ctx.db.get(RightsRequest, request_id, with_for_update=True, populate_existing=True)
    if held is None:
        raise NotFound(rights_request=request_id)
    if held.state != "open":
        raise Conflict(rights_request=request_id)
    return held


def _in_doubt(ctx: Context, point: ContactPoint) -> Select[RightsRequest]:
    return select(RightsRequest).where(
        RightsRequest.state == "open", RightsRequest.identity == "unchecked",
        or_(RightsRequest.contact_point_id == point.id,
            RightsRequest.contact_fingerprint.in_(ctx.sealer.with_newer([point.fingerprint])))
    ).order_by(RightsRequest.id)


def _name(request: RightsRequest) -> str:
    return f"{TABLE}:{request.id}"


def _seal_note(ctx: Context, note: str, request: RightsRequest) -> bytes:
    """Under the person's own key where we know whose words they are, so that they go with the key, old backups too."""
    if request.person_id is None:
        return _seal(ctx, note, request.id, "note")
    key = audience.sealing_key(ctx, request.person_id)
    return UNDER_THEIR_KEY + key.seal(note, table=TABLE, row=request.id, field="note")


def _open(opener: Opener, sealed: bytes, request_id: int, field: str) -> str:
    return opener.open_shared(Use.RIGHTS, sealed, table=TABLE, row=request_id, field=field).decode() if sealed else ""


def _seal(ctx: Context, plain: str, request_id: int, field: str) -> bytes:
    return ctx.sealer.seal_shared(Use.RIGHTS, plain.encode(), table=TABLE, row=request_id, field=field)
