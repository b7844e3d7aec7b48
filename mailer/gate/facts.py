"""What the gate knows of a slice, read in a fixed number of statements however many rows it has.

Each statement stands alone: under READ COMMITTED it sees what committed after the rows were locked, so that a person
who has left by then is refused (decision 7).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Cursor, sql

from mailer.audience.collected import BY_CUSTOMERS
from mailer.core.errors import KeyProblem
from mailer.core.messages import ConsentModel, Purpose
from mailer.core.modes import Mode
from mailer.core.reasons import Reason
from mailer.core.vault import Sealer
from mailer.db import Ids, Octets
from mailer.gate.rules import Consent, Facts, capped, day
from mailer.gate.terms import CampaignTerms

POINTS = """
    SELECT c.id, c.person_id, c.fingerprint, c.fingerprint_version, (SELECT key_required FROM instance), c.sealed,
           k.wrapped, NULL, p.format,
           c.channel, coalesce(p.every_days, 0), p.paused_until, p.last_campaign_on, coalesce(p.hold, false),
           d.domain_hash IS NOT NULL
    FROM contact_point c
    LEFT JOIN vault.person_key k ON k.person_id = c.person_id
    LEFT JOIN preference p ON p.contact_point_id = c.id
    LEFT JOIN domain_rule d ON d.domain_hash = c.domain_hash
    WHERE c.id = ANY(%s)
"""
POINTS_WITH_NAME = POINTS.replace("NULL, p.format", "n.sealed_first_name, p.format").replace(
    "WHERE", "JOIN person n ON n.id = c.person_id\n    WHERE")
STANDING = """
    SELECT contact_point_id, topic_id, purpose, state, mode FROM standing
    WHERE contact_point_id = ANY(%s) AND list_id = %s
"""
SUPPRESSED = """
    SELECT channel, fingerprint, list_id, topic_id, reason, day FROM suppression
    WHERE channel = ANY(%s) AND fingerprint = ANY(%s) AND list_id = ANY(%s) AND (until IS NULL OR until > %s)
"""
CUSTOMERS = "SELECT contact_point_id FROM collected WHERE contact_point_id = ANY(%s) AND purpose = ANY(%s)"
TEAM = "SELECT email_fingerprint FROM staff WHERE email_fingerprint = ANY(%s) AND email_verified AND state = 'active'"
OWN_CLEARED = """
    SELECT contact_point_id, max(at) FROM {decisions}
    WHERE campaign_id = %s AND month = %s AND cleared AND contact_point_id = ANY(%s) GROUP BY contact_point_id
"""

_BEST = (Consent.LIVE, Consent.ENDED, Consent.REFUSED)
_WEAKEST_MODE = (Mode.PRACTICE, Mode.TRIAL, Mode.LIVE)
Standings = tuple[tuple[int, str, str, str], ...]


class Point(NamedTuple):
    """One contact point as the gate reads it; what is sealed stays so here."""

    id: int
    person_id: int
    fingerprint: bytes
    version: int
    key_required: int | None
    sealed: bytes
    wrapped: bytes | None
    sealed_first_name: bytes | None
    format: str | None
    channel: str
    every_days: int
    paused_until: datetime | None
    last_campaign_on: date | None
    hold: bool
    domain_ruled: bool


JUDGED_BY = 9
"""Where in a Point the facts begin that people can have alike."""


class Row(NamedTuple):
    """A contact point, none where it is gone, and the facts of it; `own`: the campaign asked for holds its cap."""

    point: Point | None
    facts: Facts
    own: bool = False


@dataclass(frozen=True)
class Answer:
    """What somebody's standing rows say to one campaign; `rows` are those it was read from."""

    consent: Consent = Consent.NONE
    elsewhere: bool = False
    partner: bool = False
    mode: Mode | None = None
    rows: Standings = ()


NO_ANSWER = Answer()
GONE = Row(None, Facts(known=False, reachable=False))


def facts(cursor: Cursor[Any], terms: CampaignTerms, contact_point_ids: Sequence[int], now: datetime,
          sealer: Sealer, *, decisions: str = "decision") -> dict[int, Row]:
    """The facts of each contact point for one campaign, `GONE` for those that are no more.

    `decisions` names the leaf to look in for the campaign's own earlier clearances. Raises: KeyProblem when the stop
    list is kept under a key that this process does not know.
    """
    ids = Ids.of(contact_point_ids)
    found = points(cursor, ids, with_name="first name" in terms.fields)
    standing = _standing(cursor, terms, ids)
    prints = Octets([point.fingerprint for point in found.values()])
    entries = suppressions(cursor, [terms.channel], prints, [0, terms.list_id], now, newer(sealer, found.values()))
    team = _team(cursor, terms, prints, standing.values())
    own = _own_days(cursor, terms, found.values(), now, decisions)
    customers = _customers(cursor, terms, ids)
    rows = dict.fromkeys(ids, GONE)
    alike: dict[object, Facts] = {}
    for point in found.values():
        answer = standing.get(point.id, NO_ANSWER)
        held = entries.get(point.fingerprint, ())
        trusted, holds = point.fingerprint in team, own.get(point.id, date.max) == point.last_campaign_on
        # Most people of a slice are alike: what is known of them is put together and judged once.
        customer = point.id in customers
        key = None if held or holds or customer else (point[JUDGED_BY:], point.wrapped is None, id(answer), trusted)
        known = alike.get(key) if key else None
        if known is None:
            known = _facts_of(point, with_stops(answer, held, terms), terms, reasons_of(held, terms), trusted,
                              holds)._replace(customer=customer)
            if key:
                alike[key] = known
        rows[point.id] = Row(point, known, holds)
    return rows


def _facts_of(point: Point, answer: Answer, terms: CampaignTerms, suppressed: frozenset[Reason], trusted: bool,
              holds: bool) -> Facts:
    return Facts(
        suppressed=suppressed | {Reason.DOMAIN_RULE} if point.domain_ruled else suppressed,
        reachable=point.wrapped is not None and point.channel == terms.channel, hold=point.hold,
        consent=answer.consent, elsewhere=answer.elsewhere, partner=answer.partner, mode=terms.mode,
        consent_mode=answer.mode, trusted=trusted, paused_until=point.paused_until, every_days=point.every_days,
        last_campaign_on=point.last_campaign_on if point.every_days and not holds else None, model=terms.model)


def _customers(cursor: Cursor[Any], terms: CampaignTerms, ids: Ids) -> Collection[int]:
    """Who gave their address with an order; asked only where that is enough until they say no."""
    if terms.model is not ConsentModel.OPT_OUT:
        return ()
    cursor.execute(CUSTOMERS, (ids, list(BY_CUSTOMERS)))
    return {row[0] for row in cursor.fetchall()}


def points(cursor: Cursor[Any], ids: Sequence[int], *, with_name: bool = False) -> dict[int, Point]:
    """The contact points that exist, by id; the sealed first name only where it is asked for."""
    cursor.execute(POINTS_WITH_NAME if with_name else POINTS, (Ids.of(ids),))
    return {row[0]: Point._make(row) for row in cursor.fetchall()}


class Entry(NamedTuple):
    """One entry of the stop list; 0 is every list, or every topic of the list."""

    channel: str
    list_id: int
    topic_id: int
    reason: Reason
    day: date


def newer(sealer: Sealer, found: Iterable[Point]) -> dict[bytes, list[bytes]]:
    """While keys rotate: what fingerprints that were not rotated yet are under newer keys, and whose they are.

    Raises: KeyProblem when the stop list is kept under a key that this process does not know.
    """
    others: dict[bytes, list[bytes]] = defaultdict(list)
    for point in found:
        required = point.key_required or 0
        if required > sealer.known_version and not sealer.knows_version(required):
            raise KeyProblem(why="the key file lacks a key that is in use", key_id=required)
        if point.version < required:
            for layer in sealer.above(point.fingerprint, point.version):
                others[layer].append(point.fingerprint)
    return others


def suppressions(cursor: Cursor[Any], channels: Sequence[str], prints: Sequence[bytes], lists: Sequence[int],
                 now: datetime, others: Mapping[bytes, Sequence[bytes]] | None = None) -> dict[bytes, list[Entry]]:
    """The entries in force for these fingerprints and scopes (0: everything of the channel).

    `others` are further fingerprints to look for, each with those of `prints` that it stands for.
    """
    others = others or {}
    wanted = [*prints, *others] if others else prints
    cursor.execute(SUPPRESSED, (list(channels), Octets(wanted), list(lists), day(now)))
    entries: dict[bytes, list[Entry]] = defaultdict(list)
    for channel, fingerprint, list_id, topic_id, reason, since in cursor.fetchall():
        entry = Entry(channel, list_id, topic_id, Reason(reason), since)
        for each in (fingerprint, *others.get(fingerprint, ())):
            entries[each].append(entry)
    return entries


def reasons_for(entries: Iterable[Entry], channel: str, lists: Sequence[int], topics: Collection[int] = ()
                ) -> frozenset[Reason]:
    """The reasons that hold for one channel and these lists (0 is every list).

    Entries of single topics hold where together they cover all of `topics`, and never where none is named.
    """
    held = [each for each in entries if each.channel == channel and each.list_id in lists]
    covered = {each.topic_id for each in held if each.topic_id}
    whole = bool(covered) and bool(topics) and covered.issuperset(topics)
    return frozenset(each.reason for each in held if not each.topic_id or (whole and each.topic_id in topics))


def reasons_of(entries: Iterable[Entry], terms: CampaignTerms) -> frozenset[Reason]:
    """The reasons that hold for one campaign."""
    return reasons_for(entries, terms.channel, (0, terms.list_id), terms.topic_ids)


def with_stops(answer: Answer, entries: Iterable[Entry], terms: CampaignTerms) -> Answer:
    """The same person's answer where a consent to a topic that is stopped counts as ended."""
    stopped = {each.topic_id for each in entries
               if each.topic_id and each.list_id == terms.list_id and each.channel == terms.channel}
    if not stopped:
        return answer
    return answer_of(tuple(row if row[0] not in stopped or row[2] != Consent.LIVE else (*row[:2], "ended", row[3])
                           for row in answer.rows), terms)


def answer_of(rows: Standings, terms: CampaignTerms) -> Answer:
    """What standing rows (topic, purpose, state, mode) of one contact point and list say to a campaign.

    The best state over the campaign's topics counts, and of consents that are alike the one confirmed most truly.
    """
    own = [row for row in rows if row[1] == terms.own_purpose]
    asked = [row for row in own if row[0] in terms.topic_ids]
    states = {row[2] for row in asked}
    live = [Mode(row[3]) for row in asked if row[2] == Consent.LIVE]
    partner = [Mode(row[3]) for row in rows
               if row[:3] == (0, Purpose.PARTNER_OFFERS, Consent.LIVE)]
    modes = [max(live, key=_WEAKEST_MODE.index)] if live else []
    if terms.purpose is Purpose.PARTNER_OFFERS:
        modes += partner
    return Answer(
        consent=next((each for each in _BEST if each in states), Consent.NONE),
        elsewhere=any(row[2] == Consent.LIVE and row[0] not in terms.topic_ids for row in own),
        partner=bool(partner),
        mode=min(modes, key=_WEAKEST_MODE.index) if modes else None, rows=rows)


def _standing(cursor: Cursor[Any], terms: CampaignTerms, ids: list[int]) -> dict[int, Answer]:
    cursor.execute(STANDING, (ids, terms.list_id))
    grouped: dict[int, list[tuple[int, str, str, str]]] = defaultdict(list)
    for row in cursor.fetchall():
        grouped[row[0]].append(row[1:])
    known: dict[Standings, Answer] = {}
    answers = {}
    for contact_point_id, rows in grouped.items():
        key = tuple(rows)
        if key not in known:
            known[key] = answer_of(key, terms)
        answers[contact_point_id] = known[key]
    return answers


def _team(cursor: Cursor[Any], terms: CampaignTerms, prints: list[bytes], answers: Iterable[Answer]) -> set[bytes]:
    if terms.mode is not Mode.LIVE or all(answer.mode is not Mode.TRIAL for answer in answers):
        return set()
    cursor.execute(TEAM, (prints,))
    return {row[0] for row in cursor.fetchall()}


def _own_days(cursor: Cursor[Any], terms: CampaignTerms, found: Iterable[Point], now: datetime, decisions: str
              ) -> Mapping[int, date]:
    """The day on which this campaign itself was cleared: a second try is not held back by the first."""
    ids = [point.id for point in found if capped(point.every_days, point.last_campaign_on, now)]
    if not ids:
        return {}
    cursor.execute(sql.SQL(OWN_CLEARED).format(decisions=sql.Identifier(decisions)),
                   (terms.campaign_id, terms.month, ids))
    return {row[0]: day(row[1]) for row in cursor.fetchall()}
