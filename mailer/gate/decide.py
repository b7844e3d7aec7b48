"""The gate at work: facts in, recorded answers out. The only module that makes a Clearance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Cursor, sql
from sqlalchemy import insert

from mailer.audience.reveal import reveal, reveal_first_name
from mailer.context import Context
from mailer.core.channel import Clearance
from mailer.core.clock import Clock
from mailer.core.messages import MessageClass
from mailer.core.modes import Mode
from mailer.core.reasons import Reason
from mailer.core.vault import Opener, Use
from mailer.gate import caps, single_facts
from mailer.gate.facts import Point, facts
from mailer.gate.models import SingleDecision
from mailer.gate.rules import Clear, Facts, Refuse, Verdict, Wait, day, verdict
from mailer.gate.single_facts import Mailbox, Single
from mailer.gate.terms import CampaignTerms, leaf

WRITE_DECISIONS = """
    COPY {decisions} (campaign_id, contact_point_id, month, attempt, cleared, reason, at) FROM STDIN (FORMAT BINARY)
"""
DECISION_TYPES = ("int8", "int8", "date", "int2", "bool", "text", "timestamptz")


@dataclass(frozen=True)
class Powers:
    """What deciding needs besides a cursor: a key to open addresses, the time that rules go by, the mode in force."""

    opener: Opener
    clock: Clock
    channel_slug: str
    mode: Mode


class Ask(NamedTuple):
    """One locked row and how often it was decided before."""

    row: int
    attempt: int


class Refusal(NamedTuple):
    """A recorded no; `attempt` is the one under which it was recorded."""

    row: int
    attempt: int
    reason: Reason


class Postponed(NamedTuple):
    """No answer yet: nothing was recorded, ask again at `until`."""

    row: int
    until: datetime


@dataclass
class Answers:
    """One list for each way an ask can end; `later` are rows whose cap somebody else holds at this instant.

    `day` is the day that was counted for caps: `give_back` wants it.
    """

    day: date
    cleared: list[Clearance] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    waiting: list[Postponed] = field(default_factory=list)
    later: list[int] = field(default_factory=list)

    def object(self, row: int, attempt: int, answer: Verdict) -> None:
        """Note a no or a not yet; a yes without an address is a no."""
        if isinstance(answer, Wait):
            self.waiting.append(Postponed(row, answer.until))
        else:
            reason = answer.reason if isinstance(answer, Refuse) else Reason.NO_ADDRESS
            self.refused.append(Refusal(row, attempt, reason))


def decide_campaign(cursor: Cursor[Any], powers: Powers, terms: CampaignTerms, slice_id: int, asks: Sequence[Ask],
                    begin_before: float) -> Answers:
    """Answer for rows of one campaign that the caller locked in an earlier statement, and record each answer.

    Every answer takes `attempt + 1`. `begin_before` is a reading of the monotonic clock in seconds.
    Raises: KeyProblem when an address does not open with this key file.
    """
    now = powers.clock.now()
    terms = replace(terms, mode=powers.mode)
    counts = powers.mode is not Mode.PRACTICE
    decisions = leaf("decision", terms.month)
    ids = [ask.row for ask in asks]
    taken = caps.take(cursor, ids) if counts else frozenset()
    rows = facts(cursor, terms, ids, now, decisions=decisions)
    answers, judge, capped, freed = Answers(day(now)), _Judge(terms.kind, now), [], []
    for row, attempt in asks:
        point, known, own = rows[row]
        if counts and known.every_days and row not in taken:
            answers.later.append(row)
            continue
        answer = judge(known)
        if isinstance(answer, Clear) and point is not None:
            answers.cleared.append(_clearance(powers, terms, slice_id, row, attempt + 1, point, begin_before))
            capped += [row] if known.every_days else []
        else:
            answers.object(row, attempt + 1, answer)
            freed += [row] if own and isinstance(answer, Refuse) else []
    if counts:
        caps.count(cursor, capped, answers.day)
        caps.give_back(cursor, freed)
    _record(cursor, terms, decisions, answers, now)
    return answers


def decide_singles(ctx: Context, opener: Opener, slice_id: int, rows: Sequence[Single], begin_before: float
                   ) -> Answers:
    """Answer for single messages that the caller has locked, and record each answer as `attempt + 1`.

    Raises: KeyProblem when an address does not open with this key file.
    """
    now = ctx.clock.now()
    answers, counted = Answers(day(now)), []
    for row, found in zip(rows, single_facts.read(ctx, rows, now), strict=True):
        attempt = row.attempt + 1
        answer = verdict(found.facts, MessageClass(row.kind), now)
        if isinstance(answer, Clear) and found.mailbox is not None:
            counted.append(found)
            answers.cleared.append(Clearance(
                slice_id, row.id, attempt, row.channel, _open(opener, found.mailbox), begin_before,
                text_only=found.mailbox.text_only))
        else:
            answers.object(row.id, attempt, answer)
    single_facts.count(ctx, counted, now)
    decided = [(each.row, each.attempt, None) for each in answers.cleared] + answers.refused
    if decided:
        ctx.db.execute(insert(SingleDecision), [
            {"single_id": row, "attempt": attempt, "cleared": reason is None, "reason": reason, "at": now}
            for row, attempt, reason in decided])
    return answers


class _Judge:
    """Judges each kind of person once a slice."""

    def __init__(self, kind: MessageClass, now: datetime) -> None:
        self._kind, self._now = kind, now
        self._known: dict[Facts, Verdict] = {}

    def __call__(self, known: Facts) -> Verdict:
        answer = self._known.get(known)
        if answer is None:
            answer = self._known[known] = verdict(known, self._kind, self._now)
        return answer


def _clearance(powers: Powers, terms: CampaignTerms, slice_id: int, row: int, attempt: int, point: Point,
               begin_before: float) -> Clearance:
    opener, wrapped = powers.opener, point.wrapped or b""
    address = reveal(opener, wrapped=wrapped, person_id=point.person_id, sealed=point.sealed)
    fields: Mapping[str, str] = {}
    if point.sealed_first_name is not None:
        fields = {"first name": reveal_first_name(
            opener, wrapped=wrapped, person_id=point.person_id, sealed=point.sealed_first_name)}
    return Clearance(slice_id, row, attempt, powers.channel_slug, address, begin_before,
                     text_only=point.format == "text", fields=fields)


def _record(cursor: Cursor[Any], terms: CampaignTerms, decisions: str, answers: Answers, now: datetime) -> None:
    if not answers.cleared and not answers.refused:
        return
    campaign, month = terms.campaign_id, terms.month
    with cursor.copy(sql.SQL(WRITE_DECISIONS).format(decisions=sql.Identifier(decisions))) as copy:
        copy.set_types(DECISION_TYPES)
        for clearance in answers.cleared:
            copy.write_row((campaign, clearance.row, month, clearance.attempt, True, None, now))
        for refusal in answers.refused:
            copy.write_row((campaign, refusal.row, month, refusal.attempt, False, refusal.reason, now))


def _open(opener: Opener, mailbox: Mailbox) -> str:
    if mailbox.wrapped is None:
        return opener.open_shared(Use.STAFF, mailbox.sealed, table="staff", row=mailbox.owner, field="email").decode()
    return reveal(opener, wrapped=mailbox.wrapped, person_id=mailbox.owner, sealed=mailbox.sealed)
