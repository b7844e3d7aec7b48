"""Erasing a person: everything that leads to them goes, and what stays names nobody.

Counters, message and decision rows stay and lead to nobody; the stop list and the exits files keep a fingerprint, so
that nobody writes to them again by mistake.
"""

import json
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any

from sqlalchemy import delete, select, text

from mailer.audience.models import ContactPoint, Person, PersonKey
from mailer.audit import trail
from mailer.consent import ledger
from mailer.consent.ledger import Evidence
from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.core.exits import ExitKind, ExitLine
from mailer.core.personal import Place, Whom
from mailer.core.reasons import Reason
from mailer.exits import record
from mailer.organisation import profile
from mailer.organisation.models import Instance
from mailer.outbox.keep_back import LONGEST_WAIT, LOOK_EVERY, keep_back
from mailer.rights import personal_data
from mailer.rights.models import ErasureCertificate
from mailer.suppression import registry

KEYS_FORGOTTEN_WITHIN = timedelta(hours=24)
"""The archive of keys is replaced at the latest so long after an erasure; older backups then open no more."""
GONE = ("name", "addresses", "choices", "consents", "history", "messages waiting", "copies", "open pages and links")
KEPT = ("a keyed fingerprint of each address, on the stop list and in the exits file",
        "counts of what was sent, which name nobody")

LOCK = text("SELECT id FROM contact_point WHERE person_id = :person ORDER BY id FOR UPDATE")
# Who changes a preference holds its row and then waits for blocks of messages; so do we.
LOCK_PREFERENCES = text("SELECT 1 FROM preference WHERE contact_point_id = ANY(:ids) ORDER BY contact_point_id "
                        "FOR UPDATE")
DROP_WAITING = text("DELETE FROM single_message WHERE contact_point_id = ANY(:ids) AND state IN ('ready', 'deferred')")
IN_THE_AIR = text("""
    SELECT EXISTS (SELECT FROM single_message m JOIN slice s ON s.id = m.slice
                   WHERE m.contact_point_id = ANY(:ids) AND m.state = 'handed'
                     AND s.opened_at > clock_timestamp() - make_interval(secs => :wait))
""")


def erase(ctx: Context, person_id: int, *, by: str, request_id: int | None = None) -> ErasureCertificate:
    """Erase a person and sign that it was done; no mail follows. `by` is who acted, such as `self` or `staff:3`.

    Safe while a campaign sends to them or a worker holds their message, and twice at once is once. The unit of work
    answers when nothing more can begin. Raises: NotFound when the person is gone already.
    """
    whom = hold(ctx, person_id)
    ids = whom.point_ids
    for point_id in ids:
        ledger.end_all(ctx, ctx.db.get_one(ContactPoint, point_id), evidence=Evidence(how="erasure"))
    for place in whom.places:
        registry.suppress(ctx, channel=place.channel, fingerprint=place.fingerprint, reason=Reason.ERASED,
                          version=place.version)
    line = record.record(ctx, ExitKind.ERASURE, {
        "person": person_id, "contact_points": ids,
        "points": [[place.channel, place.fingerprint.hex(), place.version] for place in whom.places]})
    _let_singles_finish(ctx, ids)
    keep_back(ctx, ids)
    forget(ctx, whom, request_id=request_id)
    certificate = _certify(ctx, line.at, request_id)
    trail.record(ctx, "erase_person", f"certificate:{certificate.id}", by=by, request=request_id)
    return certificate


def erase_again(ctx: Context, line: ExitLine) -> bool:
    """Erase whom an erasure's line of an exits file names and an old backup brought back; whether there was anybody.

    Numbers begin again after a restore, so somebody who joined after that erasure is somebody else.
    """
    person = ctx.db.get(Person, int(line.detail["person"])) if "person" in line.detail else None
    if person is None or person.joined_on > line.at.date():
        return False
    whom = hold(ctx, person.id)
    erased = {(channel, each) for channel, found, version in line.detail["points"]
              for each in (bytes.fromhex(found), *ctx.sealer.above(bytes.fromhex(found), version))}
    theirs = {(place.channel, each) for place in whom.places
              for each in (place.fingerprint, *ctx.sealer.above(place.fingerprint, place.version))}
    if not erased & theirs:
        return False
    for place in whom.places:
        registry.suppress(ctx, channel=place.channel, fingerprint=place.fingerprint, reason=Reason.ERASED,
                          version=place.version)
    forget(ctx, whom)
    return True


def hold(ctx: Context, person_id: int) -> Whom:
    """The person with their places, locked against everybody until the end of the transaction. Raises: NotFound."""
    person = ctx.db.scalars(select(Person).where(Person.id == person_id).with_for_update(),
                            execution_options={"populate_existing": True}).one_or_none()
    if person is None:
        raise NotFound(person=person_id)
    ids = list(ctx.db.scalars(LOCK, {"person": person_id}))
    ctx.db.execute(LOCK_PREFERENCES, {"ids": ids})
    return whom_of(ctx, person)


def whom_of(ctx: Context, person: Person) -> Whom:
    """A person and their places, as packages are told."""
    points = ctx.db.scalars(select(ContactPoint).where(ContactPoint.person_id == person.id).order_by(ContactPoint.id),
                            execution_options={"populate_existing": True})
    return Whom(person.id, person.subject, tuple(
        Place(point.id, point.channel, point.fingerprint, point.fingerprint_version) for point in points))


def forget(ctx: Context, whom: Whom, *, request_id: int | None = None) -> None:
    """Delete what every package holds of a person, then the key, then the person, with all that hangs on them."""
    personal_data.erase(ctx, whom, request_id=request_id)
    ctx.db.execute(delete(PersonKey).where(PersonKey.person_id == whom.person_id))
    ctx.db.execute(delete(Person).where(Person.id == whom.person_id))
    ctx.db.expire_all()


def _let_singles_finish(ctx: Context, ids: list[int]) -> None:
    """Nothing of theirs waits any more, and what a worker has in its hands is over before the rows go."""
    ctx.db.execute(DROP_WAITING, {"ids": ids})
    give_up = monotonic() + LONGEST_WAIT
    while monotonic() < give_up and ctx.db.scalar(IN_THE_AIR, {"ids": ids, "wait": LONGEST_WAIT}):
        sleep(LOOK_EVERY)


def _certify(ctx: Context, at: datetime, request_id: int | None) -> ErasureCertificate:
    instance = ctx.db.get(Instance, 1)
    body: dict[str, Any] = {
        "certificate": "erasure", "version": 1, "organisation": profile.current(ctx).name,
        "instance": str(instance.id) if instance else "", "at": at.isoformat(),
        "keys_forgotten_by": (at + KEYS_FORGOTTEN_WITHIN).isoformat(), "request": request_id,
        "deleted": list(GONE), "kept": list(KEPT)}
    certificate = ErasureCertificate(request_id=request_id, at=at, body=body, signature=ctx.sealer.sign(octets(body)))
    ctx.db.add(certificate)
    ctx.db.flush()
    return certificate


def octets(body: dict[str, Any]) -> bytes:
    """What the signature of a certificate covers."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
