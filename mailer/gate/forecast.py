"""Who is in, who is out, and why: the gate's own rules over the whole audience, with nothing opened or recorded."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from psycopg import Cursor

from mailer.context import Context
from mailer.core.errors import UnknownChannel
from mailer.core.reasons import Reason
from mailer.core.vault import Sealer
from mailer.gate.facts import Answer, Row, answer_of, facts, reasons_for, suppressions
from mailer.gate.rules import ORDER, Consent, Facts, Refuse, Verdict, Wait, day, verdict
from mailer.gate.single_facts import cursor_of
from mailer.gate.tally import tally
from mailer.gate.terms import CampaignTerms

CHUNK = 5000
"""Contact points judged one by one at a time, so that memory stays the same at any size."""

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
RULED_SINCE = """
    SELECT day FROM domain_rule
    WHERE domain_hash IN (%s, (SELECT domain_hash FROM contact_point WHERE id = %s))
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
        found = tally(cursor, terms)
        for rows, number in found.alike.items():
            counts[verdict(_plain(answer_of(rows, terms), terms), terms.kind, now)] += number
        for start in range(0, len(found.others), CHUNK):
            judged = facts(cursor, terms, found.others[start:start + CHUNK], now, ctx.sealer).values()
            for known, number in Counter(row.facts for row in judged).items():
                counts[verdict(known, terms.kind, now)] += number
        waiting = _waiting(cursor, terms, now)
    reasons: Counter[Reason] = Counter()
    for answer, number in counts.items():
        if isinstance(answer, Refuse | Wait):
            reasons[answer.reason] += number
    outside = reasons.total()
    return Forecast(counts.total() - outside, outside,
                    {reason: reasons[reason] for reason in sorted(reasons, key=ORDER.__getitem__)},
                    found.not_chosen, waiting)


def why(ctx: Context, terms: CampaignTerms, channel: str, raw: str) -> Why:
    """What the gate would say now of one address, known or not, whatever became of the campaign.

    The caller notes the look in the audit trail. Raises: UnknownChannel, InvalidAddress.
    """
    if channel not in ctx.channels:
        raise UnknownChannel(channel=channel)
    address = ctx.channels[channel].parse_address(raw)
    return why_of(ctx, terms, channel, ctx.sealer.fingerprints(channel, address.identity),
                  ctx.sealer.domain_hash(address.domain))


def why_of(ctx: Context, terms: CampaignTerms, channel: str, prints: Sequence[bytes], domain_hash: bytes = b"") -> Why:
    """The same for the versions of one address's fingerprint; the caller notes the look in the audit trail.

    `domain_hash` tells of an address that is nobody's yet whether a rule for its domain holds.
    """
    now, prints = ctx.clock.now(), ctx.sealer.with_newer(prints)
    with cursor_of(ctx) as cursor:
        asked_at = _asked_at(cursor, terms, channel, prints, now)
        row = _row(cursor, terms, channel, prints, domain_hash, now, ctx.sealer)
        answer = verdict(row.facts._replace(waiting=asked_at is not None), terms.kind, now)
        if isinstance(answer, Wait):
            return Why("out", answer.reason, until=answer.until)
        reason = answer.reason if isinstance(answer, Refuse) else None
        if reason is Reason.NOT_CONFIRMED:
            return Why("out", reason, since=day(asked_at) if asked_at else None)
        since = _since(cursor, terms, channel, prints, row, reason, now) if reason is not Reason.DOMAIN_RULE \
            else _ruled_since(cursor, row, domain_hash)
    return Why("in" if reason is None else "out", reason, since,
               row.facts.paused_until if reason is Reason.PAUSED else None)


def _plain(answer: Answer, terms: CampaignTerms) -> Facts:
    """Facts of somebody of whom only their answer is known; they can be reached."""
    return Facts(consent=answer.consent, elsewhere=answer.elsewhere, partner=answer.partner, mode=terms.mode,
                 consent_mode=answer.mode, model=terms.model)


def _waiting(cursor: Cursor[Any], terms: CampaignTerms, now: datetime) -> int:
    cursor.execute(NOT_CONFIRMED, (terms.list_id, list(terms.topic_ids), terms.channel, now))
    return int(_one(cursor) or 0)


def _row(cursor: Cursor[Any], terms: CampaignTerms, channel: str, prints: Sequence[bytes], domain_hash: bytes,
         now: datetime, sealer: Sealer) -> Row:
    cursor.execute(POINT, (channel, list(prints)))
    known = _one(cursor)
    entries = suppressions(cursor, [channel], prints, [0, terms.list_id], now).values()
    held = reasons_for([each for found in entries for each in found], channel, (0, terms.list_id), terms.topic_ids)
    if known is None:
        ruled = _ruled_since(cursor, None, domain_hash) is not None
        return Row(None, Facts(suppressed=held | {Reason.DOMAIN_RULE} if ruled else held, mode=terms.mode,
                               model=terms.model))
    row = facts(cursor, terms, [known], now, sealer)[known]
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


def _ruled_since(cursor: Cursor[Any], row: Row | None, domain_hash: bytes) -> date | None:
    """The day from which the rule for a person's, or else a typed address's, domain holds; none without a rule."""
    cursor.execute(RULED_SINCE, (domain_hash, row.point.id if row and row.point else None))
    found: date | None = _one(cursor)
    return found


def _one(cursor: Cursor[Any]) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None
