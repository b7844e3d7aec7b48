"""The gate at work: facts in, recorded answers out. The only module that makes a Clearance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Cursor
from sqlalchemy import insert

from mailer.audience.reveal import reveal, reveal_lent, reveal_many
from mailer.context import Context
from mailer.core.channel import NO_FIELDS, Clearance
from mailer.core.clock import Clock
from mailer.core.errors import KeyProblem
from mailer.core.messages import MessageClass
from mailer.core.modes import Mode
from mailer.core.reasons import Reason
from mailer.core.vault import Opener, Sealer, Use
from mailer.db import Ids
from mailer.gate import caps, single_facts
from mailer.gate.decisions import write_decisions
from mailer.gate.facts import Point, Row, facts
from mailer.gate.lent import Lent
from mailer.gate.models import SingleDecision
from mailer.gate.rules import Clear, Refuse, Verdict, Wait, day, verdict
from mailer.gate.single_facts import Mailbox, Single
from mailer.gate.spend import spend
from mailer.gate.terms import CampaignTerms, leaf


@dataclass(frozen=True)
class Powers:
    """What deciding needs besides a cursor: a key to open addresses, the time that rules go by, the mode in force."""

    opener: Opener
    sealer: Sealer
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


SHARED = {Use.STAFF: ("staff", "email"), Use.RIGHTS: ("rights_request", "contact")}
"""Where addresses under a key of the instance's own stand: table and field."""


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
    rows, taken = _known(cursor, powers.sealer, terms, Ids([ask.row for ask in asks]), now, decisions, counts=counts)
    answers, capped, freed = Answers(day(now)), [], []
    cleared: list[tuple[int, int, Point]] = []
    # People who are alike share their facts, which `rows` keeps alive, and are judged once.
    judged: dict[int, Verdict] = {}
    for row, attempt in asks:
        point, known, own = rows[row]
        if counts and known.every_days and row not in taken:
            answers.later.append(row)
            continue
        answer = judged.get(id(known))
        if answer is None:
            answer = judged[id(known)] = verdict(known, terms.kind, now)
        if isinstance(answer, Clear) and point is not None:
            cleared.append((row, attempt + 1, point))
            if known.every_days:
                capped.append(row)
        else:
            answers.object(row, attempt + 1, answer)
            freed += [row] if own and isinstance(answer, Refuse) else []
    if counts:
        caps.count(cursor, capped, answers.day)
        caps.give_back(cursor, freed)
    _clear(powers, slice_id, cleared, begin_before, answers)
    write_decisions(cursor, terms, decisions, answers.cleared, answers.refused, now)
    return answers


def _known(cursor: Cursor[Any], sealer: Sealer, terms: CampaignTerms, ids: Ids, now: datetime, decisions: str, *,
           counts: bool) -> tuple[dict[int, Row], frozenset[int]]:
    """The facts of a slice and whose cap we hold. Few people have one: where somebody has, it is locked first and
    everything read again under the lock."""
    rows = facts(cursor, terms, ids, now, sealer, decisions=decisions)
    if not counts or not any(row.facts.every_days for row in rows.values()):
        return rows, frozenset()
    taken = caps.take(cursor, ids)
    return facts(cursor, terms, ids, now, sealer, decisions=decisions), taken


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
        if isinstance(answer, Clear) and found.lent is not None:
            answer = spend(ctx, found.lent, now)
        if isinstance(answer, Clear) and found.mailbox is not None:
            counted.append(found)
            answers.cleared.append(Clearance(
                slice_id, row.id, attempt, row.channel, _open(opener, found.mailbox), begin_before,
                text_only=found.mailbox.text_only, fields=_shown(opener, found.lent)))
        else:
            answers.object(row.id, attempt, answer)
    single_facts.count(ctx, counted, now)
    decided = [(each.row, each.attempt, None) for each in answers.cleared] + answers.refused
    if decided:
        ctx.db.execute(insert(SingleDecision), [
            {"single_id": row, "attempt": attempt, "cleared": reason is None, "reason": reason, "at": now}
            for row, attempt, reason in decided])
    return answers


def _clear(powers: Powers, slice_id: int, asked: Sequence[tuple[int, int, Point]], begin_before: float, answers: Answers
           ) -> None:
    """Open the addresses of those who said yes. One that does not open is refused, but never a whole slice.

    Raises: KeyProblem when none of them opens, as then the key file is the wrong one.
    """
    opened = reveal_many(powers.opener, [
        (point.person_id, point.wrapped, point.sealed, point.sealed_first_name) for _, _, point in asked])
    if asked and not any(opened):
        raise KeyProblem(why="no address of this slice opens with this key file")
    channel = powers.channel_slug
    for (row, attempt, point), plain in zip(asked, opened, strict=True):
        if plain is None:
            answers.refused.append(Refusal(row, attempt, Reason.NO_ADDRESS))
            continue
        fields = {"first name": plain[1]} if plain[1] else NO_FIELDS
        answers.cleared.append(Clearance(
            slice_id, row, attempt, channel, plain[0], begin_before, point.format == "text", fields))


def _shown(opener: Opener, friend: Lent | None) -> Mapping[str, str]:
    """What a friend's message shows of who asked for it, and nothing else of anybody."""
    if friend is None:
        return NO_FIELDS
    (key, address, name), (words_key, words), owner = friend.sender, friend.words, friend.reserved
    return {"sender": reveal(opener, wrapped=key, person_id=owner, sealed=address),
            "first_name": reveal_lent(opener, wrapped=key, reserved=owner, sealed=name, field="sender_name"),
            "words": reveal_lent(opener, wrapped=words_key, reserved=owner, sealed=words, field="words")
            if words else ""}


def _open(opener: Opener, mailbox: Mailbox) -> str:
    if mailbox.wrapped is None:
        table, field = SHARED[mailbox.use]
        return opener.open_shared(mailbox.use, mailbox.sealed, table=table, row=mailbox.owner, field=field).decode()
    return reveal(opener, wrapped=mailbox.wrapped, person_id=mailbox.owner, sealed=mailbox.sealed)
