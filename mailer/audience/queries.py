"""What screens read of people: counts, and pages of rows in the order of joining. Nothing is opened here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import any_, literal, select, text

from mailer.audience.models import ContactPoint, PendingRequest
from mailer.context import Context
from mailer.core.channel import Address
from mailer.core.errors import NotFound

PAGE = 50
"""Rows a page; there is no way to get them all (ux, decision 30)."""
LARGEST_ID = 1 << 63
"""No row has a number as large: what an address line may hold, a bigint may not."""


class PersonState(StrEnum):
    """How it stands with somebody within the scope that is asked about."""

    WAITING = "waiting"
    SUBSCRIBED = "subscribed"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Scope:
    """Whom to show; none of them means everybody who confirmed."""

    list_id: int | None = None
    topic_id: int | None = None
    state: PersonState | None = None


@dataclass(frozen=True)
class Row:
    """One line of the table: `lists` are the ids of those joined now."""

    point: ContactPoint
    state: PersonState
    joined_on: date
    lists: tuple[int, ...]


@dataclass(frozen=True)
class Page:
    """Up to 50 rows; `next_after` is where the next page begins, None on the last."""

    rows: Sequence[Row]
    next_after: int | None


@dataclass(frozen=True)
class Waiting:
    """Up to 50 requests that are not confirmed; `next_after` as in Page."""

    rows: Sequence[PendingRequest]
    next_after: int | None


@dataclass(frozen=True)
class Counts:
    """People of one list and channel: confirmed, asked and not confirmed, and of the confirmed those on a break."""

    confirmed: int = 0
    waiting: int = 0
    paused: int = 0


MEMBERS = text("""
    SELECT m.list_id, c.channel, count(*), count(*) FILTER (WHERE p.paused_until > :now)
    FROM (SELECT DISTINCT list_id, contact_point_id FROM standing
          WHERE state = 'live' AND purpose = 'own_offers') AS m
    JOIN contact_point c ON c.id = m.contact_point_id
    LEFT JOIN preference p ON p.contact_point_id = c.id GROUP BY 1, 2
""")
ASKED = text("SELECT list_id, channel, count(*) FROM pending_request WHERE expires_at > :now GROUP BY 1, 2")

# Each state is worked out row by row below the page's own start, so a page costs what it reads and not the whole list.
PEOPLE = text("""
    SELECT id, state, joined_on, lists FROM (
        SELECT c.id, person.joined_on,
               (SELECT coalesce(array_agg(DISTINCT s.list_id), '{}') FROM standing s
                WHERE s.contact_point_id = c.id AND s.state = 'live' AND s.purpose = 'own_offers') AS lists,
               CASE WHEN EXISTS (SELECT FROM suppression x WHERE x.channel = c.channel
                                 AND x.fingerprint = c.fingerprint AND x.reason IN ('bounced', 'gone_away')
                                 AND (x.until IS NULL OR x.until > :today)) THEN 'unreachable'
                    WHEN NOT EXISTS (SELECT FROM standing s WHERE s.contact_point_id = c.id AND s.state = 'live'
                                     AND s.purpose = 'own_offers'
                                     AND (CAST(:list_id AS bigint) IS NULL OR s.list_id = :list_id)
                                     AND (CAST(:topic_id AS bigint) IS NULL OR s.topic_id = :topic_id))
                      OR EXISTS (SELECT FROM suppression x WHERE x.channel = c.channel
                                 AND x.fingerprint = c.fingerprint
                                 AND x.list_id IN (0, coalesce(CAST(:list_id AS bigint), 0))
                                 AND x.topic_id IN (0, coalesce(CAST(:topic_id AS bigint), 0))
                                 AND (x.until IS NULL OR x.until > :today)) THEN 'unsubscribed'
                    WHEN p.paused_until > :now THEN 'paused'
                    ELSE 'subscribed' END AS state
        FROM contact_point c JOIN person ON person.id = c.person_id
        LEFT JOIN preference p ON p.contact_point_id = c.id
        WHERE c.id > :after
          AND (CAST(:list_id AS bigint) IS NULL OR EXISTS (
              SELECT FROM standing s WHERE s.contact_point_id = c.id AND s.list_id = :list_id
                AND s.purpose = 'own_offers' AND (CAST(:topic_id AS bigint) IS NULL OR s.topic_id = :topic_id)))
          AND NOT EXISTS (SELECT FROM suppression x WHERE x.channel = c.channel AND x.fingerprint = c.fingerprint
                          AND x.reason = 'child')
          AND EXISTS (SELECT FROM vault.person_key k WHERE k.person_id = c.person_id)) AS found
    WHERE CAST(:state AS text) IS NULL OR state = :state
    ORDER BY id LIMIT :size
""")
ERASED = text("""
    SELECT at FROM exit_mark
    WHERE kind = 'erasure' AND detail @> jsonb_build_object('contact_points', jsonb_build_array(CAST(:id AS bigint)))
    ORDER BY at LIMIT 1
""")


def counts(ctx: Context) -> dict[tuple[int, str], Counts]:
    """The counts of every list and channel that has anybody."""
    now = {"now": ctx.clock.now()}
    members = {(row[0], row[1]): (row[2], row[3]) for row in ctx.db.execute(MEMBERS, now)}
    asked = {(row[0], row[1]): row[2] for row in ctx.db.execute(ASKED, now)}
    return {key: Counts(members.get(key, (0, 0))[0], asked.get(key, 0), members.get(key, (0, 0))[1])
            for key in members.keys() | asked.keys()}


def people(ctx: Context, scope: Scope, *, after: int = 0, size: int = PAGE) -> Page:
    """Those who confirmed, in the order of joining."""
    now = ctx.clock.now()
    found = ctx.db.execute(PEOPLE, {
        "after": after, "list_id": scope.list_id, "topic_id": scope.topic_id, "size": size + 1, "now": now,
        "today": now.date(), "state": scope.state}).mappings().all()
    points = {point.id: point for point in ctx.db.scalars(
        select(ContactPoint).where(ContactPoint.id.in_([row["id"] for row in found])))}
    rows = [_row(points[row["id"]], row) for row in found[:size] if row["id"] in points]
    return Page(rows, found[size - 1]["id"] if len(found) > size else None)


def waiting(ctx: Context, scope: Scope, *, after: int = 0, size: int = PAGE) -> Waiting:
    """Those who asked and have not confirmed, in the order of asking."""
    asked = select(PendingRequest).where(PendingRequest.expires_at > ctx.clock.now(), PendingRequest.id > after)
    if scope.list_id is not None:
        asked = asked.where(PendingRequest.list_id == scope.list_id)
    if scope.topic_id is not None:
        asked = asked.where(literal(scope.topic_id) == any_(PendingRequest.topic_ids))
    found = ctx.db.scalars(asked.order_by(PendingRequest.id).limit(size + 1)).all()
    return Waiting(found[:size], found[size - 1].id if len(found) > size else None)


def requests_of(ctx: Context, channel: str, address: Address) -> list[PendingRequest]:
    """The requests of an address that are still open, under every version of its fingerprint."""
    return list(ctx.db.scalars(select(PendingRequest).where(
        PendingRequest.channel == channel,
        PendingRequest.fingerprint.in_(ctx.sealer.fingerprints(channel, address.identity)),
        PendingRequest.expires_at > ctx.clock.now()).order_by(PendingRequest.id)))


def open_request(ctx: Context, request_id: int) -> PendingRequest:
    """A request that still waits. Raises: NotFound."""
    found = ctx.db.get(PendingRequest, request_id) if request_id < LARGEST_ID else None
    if found is None or found.expires_at <= ctx.clock.now():
        raise NotFound(request=request_id)
    return found


def points_of(ctx: Context, person_id: int) -> list[ContactPoint]:
    """Every contact point of a person."""
    return list(ctx.db.scalars(select(ContactPoint).where(ContactPoint.person_id == person_id).order_by(
        ContactPoint.id)))


def erased_at(ctx: Context, contact_point_id: int) -> datetime | None:
    """When a contact point that is gone was erased; None where nobody of that number ever was."""
    found: datetime | None = ctx.db.scalar(ERASED, {"id": contact_point_id}) if contact_point_id < LARGEST_ID else None
    return found


def _row(point: ContactPoint, row: Mapping[Any, Any]) -> Row:
    return Row(point, PersonState(row["state"]), row["joined_on"], tuple(row["lists"]))
