"""People come into being when they confirm; until then there are requests only."""

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from mailer.audience.models import ContactPoint, PendingRequest, Person, PersonKey, Preference, RequestKey
from mailer.context import Context
from mailer.core.errors import Conflict
from mailer.core.modes import Mode

# What was mailed stays with the person, as proof of the question; what was not goes with the request.
KEEP_MAILED = text("""
    UPDATE single_message SET contact_point_id = :point, pending_request_id = NULL
    WHERE pending_request_id = :request AND state = 'accepted'
""")
CLOSER_TO_LIVE = {Mode.PRACTICE: 0, Mode.TRIAL: 1, Mode.LIVE: 2}


def admit(ctx: Context, pending: PendingRequest) -> ContactPoint:
    """The contact point of somebody who confirmed; sealed values and key move as they are, nothing is opened.

    Somebody known keeps person, name and preferences. Raises: Conflict when the request is gone (a second press).
    """
    held = ctx.db.scalars(select(PendingRequest).where(PendingRequest.id == pending.id).with_for_update(),
                          execution_options={"populate_existing": True}).first()
    if held is None:
        raise Conflict(request=pending.id)
    point = _known(ctx, held) or _make(ctx, held) or _known(ctx, held)
    if point is None:
        raise Conflict(request=pending.id)
    _raise_mode(ctx, point, Mode(held.mode))
    ctx.db.execute(KEEP_MAILED, {"point": point.id, "request": held.id})
    ctx.db.execute(delete(PendingRequest).where(PendingRequest.id == held.id))
    return point


def _known(ctx: Context, held: PendingRequest) -> ContactPoint | None:
    return ctx.db.scalars(select(ContactPoint).where(
        ContactPoint.channel == held.channel, ContactPoint.fingerprint == held.fingerprint).with_for_update()).first()


def _make(ctx: Context, held: PendingRequest) -> ContactPoint | None:
    """A new person; None when another request of the same address was faster."""
    person_id = held.reserved_person_id
    ctx.db.execute(insert(Person).values(
        id=person_id, subject=ctx.tokens.new_id(), joined_on=ctx.clock.now().date(), mode=held.mode,
        sample=False, sealed_first_name=held.sealed_first_name))
    point = ctx.db.scalars(insert(ContactPoint).values(
        person_id=person_id, channel=held.channel, mode=held.mode, sealed=held.sealed, fingerprint=held.fingerprint,
        fingerprint_version=held.fingerprint_version, domain_hash=held.domain_hash, language=held.language,
        has_name=held.sealed_first_name is not None).on_conflict_do_nothing(
            index_elements=["channel", "fingerprint"]).returning(ContactPoint)).first()
    if point is None:
        ctx.db.execute(delete(Person).where(Person.id == person_id))
        return None
    wrapped = select(RequestKey.wrapped).where(RequestKey.request_id == held.id).scalar_subquery()
    ctx.db.execute(insert(PersonKey).values(person_id=person_id, wrapped=wrapped))
    ctx.db.execute(insert(Preference).values(
        contact_point_id=point.id, format=held.format, every_days=held.every_days, hold=False))
    return point


def _raise_mode(ctx: Context, point: ContactPoint, mode: Mode) -> None:
    # Who tried us out in Practice and confirms again in Live has really confirmed; never the other way round.
    if CLOSER_TO_LIVE[mode] > CLOSER_TO_LIVE[Mode(point.mode)]:
        point.mode = mode
        ctx.db.get_one(Person, point.person_id).mode = mode
        ctx.db.flush()
