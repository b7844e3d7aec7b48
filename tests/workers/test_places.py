"""Which process takes what: a dead one's nudges go to another, and single messages never stand behind campaigns."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from mailer.core.jobs import Job
from mailer.embedded.processes import wait_until
from mailer.embedded.redis import PrivateRedis
from mailer.settings import Settings
from workers.broker import broker_on
from workers.jobs import DramatiqJobs

HOLDS_ITS_TURN = """
import os, sys, dramatiq
from time import sleep
from mailer.core.jobs import Job
from workers.broker import broker
from workers.jobs import QUEUES
from workers.main import main

def note(what):
    with open(sys.argv[1], "a") as file:
        file.write(f"{what} {os.getpid()}\\n")

for job in (Job.DISPATCH, Job.SINGLES):
    del broker.actors[job.value]

@dramatiq.actor(actor_name=Job.DISPATCH.value, queue_name=QUEUES[Job.DISPATCH], time_limit=600_000)
def dispatch(campaign):
    note(f"turn-{campaign}")
    sleep(300)

@dramatiq.actor(actor_name=Job.SINGLES.value, queue_name=QUEUES[Job.SINGLES])
def singles():
    note("single")

main()
"""
Begin = Callable[[int], None]


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[DramatiqJobs]:
    server = PrivateRedis(tmp_path / "redis", durable=False)
    yield DramatiqJobs(broker_on(server.start()))
    server.stop()


@pytest.fixture
def begin(tmp_path: Path, jobs: DramatiqJobs, settings: Settings) -> Iterator[Begin]:
    """Starts so many worker processes, whose turns last for ever."""
    url = PrivateRedis(tmp_path / "redis", durable=False).start()
    environment = {**os.environ, "REDIS_URL": url, "WORKER_THREADS": "3", "DATABASE_URL": settings.database_url,
                   "MAILER_DATA_DIR": str(settings.data_dir), "MAILER_KEY_FILE": str(settings.key_file)}
    with ExitStack() as stack:
        def start(count: int) -> None:
            for _ in range(count):
                process = subprocess.Popen([sys.executable, "-c", HOLDS_ITS_TURN, str(tmp_path / "done")],
                                           env=environment, stderr=subprocess.DEVNULL)
                stack.callback(process.wait)
                stack.callback(process.kill)
        yield start


def done(tmp_path: Path, what: str) -> list[int]:
    """The processes that did this, in order."""
    note = tmp_path / "done"
    lines = note.read_text().splitlines() if note.exists() else []
    return [int(pid) for word, _, pid in (line.partition(" ") for line in lines) if word == what]


@pytest.mark.chaos
def test_a_killed_workers_nudge_is_with_another_within_fifteen_seconds(
        tmp_path: Path, jobs: DramatiqJobs, begin: Begin) -> None:
    """Both hold places, so that neither asks for more, and the dead one is missed all the same."""
    begin(2)
    jobs.send(Job.DISPATCH, 7)
    assert wait_until(lambda: len(done(tmp_path, "turn-7")) == 1, 20)
    # The other must have begun too: a process that starts after the kill would find the nudge just the same.
    jobs.send(Job.SINGLES)
    assert wait_until(lambda: len(done(tmp_path, "single")) == 1, 20)
    first = done(tmp_path, "turn-7")[0]
    os.kill(first, signal.SIGKILL)
    killed = time.monotonic()
    assert wait_until(lambda: len(done(tmp_path, "turn-7")) == 2, 30)
    print(f"back after {time.monotonic() - killed:.1f} s")
    assert time.monotonic() - killed < 15
    assert done(tmp_path, "turn-7")[1] != first


@pytest.mark.chaos
def test_a_living_worker_whose_places_are_all_taken_keeps_its_nudges(
        tmp_path: Path, jobs: DramatiqJobs, begin: Begin) -> None:
    """It asks for nothing meanwhile, and asking is what dramatiq takes for a sign of life."""
    begin(1)
    for campaign in (1, 2):
        jobs.send(Job.DISPATCH, campaign)
    assert wait_until(lambda: bool(done(tmp_path, "turn-1") and done(tmp_path, "turn-2")), 20)
    begin(1)
    jobs.send(Job.SINGLES)
    time.sleep(8)
    assert len(done(tmp_path, "turn-1")) == len(done(tmp_path, "turn-2")) == 1


def test_a_single_message_is_taken_while_campaigns_hold_every_place_they_may(
        tmp_path: Path, jobs: DramatiqJobs, begin: Begin) -> None:
    begin(1)
    for campaign in range(10):
        jobs.send(Job.DISPATCH, campaign)
    assert wait_until(lambda: bool(done(tmp_path, "turn-0") and done(tmp_path, "turn-1")), 20)
    assert jobs.waiting(Job.DISPATCH) == 8
    jobs.send(Job.SINGLES)
    began = time.monotonic()
    assert wait_until(lambda: bool(done(tmp_path, "single")), 20)
    assert time.monotonic() - began < 2
