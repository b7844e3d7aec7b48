"""A nudge carries ids only, a Redis that is away never fails a request, and a worker ends when told (M23)."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy import text

from mailer.core.jobs import Job
from mailer.embedded.processes import wait_until
from mailer.embedded.redis import PrivateRedis
from mailer.services import Services
from mailer.settings import Settings
from workers.broker import broker_on
from workers.jobs import CAMPAIGNS, DramatiqJobs

TO_AN_END = """
import sys, dramatiq
from mailer.core.jobs import Job
from mailer.services import Services
from mailer.settings import Settings
from workers.broker import broker
from workers.jobs import QUEUES
from workers.main import main
del broker.actors[Job.LAUNCH.value]
@dramatiq.actor(actor_name=Job.LAUNCH.value, queue_name=QUEUES[Job.LAUNCH])
def launch(campaign):
    open(sys.argv[1], "a").write(f"{campaign}\\n")
main()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PrivateRedis]:
    private = PrivateRedis(tmp_path / "redis here", durable=False)
    private.start()
    yield private
    private.stop()


def test_a_nudge_names_its_job_and_carries_ids_only(server: PrivateRedis) -> None:
    url = server.start()
    DramatiqJobs(broker_on(url)).send(Job.DISPATCH, 7, 3)
    stored = redis.Redis.from_url(url).hgetall(f"dramatiq:{CAMPAIGNS}.msgs")
    (message,) = [json.loads(value) for value in stored.values()]
    assert (message["actor_name"], message["args"], message["kwargs"]) == ("dispatch", [7, 3], {})


def test_a_redis_that_is_away_does_not_fail_the_request(server: PrivateRedis,
                                                        caplog: pytest.LogCaptureFixture) -> None:
    url = server.start()
    jobs = DramatiqJobs(broker_on(url))
    server.stop()
    jobs.send(Job.DISPATCH, 7)
    assert [record.getMessage() for record in caplog.records] == ["nudge_lost"]
    server.start()
    jobs.send(Job.DISPATCH, 8)
    assert redis.Redis.from_url(url).hlen(f"dramatiq:{CAMPAIGNS}.msgs") == 1


def test_a_worker_runs_what_was_sent_over_a_restart_of_redis_and_ends_when_told(
        server: PrivateRedis, services: Services, settings: Settings, tmp_path: Path) -> None:
    """It says that it lives before the first nudge comes, so that the doctor finds it."""
    url, done = server.start(), tmp_path / "done"
    jobs = DramatiqJobs(broker_on(url))
    jobs.send(Job.LAUNCH, 41)
    environment = {**os.environ, "REDIS_URL": url, "WORKER_THREADS": "2", "DATABASE_URL": settings.database_url,
                   "MAILER_DATA_DIR": str(settings.data_dir), "MAILER_KEY_FILE": str(settings.key_file)}
    process = subprocess.Popen([sys.executable, "-c", TO_AN_END, str(done)], env=environment,
                               stderr=subprocess.PIPE, text=True)
    try:
        assert wait_until(lambda: done.exists() and "41" in done.read_text(), 20)
        with services.engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM worker")) == 1
        server.stop()
        server.start()
        jobs.send(Job.LAUNCH, 42)
        assert wait_until(lambda: "42" in done.read_text(), 20)
        process.send_signal(signal.SIGTERM)
        _, words = process.communicate(timeout=15)
    finally:
        process.kill()
    assert process.returncode == 0
    events = [json.loads(line)["event"] for line in words.splitlines()]
    assert "worker_ready" in events and "worker_ended" in events
