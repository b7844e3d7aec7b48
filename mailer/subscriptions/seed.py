"""Made-up people who have confirmed, in any number, written set-wise: for trying out, tests and benchmarks."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import psycopg
from sqlalchemy import text

from mailer.consent import ledger
from mailer.consent.ledger import Consent, Deed, Evidence, Holder
from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.core.messages import Purpose
from mailer.core.modes import Mode
from mailer.lists import catalogue
from mailer.lists.models import MailingList
from mailer.organisation import profile as organisation
from mailer.organisation import senders
from mailer.policy import notices, starter

SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "we", "xi",
             "yo", "zu", "bra", "cle", "dro", "fli", "gra", "kne", "plo", "qua", "ste", "tri")
DOMAINS = ("example.org", "example.com", "example.net")
CHUNK = 5_000


@dataclass(frozen=True)
class MadeUp:
    """Somebody who does not exist: an address and a first name of at least nine letters, so that finding them means
    something (decision 40)."""

    address: str
    first_name: str


def made_up(number: int) -> MadeUp:
    """The person of that number; the same every time."""
    digest = hashlib.sha256(f"made up {number}".encode()).digest()
    letters = "".join(SYLLABLES[octet % len(SYLLABLES)] for octet in digest[:5])
    family = "".join(SYLLABLES[octet % len(SYLLABLES)] for octet in digest[8:13])
    return MadeUp(f"{letters}.{family}{number}@{DOMAINS[digest[20] % len(DOMAINS)]}", letters.capitalize())


def seed(ctx: Context, people: int, list_name: str = "seed") -> Iterator[int]:
    """Add so many confirmed people to the list, making list, organisation, sender and notice where missing.

    Yields how many there are so far, chunk by chunk; everything is one transaction.
    """
    ensure_house(ctx)
    target = ensure_list(ctx, list_name)
    topics = [topic.id for topic in catalogue.topics_of(ctx, target.id)]
    first = int(ctx.db.scalar(text("SELECT coalesce(max(id), 0) FROM person")) or 0)
    for start in range(0, people, CHUNK):
        batch = [made_up(first + number) for number in range(start + 1, min(start + CHUNK, people) + 1)]
        add_people(ctx, batch, target.id, topics, evidence=Evidence(how="seed", source="mailer seed"))
        yield start + len(batch)


def ensure_house(ctx: Context) -> None:
    """Organisation, sender and notice, where they are missing."""
    organisation.ensure_instance(ctx)
    row = organisation.ensure_row(ctx)
    row.name = row.name or "Seedling Society"
    row.postal_address = row.postal_address or "1 Made-up Street\n12345 Nowhere"
    row.help_email = row.help_email or "help@example.org"
    ctx.db.flush()
    if senders.default(ctx) is None:
        senders.add(ctx, name=row.name, address="news@example.org")
    if notices.in_force(ctx) is None:
        brand = organisation.brand(organisation.current(ctx), starter.VERSION)
        notices.publish(ctx, starter.VERSION, starter.text(brand), ctx.clock.now(), starter=True)


def ensure_list(ctx: Context, name: str) -> MailingList:
    """The list of that name, made when it is missing."""
    try:
        return catalogue.by_name(ctx, name)
    except NotFound:
        return catalogue.create_list(ctx, name)


def add_people(ctx: Context, people: Sequence[MadeUp], list_id: int, topic_ids: Sequence[int], *, evidence: Evidence,
               at: datetime | None = None, mode: Mode | None = None, sample: bool = False) -> list[int]:
    """People with a live consent to each topic; their contact points. Known addresses are not looked for."""
    at, mode = at or ctx.clock.now(), mode or organisation.current(ctx).mode
    person_ids = _reserve(ctx, "person", len(people))
    point_ids = _reserve(ctx, "contact_point", len(people))
    rows = [_sealed(ctx, someone, person, point) for someone, person, point in
            zip(people, person_ids, point_ids, strict=True)]
    with _cursor(ctx) as cursor:
        _copy(cursor, "person (id, subject, joined_on, mode, sample, sealed_first_name)",
              ((row.person, row.subject, at.date(), mode, sample, row.name) for row in rows))
        _copy(cursor, "vault.person_key (person_id, wrapped)", ((row.person, row.wrapped) for row in rows))
        _copy(cursor, "contact_point (id, person_id, channel, mode, sealed, fingerprint, fingerprint_version, "
              "domain_hash, language, has_name)",
              ((row.point, row.person, "email", mode, row.address, row.fingerprint, ctx.sealer.fingerprint_version,
                row.domain, "en", True) for row in rows))
        _copy(cursor, "preference (contact_point_id, format, every_days, hold)",
              ((row.point, "html", 0, False) for row in rows))
    ledger.grant_many(ctx, [Deed(row.holder, Consent(list_id, topic, Purpose.OWN_OFFERS), evidence, at, mode)
                            for row in rows for topic in topic_ids])
    return point_ids


@dataclass(frozen=True)
class _Row:
    person: int
    point: int
    subject: UUID
    wrapped: bytes
    address: bytes
    name: bytes
    fingerprint: bytes
    domain: bytes
    holder: Holder


def _sealed(ctx: Context, someone: MadeUp, person: int, point: int) -> _Row:
    key = ctx.sealer.new_key(person=person)
    subject = ctx.tokens.new_id()
    return _Row(
        person, point, subject, key.wrapped,
        key.seal(someone.address, table="contact_point", row=person, field="address"),
        key.seal(someone.first_name, table="person", row=person, field="first_name"),
        ctx.sealer.fingerprint("email", someone.address), ctx.sealer.domain_hash(someone.address.rpartition("@")[2]),
        Holder(point, "email", subject, key))


def _reserve(ctx: Context, table: str, count: int) -> list[int]:
    return list(ctx.db.scalars(text(
        "SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)"),
        {"name": table, "count": count}))


@contextmanager
def _cursor(ctx: Context) -> Iterator[psycopg.Cursor[Any]]:
    """A plain driver cursor inside the transaction of this unit of work."""
    driver = cast(psycopg.Connection[Any], ctx.db.connection().connection.driver_connection)
    with driver.cursor() as cursor:
        yield cursor


def _copy(cursor: psycopg.Cursor[Any], target: str, rows: Iterator[tuple[Any, ...]]) -> None:
    with cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
