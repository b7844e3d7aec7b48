"""A friend's message while workers are killed: never two, hardly ever none, and the address found nowhere (T5, T7)."""

import random
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from mailer.cli.instance import facts_of
from mailer.friends import invite, settings
from mailer.friends.words import Typed
from mailer.lists import catalogue, forms
from mailer.lists.forms import Definition
from mailer.outbox import singles
from mailer.outbox.models import SingleMessage
from mailer.policy import notices, packs
from mailer.services import Services, unit_of_work
from tests.chaos.databases import dump
from tests.chaos.killing import processes, strike
from tests.chaos.live import live
from tests.chaos.mail_server import MailServer, serving
from tests.chaos.mailbox import get, post
from tests.chaos.needles import Needles
from tests.chaos.sending import database, powers, until
from tests.instance import Instance

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(200)]

KILLS, AT_LEAST = 20, 18
AT_ONCE = 0.35
"""Seconds from the press within which a message is claimed, handed over and recorded, or nearly so."""
FRIENDS = [f"quillabertine.receives{number:02}@example.net" for number in range(KILLS)]


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    with serving(tmp_path / "taken.tsv", "dot:delay=0.15") as started:
        yield started


@pytest.fixture
def instance(tmp_path: Path, mail: MailServer) -> Iterator[Instance]:
    with live(tmp_path, mail) as started:
        started.command("seed", "--people", "1")
        yield started


def test_twenty_kills_at_random_moments_never_make_two_and_lose_two_at_most(
        tmp_path: Path, instance: Instance, services: Services, mail: MailServer) -> None:
    """T5: kill -9 at 20 random moments of the friend's message."""
    offered(instance, services)
    chance = random.Random(27)
    for number, friend in enumerate(FRIENDS):
        link = asked(services, friend, f"sender{number}@example.org")
        until(lambda: bool(processes(instance, "worker")), 30)
        assert "Thank you." in post(link)[1]
        time.sleep(chance.uniform(0, AT_ONCE))
        for worker in processes(instance, "worker"):
            strike(worker, signal.SIGKILL)
    until(lambda: ended(instance) == KILLS, 60)

    taken = Counter(each.recipient for each in mail.taken() if each.recipient in FRIENDS)
    print(f"\n{len(taken)} of {KILLS} arrived, {sum(n > 1 for n in taken.values())} twice; {states(instance)}")
    assert set(taken.values()) == {1} and len(taken) >= AT_LEAST
    nowhere(tmp_path, instance)


def nowhere(tmp_path: Path, instance: Instance) -> None:
    """T7: neither dump nor Redis nor any file of the instance names a friend."""
    needles = Needles(FRIENDS)
    dump(instance, tmp_path / "dump.sql")
    assert needles.within_file(tmp_path / "dump.sql") == set()
    queue = redis.Redis.from_url(facts_of(instance.data_dir)["redis_url"])
    assert {value for key in queue.scan_iter() for value in needles.within(key + (queue.dump(key) or b""))} == set()
    assert {str(path) for path in instance.data_dir.rglob("*")
            if path.is_file() and "keys" not in path.parts and needles.within_file(path)} == set()
    with psycopg.connect(database(instance)) as connection:
        assert connection.execute("SELECT count(*) FROM vault.friend_key").fetchone() == (0,)


@pytest.fixture
def services(instance: Instance) -> Iterator[Services]:
    made = powers(instance)
    yield made
    made.engine.dispose()


def offered(instance: Instance, services: Services) -> None:
    with unit_of_work(services) as ctx:
        listed = catalogue.by_name(ctx, "seed")
        topics = tuple(topic.id for topic in catalogue.topics_of(ctx, listed.id))
        forms.create_form(ctx, slug="friends", list_id=listed.id, name="Friends", notice=notices.in_force(ctx),
                          definition=Definition(title="Get news", topics=topics))
        packs.choose(ctx, "friends_by_mail")
        settings.change(ctx, listed.id, shares=True, by_mail=True)
    assert re.search(r"Send one message", get(f"{instance.url}/friend"))


def asked(services: Services, friend: str, sender: str) -> str:
    """The sender's link, read from its sealed row before it goes: their mailbox is not what is tested here."""
    with unit_of_work(services) as ctx:
        (offer,) = settings.offers(ctx)
        invite.ask(ctx, offer, Typed("Fernanda", sender, friend, "You will love it."))
        single = ctx.db.query(SingleMessage).filter_by(kind="press").order_by(SingleMessage.id.desc()).first()
        assert single is not None
        return str(singles.detail_of(services.opener, single)["link"])


def states(instance: Instance) -> Counter[str]:
    with psycopg.connect(database(instance)) as connection:
        return Counter(state for (state,) in connection.execute(
            "SELECT state FROM single_message WHERE class = 'invitation'"))


def ended(instance: Instance) -> int:
    try:
        with psycopg.connect(database(instance)) as connection:
            connection.execute("UPDATE single_message SET until = now() WHERE until > now()")
            connection.execute("DELETE FROM server_hold")
        return sum(n for state, n in states(instance).items() if state in ("accepted", "uncertain", "failed"))
    except psycopg.OperationalError:
        return 0
