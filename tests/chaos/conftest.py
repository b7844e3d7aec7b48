"""One instance and one mail server for all the small tests here: what broke in one must be whole for the next."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.chaos.hosts import Shared, shared_servers
from tests.chaos.live import PEOPLE, live
from tests.chaos.mail_server import SLOWLY, MailServer, serving
from tests.chaos.sending import database, until
from tests.instance import Instance


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    with shared_servers(tmp_path) as servers:
        yield servers


@pytest.fixture(scope="package")
def slow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with serving(tmp_path_factory.mktemp("mail") / "taken.tsv", SLOWLY) as started:
        yield started


@pytest.fixture
def mail(slow_server: MailServer) -> Iterator[MailServer]:
    """Answers after 20 ms, so that a campaign has a middle; what a test made of it is over after it."""
    yield slow_server
    if slow_server.faults != (SLOWLY,):
        slow_server.becomes(SLOWLY)


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory, slow_server: MailServer) -> Iterator[Instance]:
    with live(tmp_path_factory.mktemp("live"), slow_server) as started:
        started.command("seed", "--people", str(PEOPLE))
        yield started


@pytest.fixture
def instance(house: Instance) -> Iterator[Instance]:
    """What a test taught it about slow lanes and servers is forgotten after it."""
    yield house
    until(lambda: _forgotten(house))


def _forgotten(house: Instance) -> bool:
    try:
        with psycopg.connect(database(house)) as connection:
            connection.execute("DELETE FROM lane_hold")
            connection.execute("DELETE FROM server_hold")
    except psycopg.OperationalError:
        return False
    return True
