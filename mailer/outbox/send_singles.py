"""The road of single messages: a few at a time, each written for its occasion. The only other module that delivers."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic, sleep

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from mailer.core.channel import Clearance, Fate, Outcome, Parcel
from mailer.core.errors import MailerError
from mailer.core.messages import MessageClass
from mailer.core.modes import Mode
from mailer.core.wire import Wire
from mailer.gate.decide import Answers, decide_singles
from mailer.outbox import assignment, letters, reap, singles
from mailer.outbox.journal import FileJournal
from mailer.outbox.models import SingleMessage
from mailer.outbox.permission import BEGIN_WITHIN, may_send
from mailer.outbox.road import Cursor
from mailer.outbox.seat import Seat
from mailer.outbox.singles import Claimed
from mailer.services import unit_of_work

log = logging.getLogger(__name__)

RECORD_AGAIN = 0.5
REST = 0.1


def send_singles(seat: Seat) -> bool:
    """Send a few single messages. False when none was due, or none could go now. Raises: BehindExits, CannotSend."""
    with unit_of_work(seat.services) as ctx:
        mode, due = may_send(seat, ctx, "email"), singles.due(ctx)
    if not due:
        return False
    with seat.ways.wire("email", mode) as wire:
        # What cannot go now is not claimed: every claim is an attempt.
        most = wire.room(due, urgent=True)
        return most > 0 and _send(seat, wire, mode, most)


def _send(seat: Seat, wire: Wire, mode: Mode, most: int) -> bool:
    journal = seat.take_journal()
    try:
        claimed = _claim(seat, journal, mode, most)
        if claimed is not None:
            _hand_over(seat, wire, journal, *claimed)
    except BaseException:
        # What it holds is the reaper's to settle.
        journal.close()
        raise
    seat.free_journal(journal)
    return claimed is not None


def _claim(seat: Seat, journal: FileJournal, mode: Mode, most: int) -> tuple[Claimed, Answers] | None:
    started, services = monotonic(), seat.services
    slice_id = 0
    try:
        with unit_of_work(services) as ctx:
            claimed = singles.claim(ctx, seat.worker, most) if may_send(seat, ctx, "email") is mode else None
            if claimed is None:
                return None
            slice_id = claimed.slice_id
            journal.start_slice(slice_id, "single")
            answers = decide_singles(ctx, services.opener, slice_id, claimed.rows, started + BEGIN_WITHIN)
            singles.hand(claimed.rows, slice_id, {each.row for each in answers.cleared},
                         {row: str(reason) for row, _, reason in answers.refused},
                         {row: until - ctx.clock.now() for row, until in answers.waiting})
            singles.forget_lent(ctx, claimed.rows)
    except (SQLAlchemyError, psycopg.Error):
        # Nobody knows whether the slice stands; nothing of it was begun.
        if slice_id:
            _patiently(seat, lambda cursor: reap.put_back(cursor, slice_id))
        raise
    return claimed, answers


def _hand_over(seat: Seat, wire: Wire, journal: FileJournal, claimed: Claimed, answers: Answers) -> None:
    """Write, deliver and record; a letter that cannot be written fails alone."""
    rows = {single.id: single for single in claimed.rows}
    parcels, outcomes = [], []
    for clearance in answers.cleared:
        try:
            parcels.append(_letter(seat, rows[clearance.row], clearance))
        except MailerError as error:
            outcomes.append(Outcome(clearance.row, Fate.FAILED, error.code))
    wire.deliver(parcels, journal)
    while wire.under_way:
        if seat.stopping():
            wire.recall()
        wire.turn(REST)
    outcomes += [outcome for _, outcome in wire.settled()]
    _record(seat, claimed.slice_id, outcomes)


def _record(seat: Seat, slice_id: int, outcomes: Sequence[Outcome]) -> None:
    _patiently(seat, lambda cursor: singles.record(cursor, slice_id, outcomes))


def _patiently(seat: Seat, work: Callable[[Cursor], None]) -> None:
    """Write down, however long the database takes to come back; if we are ended first, the journal has it all."""
    while True:
        try:
            with seat.road().transaction(), seat.road().cursor() as cursor:
                work(cursor)
        except psycopg.Error:
            log.warning("record_waits", extra={"worker": seat.worker})
            if seat.stopping():
                raise
            sleep(RECORD_AGAIN)
        else:
            return


def _letter(seat: Seat, single: SingleMessage, clearance: Clearance) -> Parcel:
    services = seat.services
    channel = services.channels[single.channel]
    detail = singles.detail_of(services.opener, single)
    with unit_of_work(services) as ctx:
        if single.kind == MessageClass.TEST and single.campaign_id:
            copy = replace(assignment.load(ctx, single.campaign_id).copy, subject_prefix="[Test] ")
            recipient = letters.as_test_person(ctx, copy, clearance, single, detail)
            sender, body = recipient.envelope_sender, channel.compile(copy).build(recipient)
        else:
            letter = letters.write(ctx, single, clearance, detail)
            sender, body = letter.sender.address, channel.compose(letter)
    signer = services.mail_signers.of(sender)
    return Parcel(clearance, sender, signer.sign(body) + body if signer else body, tidy=True)
