"""What the room of people holds of a person, for their copy and for their erasure."""

from typing import Any

from sqlalchemy import delete, select, text, update

from mailer.audience import reveal
from mailer.audience.models import (
    Collected,
    ContactPoint,
    PendingRequest,
    Person,
    PersonKey,
    Preference,
)
from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.core.personal import Whom
from mailer.core.vault import Opener, SealingKey

COVERS = frozenset({
    ("person", "subject"), ("person", "sealed_first_name"), ("vault.person_key", "wrapped"),
    ("contact_point", "sealed"), ("contact_point", "fingerprint"), ("contact_point", "domain_hash"),
    ("pending_request", "sealed"), ("pending_request", "sealed_first_name"), ("pending_request", "fingerprint"),
    ("pending_request", "domain_hash"), ("vault.request_key", "wrapped"), ("field_source", "person_id"),
    ("collected", "contact_point_id"),
})


SOURCES = text("""
    SELECT f.field, f.source, f.at, f.collector, f.policy, n.version AS notice
    FROM field_source f LEFT JOIN notice n ON n.id = f.notice_id WHERE f.person_id = :person ORDER BY f.field
""")


def export(ctx: Context, opener: Opener, whom: Whom) -> dict[str, Any]:
    """Name, addresses, choices, where each detail came from, and what else an address was given for.

    Raises: NotFound once erased; KeyProblem.
    """
    person = ctx.db.get(Person, whom.person_id)
    wrapped = wrapped_key(ctx, whom.person_id)
    if person is None:
        raise NotFound(person=whom.person_id)
    name = reveal.reveal_first_name(opener, wrapped=wrapped, person_id=person.id, sealed=person.sealed_first_name
                                    ) if person.sealed_first_name else ""
    points = ctx.db.scalars(select(ContactPoint).where(ContactPoint.person_id == person.id).order_by(ContactPoint.id))
    return {
        "first_name": name, "joined_on": person.joined_on.isoformat(), "mode": person.mode,
        "addresses": [_address(ctx, opener, wrapped, point) for point in points],
        "sources": [{"field": row.field, "source": row.source, "at": row.at.isoformat(), "notice": row.notice or "",
                     "collector": row.collector, "policy": row.policy}
                    for row in ctx.db.execute(SOURCES, {"person": person.id})],
        "given_for": [{"purpose": row.purpose, "source": row.source, "at": row.at.isoformat()}
                      for row in ctx.db.scalars(select(Collected).where(
                          Collected.contact_point_id.in_(whom.point_ids)).order_by(Collected.purpose))],
        "waiting_requests": [{"channel": row.channel, "list": row.list_id, "asked_at": row.asked_at.isoformat(),
                              "deleted_at": row.expires_at.isoformat()} for row in _pending(ctx, whom)],
    }


def erase(ctx: Context, whom: Whom) -> None:
    """Requests from the same addresses go with their keys, links and letters; the rest goes with the person's row."""
    for request in _pending(ctx, whom):
        ctx.db.execute(delete(PendingRequest).where(PendingRequest.id == request.id))
    # What a place is known by goes at once, so that nothing finds it while its row still stands.
    ctx.db.execute(update(Person).where(Person.id == whom.person_id).values(sealed_first_name=None))


def wrapped_key(ctx: Context, person_id: int) -> bytes:
    """A person's own key, wrapped. Raises: NotFound once erased."""
    wrapped = ctx.db.scalar(select(PersonKey.wrapped).where(PersonKey.person_id == person_id))
    if wrapped is None:
        raise NotFound(person=person_id)
    return wrapped


def sealing_key(ctx: Context, person_id: int) -> SealingKey:
    """The hand that seals one thing more under a person's own key. Raises: NotFound once erased."""
    return ctx.sealer.key_of(wrapped_key(ctx, person_id), person=person_id)


def opened(ctx: Context, opener: Opener, person_id: int, sealed: bytes, *, table: str, row: object, field: str) -> str:
    """What stands elsewhere under a person's own key. Raises: NotFound once erased; KeyProblem."""
    return opener.open(opener.unwrap(wrapped_key(ctx, person_id), person=person_id), sealed, table=table, row=row,
                       field=field)


def _address(ctx: Context, opener: Opener, wrapped: bytes, point: ContactPoint) -> dict[str, Any]:
    preference = ctx.db.get(Preference, point.id) or Preference(format="html", every_days=0, hold=False)
    return {
        "channel": point.channel, "language": point.language, "country": point.country or "",
        "address": reveal.reveal(opener, wrapped=wrapped, person_id=point.person_id, sealed=point.sealed),
        "format": preference.format, "at_most_every_days": preference.every_days,
        "paused_until": preference.paused_until.isoformat() if preference.paused_until else None,
        "on_hold": preference.hold,
    }


def _pending(ctx: Context, whom: Whom) -> list[PendingRequest]:
    return list(ctx.db.scalars(select(PendingRequest).where(PendingRequest.fingerprint.in_(
        ctx.sealer.with_newer(whom.fingerprints)))))
