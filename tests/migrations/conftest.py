"""Databases of a test's own, empty or brought up to date."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.pool import NullPool

from mailer.settings import resource_folder
from tests.conftest import administer, migrate

pytestmark = pytest.mark.migrations


def run(url: str, verb: Callable[..., None], to: str) -> None:
    """Run one Alembic command on a connection of its own."""
    config = Config()
    config.set_main_option("script_location", str(resource_folder("migrations")))
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        verb(config, to)
    engine.dispose()


def downgrade(url: str, to: str = "base") -> None:
    run(url, command.downgrade, to)


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    """A database with nothing in it."""
    name = f"m_{uuid4().hex[:12]}"
    administer(server_url, f"CREATE DATABASE {name}")
    yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    administer(server_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def migrated(empty_url: str) -> Iterator[Engine]:
    """A database brought up to date, of this test's own."""
    migrate(empty_url)
    engine = create_engine(empty_url, poolclass=NullPool)
    yield engine
    engine.dispose()
