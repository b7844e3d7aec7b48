"""Who is in, who is out, and why: the gate's own rules over the whole audience, with nothing opened or recorded."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from psycopg import Cursor

from mailer.consent.standing import AUDIENCE
from mailer.context import Context
from mailer.core.errors import UnknownChannel
from mailer.core.modes import Mode
from mailer.core.reasons import Reason
from mailer.gate.facts import Answer, Row, answer_of, facts, reasons_for, suppressions
from mailer.gate.rules import ORDER, Consent, Facts, Refuse, Verdict, Wait, day, verdict
from mailer.gate.single_facts import cursor_of
from mailer.gate.terms import CampaignTerms

CHUNK = 5000
"""Contact points judged one by one at a time, so that memory stays the same at any size."""

LARGE_CHUNK = 500_000
"""Contact points sorted at a time into those of whom nothing is known but their standing, and the others."""

ROOM = "SELECT set_config('work_mem', '64MB', true)"
"""The database sorts a chunk in memory."""

# Most people have chosen topics and nothing else: the database counts them by what stands for them, and only who has
# a preference, an entry on the stop list, another channel or no key any more is looked at singly.
SORTED = f"""
    WITH audience AS MATERIALIZED ({AUDIENCE}), stands AS (
        SELECT s.contact_point_id, bool_or(s.mode = 'trial') AS tried,
               array_agg(ARRAY[s.topic_id::text, s.purpose, s.state, s.mode] ORDER BY s.topic_id, s.purpose) AS rows
        FROM audience a JOIN standing s ON s.contact_point_id = a.contact_point_id AND s.list_id = %(list_id)s
        GROUP BY s.contact_point_id
    ), looked AS (
        SELECT t.contact_point_id, t.rows, coalesce(
            c.channel = %(channel)s AND k.person_id IS NOT NULL AND NOT (t.tried AND %(live)s)
            AND (p.contact_point_id IS NULL OR (p.every_days = 0 AND p.paused_until IS NULL AND NOT p.hold))
            AND NOT EXISTS (SELECT FROM suppression x WHERE x.channel = c.channel AND x.fingerprint = c.fingerprint
                            AND x.list_id IN (0, %(list_id)s)), false) AS plain
        FROM stands t LEFT JOIN contact_point c ON c.id = t.contact_point_id
        LEFT JOIN vault.person_key k ON k.person_id = c.person_id
        LEFT JOIN preference p ON p.contact_point_id = t.contact_point_id
    )
    SELECT rows, count(*), NULL::bigint[] FROM looked WHERE plain GROUP BY rows
    UNION ALL
    SELECT NULL, (SELECT max(contact_point_id) FROM audience),
           (SELECT array_agg(contact_point_id) FROM looked WHERE NOT plain)
"""

NOT_CHOSEN = """
    SELECT count(DISTINCT s.contact_point_id) FROM standing s
    WHERE s.list_id = %(list_id)s AND s.state = 'live' AND s.topic_id <> 0
      AND NOT EXISTS (SELECT 1 FROM standing t WHERE t.contact_point_id = s.contact_point_id
                      AND t.list_id = %(list_id)s AND t.topic_id = ANY(%(topic_ids)s::bigint[]))
"""
NOT_CONFIRMED = """
    SELECT count(*) FROM pending_request
    WHERE list_id = %s AND topic_ids && %s::bigint[] AND channel = %s AND expires_at > %s
"""
POINT = "SELECT id FROM contact_point WHERE channel = %s AND fingerprint = ANY(%s)"
ASKED = """
    SELECT asked_at FROM pending_request WHERE channel = %s AND fingerprint = ANY(%s) AND list_id = %s
      AND expires_at > %s ORDER BY asked_at DESC LIMIT 1
"""
STATE_SINCE = """
    SELECT max(since) FROM standing WHERE contact_point_id = %s AND list_id = %s AND purpose = %s AND state = %s
      AND topic_id = ANY(%s)
"""


@dataclass(frozen=True)
class Forecast:
    """What sending now would do: `inside` plus `outside` is the audience, `reasons` in the order in which they answer.

    Beside the sum, never in it (decision 4): people of the list who have not chosen the topic, and requests that
    wait for confirmation.
    """

    inside: int
    outside: int
    reasons: Mapping[Reason, int]
    not_chosen: int = 0
    waiting: int = 0

    @property
    def planned(self) -> int:
        return self.inside + self.outside


@dataclass(frozen=True)
class Why:
    """The answer for one address; `since` to the day where it is known, `until` where the reason ends by itself."""

    answer: Literal["in", "out"]
    reason: Reason | None = None
    since: date | None = None
    until: datetime | None = None


def forecast(ctx: Context, terms: CampaignTerms) -> Forecast:
    """Judge everyone the campaign is planned for, as the gate would at this moment."""
    now = ctx.clock.now()
    counts: Counter[Verdict] = Counter()
    with cursor_of(ctx) as cursor:
        cursor.execute(ROOM)
        through: int | None = 0
        while through is not None:
            through, alike, others = _sorted(cursor, terms, through)
            for known, number in alike.items():
                counts[verdict(known, terms.kind, now)] += number
            for start in range(0, len(others), CHUNK):
                rows = facts(cursor, terms, others[start:start + CHUNK], now).values()
                for known, number in Counter(row.facts for row in rows).items():
                    counts[verdict(known, terms.kind, now)] += number
        not_chosen, waiting = _beside(cursor, terms, now)
    reasons: Counter[Reason] = Counter()
    for answer, number in counts.items():
        if isinstance(answer, Refuse | Wait):
            reasons[answer.reason] += number
    outside = reasons.total()
    return Forecast(counts.total() - outside, outside,
                    {reason: reasons[reason] for reason in sorted(reasons, key=ORDER.__getitem__)},
                    not_chosen, waiting)


def why(ctx: Context, terms: CampaignTerms, channel: str, raw: str) -> Why:
    """What the gate would say now of one address, known or not, whatever became of the campaign.

    The caller notes the look in the audit trail. Raises: UnknownChannel, InvalidAddress.
    """
    if channel not in ctx.channels:
        raise UnknownChannel(channel=channel)
    identity = ctx.channels[channel].parse_address(raw).identity
    return why_of(ctx, terms, channel, ctx.sealer.fingerprints(channel, identity))


def why_of(ctx: Context, terms: CampaignTerms, channel: str, prints: Sequence[bytes]) -> Why:
    """The same for the versions of one address's fingerprint; the caller notes the look in the audit trail."""
    now = ctx.clock.now()
    with cursor_of(ctx) as cursor:
        asked_at = _asked_at(cursor, terms, channel, prints, now)
        row = _row(cursor, terms, channel, prints, now)
        answer = verdict(row.facts._replace(waiting=asked_at is not None), terms.kind, now)
        if isinstance(answer, Wait):
            return Why("out", answer.reason, until=answer.until)
        reason = answer.reason if isinstance(answer, Refuse) else None
        if reason is Reason.NOT_CONFIRMED:
            return Why("out", reason, since=day(asked_at) if asked_at else None)
        since = _since(cursor, terms, channel, prints, row, reason, now)
    return Why("in" if reason is None else "out", reason, since,
               row.facts.paused_until if reason is Reason.PAUSED else None)


def _sorted(cursor: Cursor[Any], terms: CampaignTerms, after: int
            ) -> tuple[int | None, Mapping[Facts, int], Sequence[int]]:
    """The last contact point of this chunk (none: the audience is over), how many have which facts, the others."""
    cursor.execute(SORTED, {"list_id": terms.list_id, "topic_ids": list(terms.topic_ids), "after": after,
                            "size": LARGE_CHUNK, "channel": terms.channel, "live": terms.mode is Mode.LIVE})
    alike: Counter[Facts] = Counter()
    through: int | None = None
    others: Sequence[int] = []
    for rows, number, ids in cursor.fetchall():
        if rows is None:
            through, others = number, ids or []
        else:
            alike[_plain(answer_of(tuple((int(topic), *rest) for topic, *rest in rows), terms), terms)] += number
    return through, alike, others


def _plain(answer: Answer, terms: CampaignTerms) -> Facts:
    """Facts of somebody of whom only their answer is known; they can be reached."""
    return Facts(consent=answer.consent, elsewhere=answer.elsewhere, partner=answer.partner, mode=terms.mode,
                 consent_mode=answer.mode)


def _beside(cursor: Cursor[Any], terms: CampaignTerms, now: datetime) -> tuple[int, int]:
    cursor.execute(NOT_CHOSEN, {"list_id": terms.list_id, "topic_ids": list(terms.topic_ids)})
    not_chosen = _one(cursor)
    cursor.execute(NOT_CONFIRMED, (terms.list_id, list(terms.topic_ids), terms.channel, now))
    return int(not_chosen or 0), int(_one(cursor) or 0)


def _row(cursor: Cursor[Any], terms: CampaignTerms, channel: str, prints: Sequence[bytes], now: datetime) -> Row:
    cursor.execute(POINT, (channel, list(prints)))
    known = _one(cursor)
    entries = suppressions(cursor, [channel], prints, [0, terms.list_id], now)
    held = frozenset[Reason]().union(*(reasons_for(each, channel, (0, terms.list_id)) for each in entries.values()))
    if known is None:
        return Row(None, Facts(suppressed=held, mode=terms.mode))
    row = facts(cursor, terms, [known], now)[known]
    return row._replace(facts=row.facts._replace(suppressed=row.facts.suppressed | held))


def _asked_at(cursor: Cursor[Any], terms: CampaignTerms, channel: str, prints: Sequence[bytes], now: datetime
              ) -> datetime | None:
    cursor.execute(ASKED, (channel, list(prints), terms.list_id, now))
    found: datetime | None = _one(cursor)
    return found


def _since(cursor: Cursor[Any], terms: CampaignTerms, channel: str, prints: Sequence[bytes], row: Row,
           reason: Reason | None, now: datetime) -> date | None:
    """The day from which a reason, or for who is in the consent, holds."""
    if reason is Reason.CAP:
        return row.facts.last_campaign_on
    if reason in row.facts.suppressed:
        found = suppressions(cursor, [channel], prints, [0, terms.list_id], now).values()
        return min((each.day for entries in found for each in entries if each.reason is reason), default=None)
    states = {None: Consent.LIVE, Reason.PRACTICE_CONSENT: Consent.LIVE, Reason.NO_CONSENT: Consent.REFUSED,
              Reason.UNSUBSCRIBED: Consent.ENDED, Reason.NOT_TOPIC: Consent.ENDED}
    if row.point is None or reason not in states:
        return None
    cursor.execute(STATE_SINCE, (row.point.id, terms.list_id, terms.own_purpose, states[reason],
                                 list(terms.topic_ids)))
    found_at = _one(cursor)
    return day(found_at) if found_at else None


def _one(cursor: Cursor[Any]) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None
