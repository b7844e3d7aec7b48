"""What the gate knows of single messages: people, those who have asked, and members of staff."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol, cast

from psycopg import Cursor

from mailer.context import Context
from mailer.core.messages import MessageClass
from mailer.core.modes import Mode
from mailer.core.reasons import Reason
from mailer.core.vault import Sealer, Use
from mailer.gate.facts import GONE, Entry, Point, newer, points, reasons_for, suppressions
from mailer.gate.lent import FRIENDS, Lent
from mailer.gate.rules import LIMITED, Facts, Sent, day
from mailer.organisation import profile

PENDING = """
    SELECT r.id, r.reserved_person_id, r.channel, r.fingerprint, r.list_id, r.sealed, k.wrapped, r.format, r.source,
           r.topic_ids, d.domain_hash IS NOT NULL
    FROM pending_request r LEFT JOIN vault.request_key k ON k.request_id = r.id
    LEFT JOIN domain_rule d ON d.domain_hash = r.domain_hash WHERE r.id = ANY(%s)
"""
CHANGES = """
    SELECT a.id, c.person_id, k.wrapped, a.sealed_new, a.new_fingerprint,
           EXISTS (SELECT FROM domain_rule WHERE domain_hash = a.new_domain_hash),
           a.sealed_old, a.old_fingerprint, EXISTS (SELECT FROM domain_rule WHERE domain_hash = a.old_domain_hash)
    FROM address_change a JOIN contact_point c ON c.id = a.contact_point_id
    LEFT JOIN vault.person_key k ON k.person_id = c.person_id WHERE a.id = ANY(%s)
"""
RIGHTS = """
    SELECT id, sealed_contact, contact_fingerprint FROM rights_request
    WHERE id = ANY(%s) AND sealed_contact IS NOT NULL
"""
STAFF = "SELECT id, sealed_email FROM staff WHERE id = ANY(%s) AND state <> 'removed'"
CLEARED_BEFORE = "SELECT DISTINCT single_id FROM single_decision WHERE single_id = ANY(%s) AND cleared"
SENT = "SELECT bucket, day, n, last_at FROM limit_count WHERE bucket = ANY(%s) AND kind = 'gate' AND day > %s"
COUNT = """
    INSERT INTO limit_count (bucket, kind, day, n, last_at) VALUES (%s, 'gate', %s, 1, %s)
    ON CONFLICT (bucket, kind, day) DO UPDATE SET n = limit_count.n + 1, last_at = excluded.last_at
"""
MONTH = timedelta(days=30)
BY_START = "start"
"""The source of a request that came as the text START."""


class Single(Protocol):
    """A single message as the outbox holds it; exactly one of the three ids is set."""

    @property
    def id(self) -> int: ...

    @property
    def kind(self) -> str: ...

    @property
    def channel(self) -> str: ...

    @property
    def attempt(self) -> int: ...

    @property
    def contact_point_id(self) -> int | None: ...

    @property
    def pending_request_id(self) -> int | None: ...

    @property
    def staff_id(self) -> int | None: ...

    @property
    def address_change_id(self) -> int | None: ...

    @property
    def friend_request_id(self) -> int | None: ...

    @property
    def rights_request_id(self) -> int | None: ...


@dataclass(frozen=True, repr=False)
class Mailbox:
    """A sealed address: under a key of its own where one is wrapped, else under an instance key of that use."""

    owner: int
    sealed: bytes
    wrapped: bytes | None
    text_only: bool = False
    use: Use = Use.STAFF


class Found(NamedTuple):
    """The facts of one single message, where it would go, and the bucket it counts in (none: it does not count)."""

    facts: Facts
    mailbox: Mailbox | None = None
    fingerprint: bytes | None = None
    bucket: bytes | None = None
    lent: Lent | None = None


class Asked(NamedTuple):
    """One pending request as the gate reads it."""

    id: int
    person_id: int
    channel: str
    fingerprint: bytes
    list_id: int
    sealed: bytes
    wrapped: bytes | None
    format: str
    source: str
    topic_ids: Sequence[int]
    domain_ruled: bool


DOMAIN_RULE = frozenset({Reason.DOMAIN_RULE})
NOWHERE = Found(GONE.facts)


def cursor_of(ctx: Context) -> Cursor[Any]:
    """A plain cursor on the session's own connection and transaction."""
    ctx.db.flush()
    return cast("Cursor[Any]", ctx.db.connection().connection.cursor())


def read(ctx: Context, rows: Sequence[Single], now: datetime) -> list[Found]:
    """The facts of each message, in order; as many statements for one as for a hundred."""
    mode = profile.current(ctx).mode
    with cursor_of(ctx) as cursor:
        people = points(cursor, [row.contact_point_id for row in rows if row.contact_point_id is not None])
        asked = _asked(cursor, rows)
        team = _staff(cursor, rows)
        others = _others(cursor, rows)
        prints = [each.fingerprint for each in people.values()] + [each.fingerprint for each in asked.values()]
        prints += [each.fingerprint for each in others.values() if each.fingerprint is not None]
        lists = [0, *{each.list_id for each in asked.values()}]
        entries = suppressions(cursor, sorted({row.channel for row in rows}), prints, lists, now,
                               _newer(ctx.sealer, people.values(), prints))
        found = []
        for row in rows:
            if row.staff_id is not None:
                found.append(team.get(row.staff_id, NOWHERE))
            elif row.id in others:
                found.append(_of_other(others[row.id], row, entries))
            elif row.pending_request_id is not None:
                found.append(_of_asked(asked.get(row.pending_request_id), row, entries))
            else:
                found.append(_of_person(people.get(row.contact_point_id or 0), row, entries))
        return found if mode is Mode.PRACTICE else _with_sent(ctx, cursor, rows, found, now)


def _newer(sealer: Sealer, people: Iterable[Point], prints: Sequence[bytes]) -> dict[bytes, list[bytes]]:
    """What each fingerprint may be under newer keys; those of people also tell whether our key file is whole."""
    others = newer(sealer, people)
    for each in prints:
        for layer in sealer.above(each):
            if each not in others[layer]:
                others[layer].append(each)
    return others


def count(ctx: Context, found: Sequence[Found], now: datetime) -> None:
    """Count what was cleared for the first time against the limits of its address; kept 31 days as keyed hashes."""
    buckets = sorted(each.bucket for each in found if each.bucket is not None)
    if buckets:
        with cursor_of(ctx) as cursor:
            cursor.executemany(COUNT, [(bucket, day(now), now) for bucket in buckets])


def _asked(cursor: Cursor[Any], rows: Sequence[Single]) -> dict[int, Asked]:
    cursor.execute(PENDING, ([row.pending_request_id for row in rows if row.pending_request_id is not None],))
    return {row[0]: Asked(*row) for row in cursor.fetchall()}


def _staff(cursor: Cursor[Any], rows: Sequence[Single]) -> dict[int, Found]:
    cursor.execute(STAFF, ([row.staff_id for row in rows if row.staff_id is not None],))
    return {row[0]: Found(Facts(team=True), Mailbox(row[0], row[1], None)) for row in cursor.fetchall()}


def _others(cursor: Cursor[Any], rows: Sequence[Single]) -> dict[int, Found]:
    """Messages to an address that is nobody's yet, or no longer: by message, without the stop list's word."""
    changes, friends, rights = (
        [(key, row) for row in rows if (key := getattr(row, name)) is not None]
        for name in ("address_change_id", "friend_request_id", "rights_request_id"))
    found = {row.id: NOWHERE for _, row in (*changes, *friends, *rights)}
    # One slice may hold two messages of one thing: the new mailbox is asked and the old one told, the sender and the
    # friend are written to.
    for _, row, (owner, wrapped, *sealed) in _rows(cursor, CHANGES, changes):
        asked = row.kind == MessageClass.CONFIRMATION
        found[row.id] = _sealed(owner, wrapped, *(sealed[:3] if asked else sealed[3:]))
    for key, row, known in _rows(cursor, FRIENDS, friends):
        found[row.id] = _lent(key, *known) if row.kind == MessageClass.INVITATION else _sealed(*known[:4])
    for key, row, (sealed, its_print) in _rows(cursor, RIGHTS, rights):
        found[row.id] = Found(Facts(), Mailbox(key, sealed, None, use=Use.RIGHTS), its_print)
    return found


def _rows(cursor: Cursor[Any], statement: str, wanted: Sequence[tuple[int, Single]]
          ) -> Iterable[tuple[int, Single, tuple[Any, ...]]]:
    """What each message is about, as the statement tells it by number; those that are gone are left out."""
    if not wanted:
        return []
    cursor.execute(statement, ([key for key, _ in wanted],))
    known = {row[0]: row[1:] for row in cursor.fetchall()}
    return [(key, row, known[key]) for key, row in wanted if key in known]


def _sealed(owner: int, wrapped: bytes | None, sealed: bytes | None, its_print: bytes, domain_ruled: bool = False
            ) -> Found:
    if sealed is None or wrapped is None:
        return NOWHERE
    return Found(Facts(suppressed=DOMAIN_RULE if domain_ruled else frozenset(), waiting=True),
                 Mailbox(owner, sealed, wrapped), its_print)


def _lent(key: int, owner: int, sender_key: bytes | None, sender: bytes | None, _sender_print: bytes,
          wrapped: bytes | None, friend: bytes | None, its_print: bytes, domain_ruled: bool, name: bytes | None,
          words: bytes | None, version: int, handed: bool, mark: int | None) -> Found:
    if wrapped is None or sender is None or sender_key is None or name is None or mark is None:
        return NOWHERE
    return _sealed(owner, wrapped, friend, its_print, domain_ruled)._replace(lent=Lent(
        key, its_print, version, handed, mark, owner, (sender_key, sender, name), (wrapped, words)))


def _of_other(other: Found, row: Single, entries: Mapping[bytes, Sequence[Entry]]) -> Found:
    if other.mailbox is None or other.fingerprint is None:
        return other
    reasons = reasons_for(entries.get(other.fingerprint, ()), row.channel, (0,))
    if other.lent is not None and other.lent.handed:
        # That entry is this message's own: it was let go before, and never began.
        reasons -= {Reason.FRIEND_ONLY}
    return other._replace(facts=other.facts._replace(suppressed=reasons | other.facts.suppressed))


def _of_asked(asked: Asked | None, row: Single, entries: Mapping[bytes, Sequence[Entry]]) -> Found:
    if asked is None or asked.wrapped is None or asked.channel != row.channel:
        return NOWHERE
    reasons = reasons_for(entries.get(asked.fingerprint, ()), asked.channel, (0, asked.list_id), asked.topic_ids)
    reasons |= DOMAIN_RULE if asked.domain_ruled else frozenset()
    return Found(Facts(suppressed=reasons, waiting=True, by_start=asked.source == BY_START),
                 Mailbox(asked.person_id, asked.sealed, asked.wrapped, asked.format == "text"), asked.fingerprint)


def _of_person(point: Point | None, row: Single, entries: Mapping[bytes, Sequence[Entry]]) -> Found:
    if point is None or point.wrapped is None or point.channel != row.channel:
        return NOWHERE
    reasons = reasons_for(entries.get(point.fingerprint, ()), point.channel, (0,))
    reasons |= DOMAIN_RULE if point.domain_ruled else frozenset()
    known = Facts(suppressed=reasons, hold=point.hold, paused_until=point.paused_until,
                  every_days=point.every_days, last_campaign_on=point.last_campaign_on)
    return Found(known, Mailbox(point.person_id, point.sealed, point.wrapped, point.format == "text"),
                 point.fingerprint)


def _with_sent(ctx: Context, cursor: Cursor[Any], rows: Sequence[Single], found: Sequence[Found], now: datetime
               ) -> list[Found]:
    """Adds what each address was sent of a limited class; a message's own tries count once."""
    cursor.execute(CLEARED_BEFORE, ([row.id for row in rows],))
    tried = {row[0] for row in cursor.fetchall()}
    buckets = [_bucket(ctx, row, each) if row.id not in tried else None for row, each in zip(rows, found, strict=True)]
    cursor.execute(SENT, ([bucket for bucket in buckets if bucket is not None], day(now - MONTH)))
    sent: dict[bytes, Sent] = {}
    for bucket, on, n, last_at in cursor.fetchall():
        before = sent.get(bucket, Sent())
        sent[bucket] = Sent(before.today + (n if on == day(now) else 0), before.month + n,
                            max(last_at, before.last_at or last_at))
    return [each._replace(bucket=bucket, facts=each.facts._replace(sent=sent.get(bucket, Sent()))) if bucket else each
            for each, bucket in zip(found, buckets, strict=True)]


def _bucket(ctx: Context, row: Single, found: Found) -> bytes | None:
    if found.fingerprint is None or row.kind not in LIMITED:
        return None
    return ctx.sealer.bucket(f"gate/{row.kind}", found.fingerprint.hex())
