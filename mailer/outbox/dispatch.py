"""The road of a campaign: claim, decide and commit; hand over; record. Only here messages are claimed for the wire.

A slice locks blocks of rows, asks the gate in statements of their own, writes the decisions with a clearance of one
second and commits. While the wire hands one slice over the next is claimed, and what ended is recorded set-wise: one
thread does it all, as waiting for the database drives the wire (decisions 7 to 13).
"""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import NamedTuple

import psycopg

from mailer.core.channel import Fate, Outcome
from mailer.core.errors import BehindExits, CannotSend, MailerError
from mailer.core.modes import Mode
from mailer.core.wire import Wire
from mailer.gate.decide import Answers, Ask, Powers, decide_campaign
from mailer.outbox import assignment, claim, counts, pack, reap
from mailer.outbox.assignment import Assignment
from mailer.outbox.journal import FileJournal
from mailer.outbox.lanes_open import LanesOpen
from mailer.outbox.permission import BEGIN_WITHIN, may_send
from mailer.outbox.record import Place
from mailer.outbox.road import Cursor, transaction
from mailer.outbox.seat import Seat
from mailer.outbox.slices import InHand
from mailer.outbox.speed import Speed
from mailer.services import unit_of_work

A_TURN = 30.0
"""Seconds after which a turn ends and asks for the next (decision 9)."""

LOOK_AGAIN = 2.0
"""Seconds after which a turn asks anew what forbids sending as a whole: the fence, the mode, what Live lacks."""

REST = 0.05
"""Seconds at most for which a turn waits for the wire before it looks around."""

PATIENCE = 0.02
"""Seconds before asking again when nothing could be claimed while planning or other slices go on."""

DRAINS_WITHIN = 1.0
"""Seconds for which a turn whose time is over waits for answers before it goes on instead."""

HOLD_BACK = 0.5
"""Seconds before claiming again when nothing of what was claimed could be begun."""

HELD_UP = 1.5
"""Seconds for which a turn waits for limits, or for servers that are left alone; then the ticker asks for the next."""


OnPause = Callable[[str], None]


class Rest(NamedTuple):
    """How a turn ended: whether work is left, and why the campaign should pause by itself (decision 31)."""

    more: bool
    pause: str = ""


def take_turn(seat: Seat, campaign_id: int, on_pause: OnPause | None = None) -> Rest:
    """Send slices of a campaign for about 30 seconds. `on_pause` is told at once why the campaign should pause.

    Raises: BehindExits and CannotSend when sending is refused as a whole; what was claimed goes back first.
    MailerError when its messages cannot be built; then nothing is claimed.
    """
    task = prepare(seat, campaign_id)
    pack.batch(seat, task)
    hands = None
    try:
        with seat.ways.wire(task.terms.channel, task.mode) as wire:
            hands = InHand(seat, wire)
            return _Turn(seat, task, wire, hands, on_pause).run()
    except BaseException:
        # By now the wire has ended what was under way.
        if hands is not None:
            hands.leave()
        raise


def prepare(seat: Seat, campaign_id: int) -> Assignment:
    """Everything a turn needs to know of its campaign. Raises: BehindExits, CannotSend."""
    with unit_of_work(seat.services) as ctx:
        mode = may_send(seat, ctx, "email")
        task = assignment.load(ctx, campaign_id)
        if task.mode is not mode:
            raise CannotSend(lacks="mode")
    return task


def _speed(seat: Seat, task: Assignment) -> Speed:
    if task.mode is not Mode.PRACTICE:
        return Speed()
    with unit_of_work(seat.services) as ctx:
        return Speed.to_be_watched(counts.sums(ctx, task.terms.campaign_id).planned)


class _Turn:
    """One campaign, one wire, one connection: claims ahead of the wire, records behind it."""

    def __init__(self, seat: Seat, task: Assignment, wire: Wire, hands: InHand, on_pause: OnPause | None) -> None:
        self._seat, self._task, self._wire, self._hands = seat, task, wire, hands
        self._lanes = LanesOpen(seat.services.pace, task)
        self._speed = _speed(seat, task)
        self._watch = seat.ways.watches.of(task.terms.campaign_id, task.version)
        self._on_pause, self._pause = on_pause, ""
        self._looked = monotonic()
        self._ends = self._looked + A_TURN
        self._claim_at = 0.0
        self._idle_since = self._looked
        self._is_done = False
        self._refusal: MailerError | None = None

    def run(self) -> Rest:
        """Until the time is over, nothing is left, or something forbids going on."""
        while True:
            closing = self._is_closing()
            if closing:
                self._wire.recall()
            elif self._is_hungry():
                self._claim()
            came = self._hands.serve(0.0 if not closing and self._is_hungry() else REST)
            self._learn(came)
            if not self._wire.under_way and (closing or self._is_done):
                break
        self._hands.make_safe()
        if self._refusal is not None:
            raise self._refusal
        return Rest(not self._is_done, self._pause)

    def _learn(self, came: Sequence[Outcome]) -> None:
        if self._hands.has_heard():
            self._speed.be_gentle()
        begun = sum(each.fate is not Fate.UNBEGUN for each in came)
        self._speed.learn(begun)
        if came and not begun:
            # All connections are busy with what they have.
            self._claim_at = monotonic() + HOLD_BACK
        self._watch_for_failures(came)

    def _watch_for_failures(self, outcomes: Sequence[Outcome]) -> None:
        if not self._pause and (why := self._watch.add(outcomes)):
            self._pause = why
            if self._on_pause is not None:
                self._on_pause(why)

    def _is_closing(self) -> bool:
        now = monotonic()
        if now - self._looked > LOOK_AGAIN and self._refusal is None:
            self._looked = now
            try:
                self._task = prepare(self._seat, self._task.terms.campaign_id)
            except (BehindExits, CannotSend) as refusal:
                self._refusal = refusal
        late = self._task.not_after is not None and self._task.not_after < self._seat.services.clock.now()
        must = bool(late or self._refusal or self._pause or self._seat.stopping())
        if not must and now > self._ends + DRAINS_WITHIN:
            # One server is slow to answer; nobody else should wait for it.
            self._ends = now + A_TURN
        return must or now > self._ends

    def _is_hungry(self) -> bool:
        """The next slice is claimed while the last is still to be begun, so that the wire is never without work."""
        unbegun = self._wire.unbegun
        return (not self._is_done and unbegun <= self._speed.appetite and monotonic() >= self._claim_at
                and not (unbegun and self._hands.is_awaited))

    def _claim(self) -> None:
        """One slice more. The turn is done when no lane has any and none is to come."""
        held_up = False
        for lane in self._lanes.in_turn():
            granted = self._granted(lane)
            if granted and self._claim_from(lane, granted):
                self._claim_at = self._idle_since = monotonic()
                self._claim_at += self._speed.between
                return
            held_up = held_up or not granted
        if self._lanes.all_looked_through():
            now = monotonic()
            self._claim_at = now + PATIENCE
            more = self._wire.under_way or self._more_is_planned() or (held_up and now - self._idle_since < HELD_UP)
            self._is_done = not more

    def _more_is_planned(self) -> bool:
        row = self._hands.ask(lambda cursor: cursor.execute(
            "SELECT state = 'sending' AND NOT stopping AND NOT planning_done FROM campaign WHERE id = %s",
            (self._task.terms.campaign_id,)).fetchone())
        return bool(row and row[0])

    def _granted(self, lane: int | None) -> int:
        """How many rows of a lane may be handed over about now (None: all lanes without a limit of their own)."""
        wanted = self._wire.room(self._speed.rows)
        return self._lanes.grant(lane, wanted) if wanted else 0

    def _claim_from(self, lane: int | None, granted: int) -> bool:
        """Claim at most so many rows of a lane; False when there were no blocks to lock."""
        cleared = self._claim_rows(lane, granted)
        if granted > (cleared or 0):
            self._lanes.restore(lane, granted - (cleared or 0))
        return cleared is not None

    def _claim_rows(self, lane: int | None, rows: int) -> int | None:
        """Claim and decide one slice and hand what was cleared to the wire; how many, None without blocks to lock."""
        begin_before = monotonic() + BEGIN_WITHIN
        journal = self._seat.take_journal()
        slice_id = 0
        try:
            with transaction(self._hands.road()) as cursor:
                held = self._lock(cursor, lane, rows)
                if held is not None:
                    slice_id = claim.open_slice(cursor, self._seat.worker, held.campaign_id, held.month)
                    # Before the commit, so that a crash between the two leaves no cleared row that no journal names.
                    journal.start_slice(slice_id, "campaign")
                    answers = self._decide(cursor, held, slice_id, begin_before)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            self._put_back(slice_id, journal)
            return 0
        except BaseException:
            journal.close()
            raise
        if held is None:
            self._seat.free_journal(journal)
            return None
        self._lanes.went_on(lane, held.cursor)
        self._hands.are_safe()
        self._hand_over(slice_id, journal, answers)
        return len(answers.cleared)

    def _lock(self, cursor: Cursor, lane: int | None, rows: int) -> claim.Held | None:
        terms = self._task.terms
        return claim.lock(cursor, terms.campaign_id, terms.month, self._lanes.after(lane), rows,
                          but=self._lanes.limited, lane=lane)

    def _decide(self, cursor: Cursor, held: claim.Held, slice_id: int, begin_before: float) -> Answers:
        seat, task = self._seat, self._task
        powers = Powers(seat.services.opener, seat.services.sealer, seat.services.clock, task.terms.channel, task.mode)
        asks = [Ask(row.contact_point_id, row.attempt) for row in held.rows]
        answers = decide_campaign(cursor, powers, task.terms, slice_id, asks, begin_before)
        claim.write(cursor, held, slice_id, seat.worker, cleared=[each.row for each in answers.cleared],
                    refused=[(row, str(reason)) for row, _, reason in answers.refused],
                    left=bool(answers.later or answers.waiting))
        return answers

    def _hand_over(self, slice_id: int, journal: FileJournal, answers: Answers) -> None:
        if not answers.cleared:
            self._seat.free_journal(journal)
            return
        task = self._task
        place = Place(task.terms.campaign_id, task.terms.month, slice_id, self._seat.worker)
        try:
            parcels, failed = pack.parcels(self._seat, task, answers.cleared)
        except BaseException:
            # Let go, so that the reaper finds it and puts back what was not begun.
            journal.close()
            raise
        self._watch_for_failures(failed)
        self._hands.take(place, journal, failed, (each.row for each in answers.cleared))
        self._wire.deliver(parcels, journal)

    def _put_back(self, slice_id: int, journal: FileJournal) -> None:
        """The database went away: nobody knows whether the slice stands. Nothing of it was begun, and nobody else
        would look for it while this process lives."""
        self._hands.fell_over()

        def back(cursor: Cursor) -> None:
            with cursor.connection.transaction():
                reap.put_back(cursor, slice_id)

        self._hands.ask(back)
        self._seat.free_journal(journal)
