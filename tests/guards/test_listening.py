"""A8. `mailer doctor` fails where database, queue or web server listen to the world; ours listen to nobody outside."""

import json
import socket
from collections.abc import Iterator

import pytest
import redis
from click.testing import CliRunner

from mailer.cli import doctor, listening
from mailer.cli.main import main
from mailer.organisation import profile
from mailer.services import Services, unit_of_work
from mailer.settings import Settings
from tests.instance import free_port


@pytest.fixture
def open_port() -> Iterator[int]:
    """A port on which this test waits for callers from everywhere, and lets nobody in."""
    with socket.socket() as waiting:
        waiting.bind(("0.0.0.0", 0))
        waiting.listen()
        yield int(waiting.getsockname()[1])


def test_the_doctor_fails_where_the_web_server_is_bound_to_every_address(
        open_port: int, services: Services, settings: Settings, redis_url: str) -> None:
    """A8. What listens on PORT is asked of the machine itself, whoever started it."""
    with unit_of_work(services) as ctx:
        profile.ensure_instance(ctx)
    environment = {"DATABASE_URL": settings.database_url, "REDIS_URL": redis_url,
                   "MAILER_DATA_DIR": str(settings.data_dir), "MAILER_KEY_FILE": str(settings.key_file)}
    found = {port: CliRunner(env={**environment, "PORT": str(port)}).invoke(main, ["doctor", "--json"])
             for port in (open_port, free_port())}
    says = {port: {check["name"]: check for check in json.loads(result.stdout)["checks"]}["web_binding"]
            for port, result in found.items()}
    assert found[open_port].exit_code == 1
    assert [check["ok"] for check in says.values()] == [False, True]
    assert "0.0.0.0" in says[open_port]["says"]


def test_only_this_machines_own_address_is_no_fault(open_port: int) -> None:
    """A8. Loopback is where a proxy on the same machine asks."""
    with socket.socket() as near:
        near.bind(("127.0.0.1", 0))
        near.listen()
        assert listening.on_port(int(near.getsockname()[1])) == ["127.0.0.1"]
    assert listening.on_port(open_port) == ["0.0.0.0"]


@pytest.mark.parametrize(("bind", "well"), [("0.0.0.0", False), ("* -::*", False), ("127.0.0.1 -::1", True)])
def test_a_redis_that_is_bound_to_the_world_is_found(bind: str, well: bool) -> None:
    """A8. Redis says itself where it listens."""
    class Told:
        def config_get(self, *_names: str) -> dict[str, str]:
            return {"bind": bind, "port": "6379"}

    check = doctor._queue_binding(Told(), "redis://127.0.0.1:6379/0")  # type: ignore[arg-type]  # The one call it makes.
    assert check.ok is well


@pytest.mark.parametrize(("addresses", "well"), [
    (["*"], False), (["0.0.0.0"], False), (["localhost", "::"], False), (["localhost"], True), ([""], True)])
def test_a_database_that_is_bound_to_the_world_is_found(addresses: list[str], well: bool) -> None:
    """A8. As PostgreSQL lists its listen_addresses."""
    assert doctor._binding("database_binding", "The database", addresses).ok is well


def test_the_servers_that_we_start_listen_on_no_port_at_all(redis_url: str, services: Services) -> None:
    """A8. Both are reached by a socket in a folder of their own."""
    assert redis.Redis.from_url(redis_url).config_get("port") in ({"port": "0"}, {b"port": b"0"})
    with services.engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW listen_addresses").scalar() == ""
