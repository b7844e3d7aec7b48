"""People come into being when they confirm; until then there are requests only."""

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from mailer.audience import contact_points
from mailer.audience.models import ContactPoint, PendingRequest, Person, PersonKey, Preference, RequestKey
from mailer.context import Context
from mailer.core.channel import Address
from mailer.core.errors import Conflict
from mailer.core.modes import Mode
from mailer.organisation import profile

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


def create(ctx: Context, channel: str, address: Address, *, first_name: str = "", language: str = "en"
           ) -> ContactPoint:
    """The contact point of somebody who is not asked to confirm: an order, or proof of consent from elsewhere.

    Somebody known keeps person, name and preferences. It makes nobody mailable: consents do.
    """
    mode = profile.mode(ctx)
    known = contact_points.find(ctx, channel, address)
    if known is not None:
        _raise_mode(ctx, known, mode)
        return known
    person_id = ctx.db.execute(select(func.nextval(func.pg_get_serial_sequence("person", "id")))).scalar_one()
    key = ctx.sealer.new_key(person=person_id)
    sealed_name = key.seal(first_name, table="person", row=person_id, field="first_name") if first_name else None
    ctx.db.execute(insert(Person).values(
        id=person_id, subject=ctx.tokens.new_id(), joined_on=ctx.clock.now().date(), mode=mode, sample=False,
        sealed_first_name=sealed_name))
    point = ctx.db.scalars(insert(ContactPoint).values(
        person_id=person_id, channel=channel, mode=mode, fingerprint_version=ctx.sealer.fingerprint_version,
        sealed=key.seal(address.normalised, table="contact_point", row=person_id, field="address"),
        fingerprint=ctx.sealer.fingerprint(channel, address.identity), language=language,
        domain_hash=ctx.sealer.domain_hash(address.domain), has_name=bool(first_name)).on_conflict_do_nothing(
            index_elements=["channel", "fingerprint"]).returning(ContactPoint)).first()
    if point is None:
        ctx.db.execute(delete(Person).where(Person.id == person_id))
        raise Conflict(channel=channel)
    ctx.db.execute(insert(PersonKey).values(person_id=person_id, wrapped=key.wrapped))
    ctx.db.execute(insert(Preference).values(contact_point_id=point.id, format="html", every_days=0, hold=False))
    return point


def _known(ctx: Context, held: PendingRequest) -> ContactPoint | None:
    prints = [held.fingerprint, *ctx.sealer.above(held.fingerprint, held.fingerprint_version)]
    return ctx.db.scalars(select(ContactPoint).where(
        ContactPoint.channel == held.channel, ContactPoint.fingerprint.in_(prints)).with_for_update()).first()


def _make(ctx: Context, held: PendingRequest) -> ContactPoint | None:
    """A new person; None when another request of the same address was faster."""
    person_id, version = held.reserved_person_id, max(held.fingerprint_version, ctx.sealer.fingerprint_version)
    ctx.db.execute(insert(Person).values(
        id=person_id, subject=ctx.tokens.new_id(), joined_on=ctx.clock.now().date(), mode=held.mode,
        sample=False, sealed_first_name=held.sealed_first_name))
    point = ctx.db.scalars(insert(ContactPoint).values(
        person_id=person_id, channel=held.channel, mode=held.mode, sealed=held.sealed,
        fingerprint=ctx.sealer.layer_up(held.fingerprint, held.fingerprint_version, version),
        fingerprint_version=version, domain_hash=held.domain_hash, language=held.language,
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
