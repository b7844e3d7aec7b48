"""The private Redis keeps the queue over a kill, and starts anywhere, twice, after anything (decisions 36, 37)."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from mailer.embedded.processes import wait_until
from mailer.embedded.redis import PrivateRedis

Make = Callable[..., PrivateRedis]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[PrivateRedis] = []

    def one(data_dir: Path, *, durable: bool = False) -> PrivateRedis:
        made.append(PrivateRedis(data_dir, durable=durable))
        return made[-1]

    yield one
    for server in made:
        server.stop()


def test_it_answers_on_a_socket_alone_in_a_path_with_a_space(tmp_path: Path, make: Make) -> None:
    client = redis.Redis.from_url(make(tmp_path / "a folder, with \"marks'").start())
    assert client.ping()
    assert client.config_get("port") == {"port": "0"}
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_path_too_long_for_a_socket_gets_a_short_private_folder(tmp_path: Path, make: Make) -> None:
    data_dir = tmp_path / ("long" * 30)
    assert redis.Redis.from_url(make(data_dir).start()).ping()
    folder = Path((data_dir / "run" / "redis.folder").read_text())
    assert folder.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(folder)


def test_what_was_queued_more_than_a_second_ago_survives_a_kill(tmp_path: Path, make: Make) -> None:
    first = make(tmp_path, durable=True)
    client = redis.Redis.from_url(first.start())
    client.rpush("queue", "1", "2")
    assert wait_until(lambda: client.info("persistence")["aof_pending_bio_fsync"] == 0, 5)
    os.kill(first.pid, signal.SIGKILL)
    assert wait_until(lambda: not first.running(), 5)
    again = redis.Redis.from_url(first.start())
    assert again.llen("queue") == 2


def test_a_server_that_the_last_run_left_is_taken_over_and_ended(tmp_path: Path, make: Make) -> None:
    left, next_run = make(tmp_path), make(tmp_path)
    left.start()
    next_run.start()
    assert next_run.pid == left.pid
    next_run.stop()
    assert not left.running()


def test_a_server_that_answers_nobody_is_ended_and_started_anew(tmp_path: Path, make: Make) -> None:
    left, next_run = make(tmp_path), make(tmp_path)
    left.start()
    old = left.pid
    (tmp_path / "run" / "redis" / "redis.sock").unlink()
    next_run.start()
    assert next_run.pid != old
    assert not left.running()


def test_only_we_can_read_it(tmp_path: Path, make: Make) -> None:
    make(tmp_path / "data", durable=True).start()
    inside = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
    assert [path for path in inside if path.stat().st_mode & 0o077] == []
