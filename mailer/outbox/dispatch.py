"""The road of a campaign: claim, decide and commit; hand over; record. The only module that delivers.

A slice locks blocks of rows, asks the gate in statements of their own, writes the decisions with a clearance of one
second and commits; no connection is held while the provider is talked to (decisions 7, 10 and 13, engine guarantees).
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from time import monotonic, sleep
from typing import Any, cast

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from mailer.context import Context
from mailer.core.channel import Clearance, Fate, Journal, Links, Outcome, Parcel, Recipient
from mailer.core.errors import BehindExits, CannotSend, MailerError
from mailer.core.links import Link
from mailer.core.messages import MessageClass
from mailer.core.modes import Mode
from mailer.exits import fence
from mailer.gate.decide import Answers, Ask, Powers, decide_campaign, decide_singles
from mailer.organisation import live
from mailer.organisation import profile as organisation
from mailer.outbox import assignment, claim, counts, letters, reap, record, singles
from mailer.outbox.assignment import Assignment
from mailer.outbox.models import SingleMessage
from mailer.outbox.seat import Seat
from mailer.services import unit_of_work

log = logging.getLogger(__name__)

Cursor = psycopg.Cursor[tuple[Any, ...]]

BEGIN_WITHIN = 0.8
"""Seconds after the reading taken before a slice's transaction within which a hand-over may begin (decision 7)."""

SLICE_SECONDS = 0.1
SMALLEST, LARGEST = 10, 500
"""Rows a slice; its size follows the speed of the last one so that it is about 100 ms of work."""

A_TURN = 30.0
"""Seconds after which a turn ends and asks for the next (decision 9)."""

LOOK_AGAIN = 2.0
"""Seconds after which a turn asks anew what forbids sending as a whole: the fence, the mode, what Live lacks."""

RECORD_AGAIN = 0.5

PRACTICE_SECONDS = 12
"""A campaign in Practice takes about this long, so that it can be watched and paused."""


@dataclass
class _Pace:
    """Where this turn is and how large its next slice is."""

    after: int = 0
    rows: int = 50

    def learn(self, rows: int, seconds: float) -> None:
        if rows:
            self.rows = max(SMALLEST, min(LARGEST, round(rows * SLICE_SECONDS / max(seconds, 0.001))))


def take_turn(seat: Seat, campaign_id: int) -> bool:
    """Send slices of a campaign for about 30 seconds. True when work is left.

    Raises: BehindExits and CannotSend before anything is claimed when sending is refused as a whole.
    """
    task = _prepare(seat, campaign_id)
    pace, began = _Pace(), monotonic()
    looked, ends = began, began + A_TURN
    while monotonic() < ends and not seat.stopping() and not _is_too_late(seat, task):
        if monotonic() - looked > LOOK_AGAIN:
            task, looked = _prepare(seat, campaign_id), monotonic()
        with Session(seat.services.engine) as session:
            if not assignment.may_go_on(session, campaign_id):
                return False
        if not _one_slice(seat, task, pace):
            if pace.after == 0:
                return False
            pace.after = 0
    return True


def _is_too_late(seat: Seat, task: Assignment) -> bool:
    return task.not_after is not None and task.not_after < seat.services.clock.now()


def _prepare(seat: Seat, campaign_id: int) -> Assignment:
    with unit_of_work(seat.services) as ctx:
        mode = _may_send(seat, ctx, "email")
        task = assignment.load(ctx, campaign_id)
        if task.mode is not mode:
            raise CannotSend(lacks="mode")
    return task


def _may_send(seat: Seat, ctx: Context, channel: str) -> Mode:
    """The mode in force, in which a way out stands open. Raises: BehindExits, CannotSend."""
    services = seat.services
    state = fence.check(ctx.db.connection(), services.settings.data_dir / "exits", services.exits_log.host)
    if state.refuses:
        raise BehindExits(behind=state.behind, missing_hosts=len(state.missing_hosts))
    mode = organisation.current(ctx).mode
    if mode is Mode.LIVE and (lacks := live.lacking(ctx)):
        raise CannotSend(lacks=",".join(lacks))
    # Opened before anything is claimed: a row that no way stands open for is not decided over and over.
    seat.ways.out(channel, mode)
    return mode


def _one_slice(seat: Seat, task: Assignment, pace: _Pace) -> bool:
    """Claim, decide, hand over and record one slice. False when no block was found past the cursor."""
    started = monotonic()
    if task.mode is Mode.PRACTICE:
        pace.rows = _practice_rows(seat, task)
    with _claiming(seat), cursor_of(seat) as cursor:
        claimed = _claim(cursor, seat, task, pace, started + BEGIN_WITHIN)
    if claimed is None:
        return False
    slice_id, answers = claimed
    if answers.cleared:
        place = record.Place(task.terms.campaign_id, cast(date, task.month), slice_id, seat.worker)
        began = monotonic()
        hand_over(seat, task.terms.channel, task.mode, answers.cleared,
                  lambda clearance: _parcel(seat, task, clearance),
                  lambda cursor, outcomes: record.record(cursor, place, outcomes))
        pace.learn(len(answers.cleared), monotonic() - began)
    if task.mode is Mode.PRACTICE:
        sleep(SLICE_SECONDS)
    return True


def _claim(cursor: Cursor, seat: Seat, task: Assignment, pace: _Pace, begin_before: float
           ) -> tuple[int, Answers] | None:
    """Lock blocks and decide their rows; the slice's number and the answers, or None when there is nothing to lock."""
    month = cast(date, task.month)
    held = claim.lock(cursor, task.terms.campaign_id, month, pace.after, pace.rows)
    if held is None:
        return None
    pace.after = held.cursor
    slice_id = claim.open_slice(cursor, seat.worker, task.terms.campaign_id, month)
    # Before the commit, so that a crash between the two leaves no cleared row that no journal names.
    seat.journal.start_slice(slice_id, "campaign")
    seat.unanswered = slice_id
    powers = Powers(seat.services.opener, seat.services.clock, task.terms.channel, task.mode)
    asks = [Ask(row.contact_point_id, row.attempt) for row in held.rows]
    answers = decide_campaign(cursor, powers, task.terms, slice_id, asks, begin_before)
    claim.write(cursor, held, slice_id, seat.worker, cleared=[each.row for each in answers.cleared],
                refused=[(row, str(reason)) for row, _, reason in answers.refused],
                left=bool(answers.later or answers.waiting))
    return slice_id, answers


@contextmanager
def _claiming(seat: Seat) -> Iterator[None]:
    """When the database goes away while a slice is committed nobody knows whether it stands; nothing of it was begun,
    and no reaper would look for it while this process lives."""
    seat.unanswered = None
    try:
        yield
    except (SQLAlchemyError, psycopg.Error):
        if seat.unanswered is not None:
            slice_id = seat.unanswered
            _keep(seat, [], lambda cursor, _: reap.put_back(cursor, slice_id))
        raise


def hand_over(seat: Seat, channel: str, mode: Mode, cleared: Sequence[Clearance],
              pack: Callable[[Clearance], Parcel], keep: Callable[[Cursor, Sequence[Outcome]], None]) -> None:
    """Build, deliver and record one slice. Whatever breaks on the way, what was begun is never begun again."""
    watched = _Watched(seat.journal)
    outcomes: list[Outcome] = []
    try:
        parcels = []
        for clearance in cleared:
            try:
                parcels.append(pack(clearance))
            except MailerError as error:
                outcomes.append(Outcome(clearance.row, Fate.FAILED, error.code))
        if parcels:
            outcomes.extend(seat.ways.out(channel, mode).deliver(parcels, journal=watched, stopping=seat.stopping))
    finally:
        known = {each.row for each in outcomes}
        outcomes.extend(Outcome(each.row, Fate.UNCERTAIN if each.row in watched.begun else Fate.UNBEGUN)
                        for each in cleared if each.row not in known)
        _keep(seat, outcomes, keep)
        seat.journal.forget()


class _Watched:
    """The journal, and besides which rows were begun while this process lives."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.begun: set[int] = set()

    def begin(self, clearance: Clearance) -> None:
        self._journal.begin(clearance)
        self.begun.add(clearance.row)

    def end(self, clearance: Clearance, outcome: Outcome) -> None:
        self._journal.end(clearance, outcome)


def _keep(seat: Seat, outcomes: Sequence[Outcome], keep: Callable[[Cursor, Sequence[Outcome]], None]) -> None:
    """Record, however long the database takes to come back; if we are ended first, the journal has it all."""
    while True:
        try:
            with cursor_of(seat) as cursor:
                keep(cursor, outcomes)
        except (SQLAlchemyError, psycopg.Error):
            log.warning("record_waits", extra={"worker": seat.worker})
            if seat.stopping():
                raise
            sleep(RECORD_AGAIN)
        else:
            return


def _parcel(seat: Seat, task: Assignment, clearance: Clearance) -> Parcel:
    recipient = _recipient(seat, task, clearance)
    body = seat.program(task.terms.channel, task.copy).build(recipient)
    return Parcel(clearance, recipient.envelope_sender, body, task.terms.campaign_id)


def _recipient(seat: Seat, task: Assignment, clearance: Clearance) -> Recipient:
    sign, person, campaign = seat.services.signer.sign, clearance.row, task.terms.campaign_id
    base = task.public_url
    return Recipient(
        address=clearance.address, text_only=clearance.text_only, fields=clearance.fields,
        date=seat.services.clock.now(),
        message_id=f"<{sign(Link.MESSAGE_ID, person, campaign)}@{task.domain}>",
        envelope_sender=task.copy.sender.address,
        links=Links(
            leave=f"{base}/u/{sign(Link.LEAVE, person, campaign)}",
            one_click=f"{base}/one-click/{sign(Link.ONE_CLICK, person, campaign)}",
            preferences=f"{base}/p/{sign(Link.PREFERENCES, person, campaign)}",
            why=f"{base}/why/{sign(Link.WHY, person, campaign)}"))


def _practice_rows(seat: Seat, task: Assignment) -> int:
    """So many rows a slice that a campaign in Practice takes about twelve seconds."""
    with unit_of_work(seat.services) as ctx:
        planned = counts.sums(ctx, task.terms.campaign_id).planned
    return max(2, round(planned * SLICE_SECONDS / PRACTICE_SECONDS))


@contextmanager
def cursor_of(seat: Seat) -> Iterator[Cursor]:
    """One transaction on a plain driver connection: no objects, no per-row statements on this road."""
    connection = seat.services.engine.raw_connection()
    try:
        driver = cast(psycopg.Connection[tuple[Any, ...]], connection.driver_connection)
        with driver.cursor() as cursor:
            yield cursor
        connection.commit()
    finally:
        connection.close()


def send_singles(seat: Seat) -> bool:
    """Send a few single messages. False when none was due."""
    services = seat.services
    started = monotonic()
    with _claiming(seat), unit_of_work(services) as ctx:
        mode = _may_send(seat, ctx, "email")
        claimed = singles.claim(ctx, seat.worker)
        if claimed is None:
            return False
        seat.journal.start_slice(claimed.slice_id, "single")
        seat.unanswered = claimed.slice_id
        answers = decide_singles(ctx, services.opener, claimed.slice_id, claimed.rows, started + BEGIN_WITHIN)
        singles.hand(claimed.rows, claimed.slice_id, {each.row for each in answers.cleared},
                     {row: str(reason) for row, _, reason in answers.refused},
                     {row: until - ctx.clock.now() for row, until in answers.waiting})
    packed = {single.id: single for single in claimed.rows}
    hand_over(seat, "email", mode, answers.cleared,
              lambda clearance: _letter(seat, packed[clearance.row], clearance),
              lambda cursor, outcomes: singles.record(cursor, claimed.slice_id, outcomes))
    return True


def _letter(seat: Seat, single: SingleMessage, clearance: Clearance) -> Parcel:
    services = seat.services
    channel = services.channels[single.channel]
    detail = singles.detail_of(services.opener, single)
    with unit_of_work(services) as ctx:
        if single.kind == MessageClass.TEST and single.campaign_id:
            copy = replace(assignment.load(ctx, single.campaign_id).copy, subject_prefix="[Test] ")
            recipient = letters.as_test_person(ctx, copy, clearance, single, detail)
            return Parcel(clearance, recipient.envelope_sender, channel.compile(copy).build(recipient))
        letter = letters.write(ctx, single, clearance, detail)
    return Parcel(clearance, letter.sender.address, channel.compose(letter))
