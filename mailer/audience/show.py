"""What staff and the person may see of a sealed address: the mask, or, for a reason and counted, all of it."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from mailer.audience import reveal
from mailer.audience.models import ContactPoint, PendingRequest, Person, PersonKey, RequestKey
from mailer.audit import alarms, trail
from mailer.context import Context
from mailer.core.errors import InvalidInput, NotFound, TooMany
from mailer.core.vault import Opener

REASONS = ("answer_to_the_person", "rights_request", "delivery_problem", "complaint_or_abuse", "legal_duty")
"""Why staff may look at an address; nothing else is a reason (decision 30)."""
LOOKS_A_DAY = 50


def masked(ctx: Context, opener: Opener, point: ContactPoint) -> str:
    """The address as staff see it in tables, such as d•••@example.org. Raises: KeyProblem, NotFound."""
    return masked_many(ctx, opener, [point])[point.id]


def masked_many(ctx: Context, opener: Opener, points: Sequence[ContactPoint]) -> dict[int, str]:
    """The masks of a page of contact points by their id, in one query. Raises: KeyProblem, NotFound."""
    keys = _person_keys(ctx, [point.person_id for point in points])
    return {point.id: _mask(ctx, point.channel, _address(opener, keys, point)) for point in points}


def masked_pending(ctx: Context, opener: Opener, pending: PendingRequest) -> str:
    """The mask of an address that has not confirmed. Raises: KeyProblem, NotFound."""
    return _mask(ctx, pending.channel, open_pending(ctx, opener, pending))


def open_pending(ctx: Context, opener: Opener, pending: PendingRequest) -> str:
    """The address of a request, for the page of the person who asked. Raises: KeyProblem, NotFound."""
    wrapped = ctx.db.scalar(select(RequestKey.wrapped).where(RequestKey.request_id == pending.id))
    if wrapped is None:
        raise NotFound(request=pending.id)
    return reveal.reveal(opener, wrapped=wrapped, person_id=pending.reserved_person_id, sealed=pending.sealed)


def open_point(ctx: Context, opener: Opener, point: ContactPoint) -> str:
    """The address of a person, to ask them something anew in a message of its own. Raises: KeyProblem, NotFound."""
    return _address(opener, _person_keys(ctx, [point.person_id]), point)


def look(ctx: Context, opener: Opener, point: ContactPoint, *, staff_id: int, reason: str) -> str:
    """The whole address, for a member of staff: the look is kept, audited and counted, 50 a day (UTC).

    Raises: InvalidInput for a reason that is not in REASONS; TooMany with the wait until midnight; NotFound.
    """
    if reason not in REASONS:
        raise InvalidInput(field="reason", why="choose a reason from the list")
    used = _count_looks(ctx, staff_id)
    ctx.db.execute(text("INSERT INTO reveal (staff_id, contact_point_id, reason, at) "
                        "VALUES (:staff, :point, :reason, :at)"),
                   {"staff": staff_id, "point": point.id, "reason": reason, "at": ctx.clock.now()})
    trail.record(ctx, "reveal_address", f"contact_point:{point.id}", reason=reason)
    if used + 1 == LOOKS_A_DAY:
        trail.record(ctx, alarms.REVEALS_USED_UP, f"staff:{staff_id}", looks=LOOKS_A_DAY)
    return _address(opener, _person_keys(ctx, [point.person_id]), point)


def open_evidence(ctx: Context, opener: Opener, person_id: int, rows: Iterable[tuple[UUID, bytes]]
                  ) -> list[dict[str, Any]]:
    """What these ledger rows (subject, sealed) of one person say. Raises: KeyProblem, NotFound once erased."""
    wrapped = _person_keys(ctx, [person_id])[person_id]
    return [json.loads(reveal.reveal_evidence(opener, wrapped=wrapped, person_id=person_id, subject=subject,
                                              sealed=sealed)) for subject, sealed in rows]


def first_name(ctx: Context, opener: Opener, person: Person) -> str:
    """A person's first name, empty when none was given. Raises: KeyProblem, NotFound."""
    if person.sealed_first_name is None:
        return ""
    wrapped = _person_keys(ctx, [person.id])[person.id]
    return reveal.reveal_first_name(opener, wrapped=wrapped, person_id=person.id, sealed=person.sealed_first_name)


def sender_of_friend(opener: Opener, *, wrapped: bytes, reserved: int, name: bytes, address: bytes) -> tuple[str, str]:
    """First name and address of who asked us to write to a friend, for that friend's page alone. Raises: KeyProblem."""
    return (reveal.reveal_lent(opener, wrapped=wrapped, reserved=reserved, sealed=name, field="sender_name"),
            reveal.reveal(opener, wrapped=wrapped, person_id=reserved, sealed=address))


def _count_looks(ctx: Context, staff_id: int) -> int:
    # The row's lock lets two tabs of one member count one after the other.
    ctx.db.execute(text("SELECT 1 FROM staff WHERE id = :staff FOR NO KEY UPDATE"), {"staff": staff_id})
    now = ctx.clock.now()
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    used: int = ctx.db.execute(text("SELECT count(*) FROM reveal WHERE staff_id = :staff AND at >= :midnight"),
                               {"staff": staff_id, "midnight": midnight}).scalar_one()
    if used >= LOOKS_A_DAY:
        raise TooMany(wait=int((midnight + timedelta(days=1) - now).total_seconds()))
    return used


def _person_keys(ctx: Context, person_ids: Sequence[int]) -> dict[int, bytes]:
    found = ctx.db.execute(select(PersonKey.person_id, PersonKey.wrapped).where(PersonKey.person_id.in_(person_ids)))
    keys = {person_id: wrapped for person_id, wrapped in found}
    for person_id in person_ids:
        if person_id not in keys:
            raise NotFound(person=person_id)
    return keys


def _address(opener: Opener, keys: dict[int, bytes], point: ContactPoint) -> str:
    return reveal.reveal(opener, wrapped=keys[point.person_id], person_id=point.person_id, sealed=point.sealed)


def _mask(ctx: Context, channel: str, normalised: str) -> str:
    return ctx.channels[channel].mask(normalised)
