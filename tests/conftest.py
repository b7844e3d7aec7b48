"""Real servers for the tests: PostgreSQL and Redis brought up once, a fresh database for every test that asks."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from hypothesis import settings as hypothesis
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from mailer import wiring
from mailer.core.jobs import Job
from mailer.embedded.postgres import PrivatePostgres
from mailer.embedded.redis import PrivateRedis
from mailer.services import Services
from mailer.settings import Settings, resource_folder

hypothesis.register_profile("usual", max_examples=200, deadline=None)
hypothesis.register_profile("full", max_examples=2000, deadline=None)
hypothesis.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


class FixedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, at: datetime = START) -> None:
        self._now = at

    def now(self) -> datetime:
        return self._now

    def advance(self, **step: float) -> None:
        self._now += timedelta(**step)


class RememberedJobs:
    """Keeps nudges, so that a test can see what was asked for."""

    def __init__(self) -> None:
        self.sent: list[tuple[Job, tuple[int, ...]]] = []

    def send(self, job: Job, *args: int) -> None:
        self.sent.append((job, args))


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server: TEST_DATABASE_URL where set, else a private one for this test process."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    server = PrivatePostgres(tmp_path_factory.mktemp("pg"), durable=False)
    yield server.start()
    server.stop()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server: TEST_REDIS_URL where set, else a private one for this test process."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield given
        return
    server = PrivateRedis(tmp_path_factory.mktemp("redis"), durable=False)
    yield server.start()
    server.stop()


def administer(url: str, statement: str) -> None:
    """Run one statement outside a transaction, on the server's maintenance database."""
    plain = make_url(url).set(drivername="postgresql", database="postgres")
    with psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(statement)


def migrate(url: str, to: str = "head") -> None:
    """Bring a database to a revision, as `mailer migrate` does."""
    config = Config()
    config.set_main_option("script_location", str(resource_folder("migrations")))
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)
    engine.dispose()


@pytest.fixture(scope="session")
def template_url(server_url: str) -> Iterator[str]:
    """A migrated database that others are cloned from."""
    name = f"template_{os.getpid()}"
    administer(server_url, f"CREATE DATABASE {name}")
    url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
    migrate(url)
    yield url
    administer(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(template_url: str) -> Iterator[str]:
    """A fresh, migrated database of this test's own."""
    name = f"t_{uuid4().hex[:12]}"
    administer(template_url, f"CREATE DATABASE {name} TEMPLATE {make_url(template_url).database}")
    yield make_url(template_url).set(database=name).render_as_string(hide_password=False)
    administer(template_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of an instance of this test's own."""
    return Settings(data_dir=tmp_path / "var", database_url=database_url, key_file=tmp_path / "keys" / "mailer.key")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def jobs() -> RememberedJobs:
    return RememberedJobs()


@pytest.fixture
def services(settings: Settings, clock: FixedClock, jobs: RememberedJobs) -> Iterator[Services]:
    """Every power, on a real database, with a clock that the test moves."""
    engine = wiring.open_engine(settings)
    yield wiring.build(settings, engine, jobs, clock=clock)
    engine.dispose()


sys.dont_write_bytecode = True
