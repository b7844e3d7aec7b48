"""A Live instance on loopback: made-up people, campaigns, worker seats, and a mail server that misbehaves on demand."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import psycopg
from sqlalchemy import text

from mailer.audience.models import ContactPoint
from mailer.campaigns import compose, control, launch, schedule, status
from mailer.campaigns.status import Status
from mailer.channels.email.signon import Timeouts
from mailer.channels.email.transport import open_transport
from mailer.consent import ledger
from mailer.consent.ledger import Evidence
from mailer.context import Context
from mailer.core.channel import Journal, Parcel
from mailer.core.messages import CampaignState, Purpose
from mailer.core.modes import Mode
from mailer.core.wire import Transport, Wire
from mailer.lists import catalogue
from mailer.outbox import dispatch, reap, send_singles
from mailer.outbox.seat import Seat, Ways, journal_folder
from mailer.services import Services, unit_of_work
from mailer.subscriptions import seed
from mailer.subscriptions.leave import leave
from tests.fakes.smtp_server import SmtpServer
from workers import ticker

SHORT = Timeouts(banner=0.4, command=0.4, data=0.4, block=0.4, dot=0.4, quit=0.4)
CONNECTIONS = 4
HOST_IS_GONE = timedelta(minutes=3)
ENOUGH_TURNS = 50


@dataclass(frozen=True)
class Row:
    """A message as the database holds it."""

    state: str
    code: str | None
    attempt: int
    slice: int


class Board:
    """Remembers which servers are to be left alone until the test says that time has passed."""

    def __init__(self) -> None:
        self.resting: set[str] = set()

    def held(self) -> frozenset[str]:
        return frozenset(self.resting)

    def report(self, server: str, code: str) -> None:
        self.resting.add(server)

    def clear(self, server: str) -> None:
        """Nothing is counted here."""


class OneServer:
    """Opens real SMTP to the world's server; `between` runs after the claim and before anything is handed over."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.board = Board()
        self.between: Callable[[], object] | None = None

    def open(self, channel: str, mode: Mode) -> Transport:
        return _Interrupted(self, open_transport(self.url, connections=CONNECTIONS, host_name="localhost",
                                                 timeouts=SHORT, board=self.board))


class _Interrupted:
    def __init__(self, way: OneServer, real: Transport) -> None:
        self._way, self._real = way, real

    def wire(self) -> Wire:
        return cast(Wire, _InterruptedWire(self._way, self._real.wire()))

    def close(self) -> None:
        self._real.close()


class _InterruptedWire:
    def __init__(self, way: OneServer, real: Wire) -> None:
        self._way, self._real = way, real

    def deliver(self, parcels: Sequence[Parcel], journal: Journal) -> None:
        between, self._way.between = self._way.between, None
        if between is not None:
            between()
        self._real.deliver(parcels, journal)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def live(services: Services, url: str) -> Services:
    """The same instance in Live, sending to a mail server on this machine."""
    settings = replace(services.settings, mode=Mode.LIVE, smtp_url=url, public_url="http://localhost:8000",
                       mail_from="news@example.org")
    return replace(services, settings=settings, transports=OneServer(url))


class Sending:
    """What the tests of sending do and look at; every road is the product's own."""

    def __init__(self, services: Services, server: SmtpServer) -> None:
        self.server = server
        self.services = live(services, server.url)
        self.way = cast(OneServer, self.services.transports)
        self.ways = Ways(self.services)

    @contextmanager
    def unit(self) -> Iterator[Context]:
        with unit_of_work(self.services) as ctx:
            yield ctx

    def people(self, number: int, list_name: str = "everybody") -> list[int]:
        """So many more made-up people who confirmed; their contact points."""
        with self.unit() as ctx:
            first = ctx.db.scalar(text("SELECT coalesce(max(id), 0) FROM contact_point"))
            for _ in seed.seed(ctx, number, list_name):
                continue
            return list(ctx.db.scalars(text("SELECT id FROM contact_point WHERE id > :first ORDER BY id"),
                                       {"first": first}))

    def campaign(self, list_name: str = "everybody", subject: str = "Words for you") -> int:
        """A campaign that may start at once."""
        with self.unit() as ctx:
            listed = seed.ensure_list(ctx, list_name)
            made = compose.create(ctx, list_id=listed.id, words=compose.Words(
                subject, "Hello {first name | there},\n\nfive records.\n\n[Read on](https://example.org/read)"))
            schedule.send(ctx, made.id, undo=False)
            return made.id

    def launch(self, number: int) -> None:
        """Start it and plan everybody."""
        more = True
        while more:
            with self.unit() as ctx:
                more = launch.step(ctx, number, self.services.settings.data_dir / "exits")

    def launched(self, list_name: str = "everybody", subject: str = "Words for you") -> int:
        number = self.campaign(list_name, subject)
        self.launch(number)
        return number

    def sign_of_life(self, worker: str) -> None:
        """What a worker process says when it starts."""
        self.sql("INSERT INTO worker (id, host, started_at, seen_at) VALUES (:id, :host, clock_timestamp(), "
                 "clock_timestamp()) ON CONFLICT (id) DO NOTHING", id=worker, host=self.services.exits_log.host)

    @contextmanager
    def seat(self, worker: str = "worker1") -> Iterator[Seat]:
        """A worker thread's place."""
        self.sign_of_life(worker)
        made = Seat(self.services, worker, self.ways, lambda: False)
        try:
            yield made
        finally:
            made.close()

    def turn(self, number: int, worker: str = "worker1") -> Status:
        """What a worker does on a nudge, until no row is due; the sum is looked at."""
        with self.seat(worker) as seat:
            for _ in range(ENOUGH_TURNS):
                if not dispatch.take_turn(seat, number).more:
                    break
        return self.tick(number)

    def turns_to_the_end(self, number: int, worker: str = "worker1") -> Status:
        """Turn after turn, each time as if hours had passed, until nothing waits."""
        for _ in range(ENOUGH_TURNS):
            seen = self.turn(number, worker)
            if not seen.waiting:
                return seen
            self.hurry()
        raise AssertionError(seen)

    def tick(self, number: int) -> Status:
        """The ticker's part: end what waits of a campaign that is over, and close it; the sum holds meanwhile."""
        ticker.end_what_is_over(self.services)
        return self.status(number)

    def singles(self, worker: str = "worker1") -> None:
        """Send every single message that is due."""
        with self.seat(worker) as seat:
            while send_singles.send_singles(seat):
                continue

    def hurry(self) -> None:
        """As if every pause were over: deferred rows, their blocks, singles and lanes left alone."""
        self.way.board.resting.clear()
        self.sql("UPDATE message SET until = clock_timestamp() WHERE state = 'deferred'")
        self.sql("UPDATE message_block SET not_before = clock_timestamp() WHERE not_before IS NOT NULL")
        self.sql("UPDATE single_message SET until = clock_timestamp() WHERE until IS NOT NULL")
        self.sql("DELETE FROM lane_hold")

    def status(self, number: int) -> Status:
        """The status; the sum holds and the counters say what the rows say, at every look (one snapshot)."""
        with self.unit() as ctx:
            ctx.db.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            seen = status.status(ctx, compose.find(ctx, number))
            counted = Counter(ctx.db.scalars(text("SELECT state FROM message WHERE campaign_id = :id"),
                                             {"id": number}).all())
        ended = {"accepted": seen.accepted, "refused": seen.refused, "failed": seen.failed, "expired": seen.expired,
                 "uncertain": seen.uncertain}
        assert seen.planned == sum(ended.values()) + seen.waiting == sum(counted.values())
        assert {state: n for state, n in {**ended, **seen.waiting_by_state}.items() if n} == dict(counted)
        assert not (seen.state in (CampaignState.SENT, CampaignState.STOPPED) and seen.waiting)
        self._gate_was_asked()
        return seen

    def rows(self, number: int) -> Mapping[int, Row]:
        """Every message of the campaign by its contact point."""
        found = self.sql("SELECT contact_point_id, state, code, attempt, slice FROM message WHERE campaign_id = :id",
                         id=number)
        return {point: Row(*rest) for point, *rest in found}

    def states(self, number: int) -> Counter[str]:
        return Counter(row.state for row in self.rows(number).values())

    def codes(self, number: int) -> set[str | None]:
        return {row.code for row in self.rows(number).values()}

    def control(self, verb: str, number: int) -> None:
        """Pause, resume or stop."""
        with self.unit() as ctx:
            getattr(control, verb)(ctx, number)

    def join(self, point_ids: Sequence[int], list_name: str) -> None:
        """These people agree to one list more."""
        with self.unit() as ctx:
            listed = seed.ensure_list(ctx, list_name)
            for point_id in point_ids:
                for topic in catalogue.topics_of(ctx, listed.id):
                    ledger.grant(ctx, ctx.db.get_one(ContactPoint, point_id), list_id=listed.id, topic_id=topic.id,
                                 purpose=Purpose.OWN_OFFERS, evidence=Evidence(how="seed"))

    def address(self, point_id: int) -> str:
        """Made-up people are numbered as they were made."""
        ((person_id,),) = self.sql("SELECT person_id FROM contact_point WHERE id = :id", id=point_id)
        return seed.made_up(person_id).address

    def leave(self, point_id: int) -> None:
        with self.unit() as ctx:
            leave(ctx, ctx.db.get_one(ContactPoint, point_id), how="one_click")

    def lose_host(self, worker: str) -> None:
        """As if that worker's host had been gone for three minutes."""
        self.sql("UPDATE worker SET seen_at = seen_at - :gone WHERE id = :id", gone=HOST_IS_GONE, id=worker)
        self.sql("UPDATE slice SET opened_at = opened_at - :gone WHERE worker = :id", gone=HOST_IS_GONE, id=worker)

    def reap(self) -> int:
        """The ticker's reaper: journals of the dead, then lost hosts; how many slices were given up."""
        connection = self.services.engine.raw_connection()
        try:
            driver = cast(psycopg.Connection[tuple[Any, ...]], connection.driver_connection)
            reap.read_journals(driver, journal_folder(self.services.settings.data_dir))
            return reap.give_up_on_lost_hosts(driver)
        finally:
            connection.close()

    def sql(self, statement: str, **values: object) -> Sequence[Any]:
        with self.services.engine.begin() as connection:
            answer = connection.execute(text(statement), values)
            return answer.all() if answer.returns_rows else []

    @property
    def taken(self) -> Counter[str]:
        """How often the server took each recipient's message of any campaign."""
        return Counter(each.recipient for each in self.server.record.deliveries)

    def close(self) -> None:
        self.ways.close()

    def _gate_was_asked(self) -> None:
        """Nothing is in a provider's hands, or was, without a decision that says yes (the gate)."""
        assert not self.sql("""
            SELECT m.campaign_id, m.contact_point_id FROM message m LEFT JOIN decision d
              ON (d.campaign_id, d.contact_point_id, d.month, d.attempt)
               = (m.campaign_id, m.contact_point_id, m.month, m.decided) AND d.cleared
            WHERE m.state IN ('handed', 'accepted', 'failed', 'uncertain') AND d.campaign_id IS NULL""")

