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
from mailer.core.reasons import Reason
from mailer.gate.facts import Row, facts, reasons_for, suppressions
from mailer.gate.rules import ORDER, Consent, Facts, Refuse, Verdict, Wait, day, verdict
from mailer.gate.single_facts import cursor_of
from mailer.gate.terms import CampaignTerms

CHUNK = 5000
"""Contact points judged at a time, so that memory stays the same at any size."""

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
    known: dict[Facts, Verdict] = {}
    with cursor_of(ctx) as cursor:
        after = 0
        while ids := _audience(cursor, terms, after):
            after = ids[-1]
            for row in facts(cursor, terms, ids, now).values():
                if row.facts not in known:
                    known[row.facts] = verdict(row.facts, terms.kind, now)
                counts[known[row.facts]] += 1
            known.clear()
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


def _audience(cursor: Cursor[Any], terms: CampaignTerms, after: int) -> list[int]:
    cursor.execute(AUDIENCE, {"list_id": terms.list_id, "topic_ids": list(terms.topic_ids), "after": after,
                              "size": CHUNK})
    return [row[0] for row in cursor.fetchall()]


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
