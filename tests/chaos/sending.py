"""A campaign on its way, and the reckoning when it has ended: who got it, how often, and what the rows say of that."""

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import psycopg

from mailer import keyfile, wiring
from mailer.campaigns import compose, schedule
from mailer.campaigns import status as standing
from mailer.cli.instance import facts_of
from mailer.consent.ledger import Evidence
from mailer.core.errors import BadToken
from mailer.core.jobs import NoJobs
from mailer.core.links import Link, LinkSigner
from mailer.core.tokens import SystemTokens
from mailer.lists import catalogue
from mailer.services import Services, unit_of_work
from mailer.settings import Settings
from mailer.subscriptions import seed
from tests.chaos.mail_server import MailServer
from workers.broker import broker_on
from workers.jobs import DramatiqJobs

SUM = ("accepted", "refused", "failed", "expired", "uncertain", "waiting")
ENDED = SUM[:-1]
FINAL = ("sent", "stopped", "could_not_start")
PATIENCE = 90.0


class Place(Protocol):
    """A host on which commands are run."""

    @property
    def env(self) -> dict[str, str]: ...

    def command(self, *words: str, given: str = "", check: bool = True) -> dict[str, Any]: ...


def settings_of(place: Place) -> Settings:
    """The settings a command has there, also while `mailer run` brings its own servers."""
    settings = Settings.from_env(place.env)
    if settings.database_url:
        return settings
    facts = facts_of(settings.data_dir)
    return Settings.from_env(place.env | {"DATABASE_URL": facts["database_url"], "REDIS_URL": facts["redis_url"]})


def powers(place: Place, *, nudging: bool = False) -> Services:
    """Every power on that place's database; the caller disposes of the engine."""
    settings = settings_of(place)
    jobs = DramatiqJobs(broker_on(settings.redis_url)) if nudging else NoJobs()
    return wiring.build(settings, wiring.open_engine(settings), jobs)


def database(place: Place) -> str:
    """The database as psycopg knows it."""
    return settings_of(place).database_url.replace("+psycopg", "")


@dataclass(frozen=True)
class Reckoning:
    """What became of a campaign: by its own sums, by its rows, and by what mail servers took."""

    sums: Mapping[str, int]
    rows: Mapping[str, int]
    twice: int
    """People who got it more than once."""
    lost: int
    """People who are said to have it, or still wait for it, and whom no server took it for."""
    unwanted: int
    """People who got it although they are said not to."""
    arrived: int

    @property
    def uncertain(self) -> int:
        return self.rows.get("uncertain", 0)

    def holds(self) -> None:
        """Engine guarantees 1, 2 and 4."""
        assert (self.twice, self.lost, self.unwanted) == (0, 0, 0), self
        assert self.sums["planned"] == sum(self.sums[state] for state in SUM) == sum(self.rows.values()), self
        assert {state: self.sums[state] for state in ENDED} == {
            state: self.rows.get(state, 0) for state in ENDED}, self
        assert self.sums["waiting"] == 0, self

    def everybody(self, people: int) -> None:
        """All of them were handed over, or may have been: nobody was refused, given up or forgotten."""
        self.holds()
        assert self.rows["accepted"] + self.uncertain == people, self


class Sending:
    """A campaign to everybody on a list, from the moment it is sent."""

    def __init__(self, place: Place, servers: Sequence[MailServer], subject: str, to: str = "seed") -> None:
        self.place = place
        self.servers = servers
        self._before = sum(server.count for server in servers)
        services = powers(place, nudging=True)
        with unit_of_work(services) as ctx:
            words = compose.Words(subject, "Words.")
            self.id = compose.create(ctx, list_id=catalogue.by_name(ctx, to).id, words=words).id
            schedule.send(ctx, self.id, undo=False)
        services.engine.dispose()

    @property
    def count(self) -> int:
        """Messages taken since it was sent, of whatever kind."""
        return sum(server.count for server in self.servers) - self._before

    def reaches(self, count: int, seconds: float = 60) -> None:
        """Wait until so many messages were taken."""
        until(lambda: self.count >= count, seconds)

    def look(self) -> tuple[str, Counter[str]] | None:
        """The campaign's state and its counters, which hold at every look; None while the database is away."""
        try:
            with psycopg.connect(database(self.place), connect_timeout=5) as connection:
                state = connection.execute("SELECT state FROM campaign WHERE id = %s", (self.id,)).fetchone()
                rows = connection.execute("SELECT state, sum(n)::bigint FROM campaign_count WHERE campaign_id = %s "
                                          "GROUP BY state", (self.id,)).fetchall()
        except psycopg.OperationalError:
            return None
        sums = Counter({name: n for name, n in rows})
        sums["waiting"] = sums["planned"] - sum(sums[each] for each in ENDED)
        assert all(n >= 0 for n in sums.values()), sums
        assert sums["waiting"] >= sums["handed"] + sums["deferred"], sums
        assert state is not None
        return str(state[0]), sums

    def sums(self) -> Mapping[str, int]:
        """Planned, and what became of it, as its page shows them."""
        services = powers(self.place)
        with unit_of_work(services) as ctx:
            facts = asdict(standing.status(ctx, compose.find(ctx, self.id)))
        services.engine.dispose()
        return {name: int(facts[name]) for name in ("planned", *SUM)}

    def rows(self) -> dict[int, str]:
        """The state of each person's row."""
        with psycopg.connect(database(self.place)) as connection:
            return dict(connection.execute("SELECT contact_point_id, state FROM message WHERE campaign_id = %s",
                                           (self.id,)).fetchall())

    def arrived(self) -> Counter[int]:
        """How often each person's message was taken, told by its Message-ID, which only we can have made."""
        signer = LinkSigner(keyfile.load_or_create(settings_of(self.place).key_file, SystemTokens()))
        return Counter(person for server in self.servers for each in server.taken()
                       if (person := self._person(signer, each.message_id)))

    def the_end(self, seconds: float = PATIENCE, *, hurried: bool = False) -> Reckoning:
        """Wait until it has closed by itself, looking all the while; then count.

        `hurried` lets the minutes pass for whatever waits for a later try.
        """
        ends = time.monotonic() + seconds
        while True:
            seen = self.look()
            if seen and seen[0] in FINAL:
                break
            assert time.monotonic() < ends, (seen, os.getloadavg())
            if hurried:
                minutes_pass(self.place, self.id)
            time.sleep(0.2)
        return self.reckon()

    def reckon(self) -> Reckoning:
        """What is known now."""
        rows, arrived = self.rows(), self.arrived()
        return Reckoning(
            sums=self.sums(), rows=Counter(rows.values()),
            twice=sum(n > 1 for n in arrived.values()),
            lost=sum(person not in arrived for person, state in rows.items() if state == "accepted"),
            unwanted=sum(rows.get(person) not in ("accepted", "uncertain") for person in arrived),
            arrived=len(arrived))

    def _person(self, signer: LinkSigner, message_id: str) -> int:
        try:
            claim = signer.read(message_id.strip("<>").partition("@")[0], Link.MESSAGE_ID)
        except BadToken:
            return 0
        return claim.first if claim.second == self.id else 0


def add_people(place: Place, domain: str, people: int, to: str = "seed") -> None:
    """So many more on that list, all of one domain."""
    services = powers(place)
    added = [seed.MadeUp(f"somebody{number}@{domain}", "Somebodynew") for number in range(people)]
    with unit_of_work(services) as ctx:
        listed = seed.ensure_list(ctx, to)
        topics = [topic.id for topic in catalogue.topics_of(ctx, listed.id)]
        seed.add_people(ctx, added, listed.id, topics, evidence=Evidence(how="seed", source="chaos"))
    services.engine.dispose()


def minutes_pass(place: Place, campaign: int) -> None:
    """Whatever waits for a later try has waited long enough; no clock is touched."""
    with psycopg.connect(database(place)) as connection:
        connection.execute("UPDATE message_block SET not_before = now() WHERE campaign_id = %s AND not_before > now()",
                           (campaign,))
        connection.execute("UPDATE lane_hold SET until = now()")
        connection.execute("UPDATE server_hold SET until = now()")


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Look until it holds."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, f"not within {seconds} s"
        time.sleep(0.02)
