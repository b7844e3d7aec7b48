"""Transports that keep messages instead of sending them."""

import select
from collections.abc import Collection, Sequence
from time import monotonic

from sqlalchemy import Engine, insert, text
from sqlalchemy import select as select_rows
from sqlalchemy.orm import Session

from mailer.core.channel import Fate, Journal, Outcome, Parcel
from mailer.core.clock import Clock
from mailer.core.vault import Sealer, Use
from mailer.core.wire import Settled, Transport, Wire
from mailer.practice.models import PracticeItem

KEPT = 2000
"""Messages the Outbox holds; the oldest make room."""

CODE = "practice"


class PracticeTransport:
    """Puts each message into the Outbox, sealed; nothing leaves this computer."""

    def __init__(self, engine: Engine, clock: Clock, sealer: Sealer, channel: str) -> None:
        self._engine = engine
        self._clock = clock
        self._sealer = sealer
        self._channel = channel

    def wire(self) -> "PracticeWire":
        """A wire into the Outbox."""
        return PracticeWire(self)

    def close(self) -> None:
        return None

    def keep(self, parcels: Sequence[Parcel]) -> None:
        """Put messages into the Outbox, in a transaction of its own."""
        at = self._clock.now()
        with Session(self._engine) as session, session.begin():
            for parcel in parcels:
                session.execute(insert(PracticeItem).values(
                    at=at, channel=self._channel, size=len(parcel.body), seen=False, campaign_id=parcel.campaign_id,
                    single_id=None if parcel.campaign_id else parcel.clearance.row,
                    contact_point_id=parcel.clearance.row if parcel.campaign_id else None,
                    sealed_to=self._seal(parcel.clearance.address.encode(), "to"),
                    sealed_body=self._seal(parcel.body, "body")))
            newest = session.scalar(select_rows(PracticeItem.id).order_by(PracticeItem.id.desc()).limit(1))
            session.execute(text("DELETE FROM practice_item WHERE id <= :id"), {"id": (newest or 0) - KEPT})

    def _seal(self, plain: bytes, field: str) -> bytes:
        return self._sealer.seal_shared(Use.OUTBOX, plain, table="practice_item", row=0, field=field)


class PracticeWire:
    """Implements `Wire`: each turn keeps all that is queued and still in time, in one transaction."""

    def __init__(self, transport: PracticeTransport) -> None:
        self._transport = transport
        self._queue: list[tuple[Parcel, Journal]] = []
        self._settled: list[Settled] = []

    @property
    def unbegun(self) -> int:
        return len(self._queue)

    @property
    def under_way(self) -> int:
        return len(self._queue)

    def room(self, wanted: int, *, urgent: bool = False) -> int:
        """As many as wanted: the Outbox has no limit but what it holds."""
        return wanted

    def deliver(self, parcels: Sequence[Parcel], journal: Journal) -> None:
        """Queue parcels for the next turn."""
        self._queue.extend((parcel, journal) for parcel in parcels)

    def turn(self, seconds: float, file: int = -1, events: int = 0) -> int:
        """Keep what is queued, then wait for `file` where one is given."""
        began = self._begin()
        if began:
            self._transport.keep([parcel for parcel, _ in began])
        for parcel, journal in began:
            outcome = Outcome(parcel.clearance.row, Fate.ACCEPTED, CODE)
            journal.end(parcel.clearance, outcome)
            self._settled.append(Settled(parcel.clearance, outcome))
        return wait_for(file, events, 0 if self._settled else seconds)

    def settled(self) -> list[Settled]:
        """What has ended since last asked."""
        found, self._settled = self._settled, []
        return found

    def recall(self) -> None:
        """Keep nothing more of what is queued."""
        while self._queue:
            self._leave(self._queue.pop(0)[0])

    def call_back(self, rows: Collection[int]) -> None:
        """Keep none of these that is still queued."""
        queued, self._queue = self._queue, []
        for entry in queued:
            if entry[0].clearance.row in rows:
                self._leave(entry[0])
            else:
                self._queue.append(entry)

    def close(self) -> None:
        """Nothing is on its way between turns."""
        self.recall()

    def _begin(self) -> list[tuple[Parcel, Journal]]:
        """Those still in time, their begin written down."""
        queued, self._queue = self._queue, []
        now, began = monotonic(), []
        for parcel, journal in queued:
            if now >= parcel.clearance.begin_before:
                self._leave(parcel)
                continue
            try:
                journal.begin(parcel.clearance)
            except OSError:
                self._leave(parcel, "journal", operator=True)
            else:
                began.append((parcel, journal))
        return began

    def _leave(self, parcel: Parcel, code: str = "", *, operator: bool = False) -> None:
        outcome = Outcome(parcel.clearance.row, Fate.UNBEGUN, code, operator)
        self._settled.append(Settled(parcel.clearance, outcome))


class TrialTransport:
    """Sends to verified team addresses for real, at most 50 a day, and keeps everything else in the Outbox."""

    A_DAY = 50

    def __init__(self, real: Transport, practice: PracticeTransport, engine: Engine, clock: Clock, sealer: Sealer
                 ) -> None:
        self._real = real
        self._practice = practice
        self._engine = engine
        self._clock = clock
        self._sealer = sealer

    def wire(self) -> "TrialWire":
        """A wire of two: which way a message went shows in the code (`practice` or the server's)."""
        return TrialWire(self, self._real.wire(), self._practice.wire())

    def close(self) -> None:
        self._real.close()

    def for_real(self, parcels: Sequence[Parcel]) -> set[int]:
        """Which of these, by their place, are sent for real; today's places are taken before anything is sent."""
        taken: set[int] = set()
        bucket = self._sealer.bucket("trial", "day")
        for place, parcel in enumerate(parcels):
            if not self._is_team(parcel):
                continue
            with self._engine.begin() as connection:
                count = connection.scalar(text("""
                    INSERT INTO limit_count (bucket, kind, day, n, last_at)
                    VALUES (:bucket, 'trial', :day, 1, :now)
                    ON CONFLICT (bucket, kind, day) DO UPDATE SET n = limit_count.n + 1, last_at = :now
                    RETURNING n"""), {"bucket": bucket, "day": self._clock.now().date(), "now": self._clock.now()})
            if count is not None and count <= self.A_DAY:
                taken.add(place)
        return taken

    def _is_team(self, parcel: Parcel) -> bool:
        """A proven mailbox of the team, or mail that is about working here: by it a mailbox is proven."""
        prints = self._sealer.fingerprints("staff", parcel.clearance.address.lower())
        single = None if parcel.campaign_id else parcel.clearance.row
        with self._engine.connect() as connection:
            return bool(connection.scalar(text("""
                SELECT EXISTS (SELECT FROM staff WHERE email_fingerprint = ANY(:prints) AND email_verified
                               AND state = 'active')
                    OR EXISTS (SELECT FROM single_message WHERE id = :single
                               AND class IN ('staff', 'staff_invitation') AND staff_id IS NOT NULL)"""),
                {"prints": prints, "single": single}))


class TrialWire:
    """Implements `Wire` over a real one and one into the Outbox."""

    def __init__(self, transport: TrialTransport, real: Wire, practice: PracticeWire) -> None:
        self._transport = transport
        self._real = real
        self._practice = practice

    @property
    def unbegun(self) -> int:
        return self._real.unbegun + self._practice.unbegun

    @property
    def under_way(self) -> int:
        return self._real.under_way + self._practice.under_way

    def room(self, wanted: int, *, urgent: bool = False) -> int:
        """What the real one has room for: any of these may be for the team."""
        return self._real.room(wanted, urgent=urgent)

    def deliver(self, parcels: Sequence[Parcel], journal: Journal) -> None:
        """Queue each parcel where it belongs."""
        real = self._transport.for_real(parcels)
        self._real.deliver([each for place, each in enumerate(parcels) if place in real], journal)
        self._practice.deliver([each for place, each in enumerate(parcels) if place not in real], journal)

    def turn(self, seconds: float, file: int = -1, events: int = 0) -> int:
        """Keep what is queued for the Outbox, then move the real connections."""
        kept = self._practice.under_way
        if kept:
            self._practice.turn(0)
        return self._real.turn(0 if kept else seconds, file, events)

    def settled(self) -> list[Settled]:
        """What has ended since last asked, on either way."""
        return self._practice.settled() + self._real.settled()

    def recall(self) -> None:
        """Begin nothing more of what is queued."""
        self._practice.recall()
        self._real.recall()

    def call_back(self, rows: Collection[int]) -> None:
        """Begin none of these rows on either way."""
        self._practice.call_back(rows)
        self._real.call_back(rows)

    def close(self) -> None:
        """Say goodbye to the real provider."""
        self._practice.close()
        self._real.close()


def wait_for(file: int, events: int, seconds: float) -> int:
    """Those of `events` that are true of a descriptor within so many seconds."""
    poll = select.poll()
    if file >= 0:
        poll.register(file, events)
    ready = poll.poll(seconds * 1000)
    return ready[0][1] if ready else 0
