"""Transports that keep messages instead of sending them."""

from collections.abc import Callable, Iterator, Sequence
from time import monotonic

from sqlalchemy import Engine, insert, select, text
from sqlalchemy.orm import Session

from mailer.core.channel import Fate, Journal, Outcome, Parcel
from mailer.core.clock import Clock
from mailer.core.vault import Sealer, Use
from mailer.core.wire import Transport
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

    def deliver(self, parcels: Sequence[Parcel], *, journal: Journal, stopping: Callable[[], bool]
                ) -> Iterator[Outcome]:
        """Keep all parcels still in time, in one transaction; UNBEGUN for the rest."""
        now = monotonic()
        kept = [] if stopping() else [each for each in parcels if each.clearance.begin_before >= now]
        if kept:
            for parcel in kept:
                journal.begin(parcel.clearance)
            self._keep(kept)
        done = {parcel.clearance.row for parcel in kept}
        for parcel in parcels:
            row = parcel.clearance.row
            outcome = Outcome(row, Fate.ACCEPTED, CODE) if row in done else Outcome(row, Fate.UNBEGUN)
            if row in done:
                journal.end(parcel.clearance, outcome)
            yield outcome

    def close(self) -> None:
        return None

    def _keep(self, parcels: Sequence[Parcel]) -> None:
        at = self._clock.now()
        with Session(self._engine) as session, session.begin():
            for parcel in parcels:
                session.execute(insert(PracticeItem).values(
                    at=at, channel=self._channel, size=len(parcel.body), seen=False, campaign_id=parcel.campaign_id,
                    single_id=None if parcel.campaign_id else parcel.clearance.row,
                    sealed_to=self._seal(parcel.clearance.address.encode(), "to"),
                    sealed_body=self._seal(parcel.body, "body")))
            newest = session.scalar(select(PracticeItem.id).order_by(PracticeItem.id.desc()).limit(1))
            session.execute(text("DELETE FROM practice_item WHERE id <= :id"), {"id": (newest or 0) - KEPT})

    def _seal(self, plain: bytes, field: str) -> bytes:
        return self._sealer.seal_shared(Use.OUTBOX, plain, table="practice_item", row=0, field=field)


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

    def deliver(self, parcels: Sequence[Parcel], *, journal: Journal, stopping: Callable[[], bool]
                ) -> Iterator[Outcome]:
        """One outcome a parcel; which way it went shows in the code (`practice` or the server's)."""
        team = self._take_places([each for each in parcels if self._is_team(each)])
        chosen = {id(parcel) for parcel in team}
        yield from self._real.deliver(team, journal=journal, stopping=stopping)
        yield from self._practice.deliver([each for each in parcels if id(each) not in chosen],
                                          journal=journal, stopping=stopping)

    def close(self) -> None:
        self._real.close()

    def _is_team(self, parcel: Parcel) -> bool:
        """A proven mailbox of the team, or mail that is about working here: by it a mailbox is proven."""
        prints = self._sealer.fingerprints("staff", parcel.clearance.address.lower())
        single = None if parcel.campaign_id else parcel.clearance.row
        with self._engine.connect() as connection:
            return bool(connection.scalar(text("""
                SELECT EXISTS (SELECT FROM staff WHERE email_fingerprint = ANY(:prints) AND email_verified
                               AND state = 'active')
                    OR EXISTS (SELECT FROM single_message WHERE id = :single
                               AND class IN ('staff', 'staff_invitation'))"""), {"prints": prints, "single": single}))

    def _take_places(self, parcels: list[Parcel]) -> list[Parcel]:
        """Those of today's places that are still free, taken before anything is sent."""
        taken: list[Parcel] = []
        bucket = self._sealer.bucket("trial", "day")
        for parcel in parcels:
            with self._engine.begin() as connection:
                count = connection.scalar(text("""
                    INSERT INTO limit_count (bucket, kind, day, n, last_at)
                    VALUES (:bucket, 'trial', :day, 1, :now)
                    ON CONFLICT (bucket, kind, day) DO UPDATE SET n = limit_count.n + 1, last_at = :now
                    RETURNING n"""), {"bucket": bucket, "day": self._clock.now().date(), "now": self._clock.now()})
            if count is not None and count <= self.A_DAY:
                taken.append(parcel)
        return taken
