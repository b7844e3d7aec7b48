"""What else breaks in the middle of a campaign: queue, database, a worker told to end, mail server, disk (T5, item 2).

Rows end in the right state, the sum holds at every look, nobody twice, nobody lost.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from mailer.cli.instance import facts_of
from tests.chaos.test_kill import taken, until
from tests.instance import PROJECT, Instance, free_port, running

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]

PEOPLE = 1_500
CONNECTIONS = 5
PROCESSES = 2
SUM = ("accepted", "refused", "failed", "expired", "uncertain", "waiting")
SLOWLY = "dot:delay=0.02"
"""With ten connections the campaign then takes a few seconds, so that there is a middle."""

DISK = 320
"""Megabytes of the small disk: enough for an empty instance, and soon full."""


class MailServer:
    """A counting mail server in a process of its own, which may be killed and comes back on the same port."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.port = free_port()
        out.touch()
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.smtp_server", "--port", str(self.port), "--out", str(self.out),
             "--fault", SLOWLY], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(timeout=10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def count(self) -> int:
        return sum(taken(self.out).values())


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    server = MailServer(tmp_path / "taken.tsv")
    yield server
    server.kill()


@contextmanager
def a_campaign(folder: Path, mail: MailServer) -> Iterator[Instance]:
    """An instance in the middle of a campaign: a fifth has been written to."""
    with running(folder, MAILER_MODE="live", SMTP_URL=f"smtp://127.0.0.1:{mail.port}", MAIL_FROM="news@example.org",
                 WORKER_PROCESSES=str(PROCESSES), SMTP_CONNECTIONS=str(CONNECTIONS)) as instance:
        instance.command("seed", "--people", str(PEOPLE))
        instance.command("campaign", "create", "--list", "seed", "--subject", "Faults", "--body", "Words.")
        instance.command("campaign", "send", "1", "--yes")
        until(lambda: mail.count > PEOPLE / 5)
        yield instance


def the_end(instance: Instance, mail: MailServer) -> dict[str, Any]:
    """Look until it is sent; at every look the sum holds, and in the end everybody has had it once."""
    ends = time.monotonic() + 70
    while True:
        status = instance.command("campaign", "status", "1")
        assert status["planned"] == sum(status[state] for state in SUM) == PEOPLE
        if status["state"] == "sent":
            break
        assert status["state"] == "sending" and time.monotonic() < ends, status
    counted = taken(mail.out)
    assert max(counted.values()) == 1
    assert status["waiting"] == 0
    assert status["accepted"] + status["uncertain"] == PEOPLE
    assert PEOPLE - len(counted) <= status["uncertain"]
    return status


def test_an_emptied_queue_costs_nothing(tmp_path: Path, mail: MailServer) -> None:
    """Redis holds nudges alone: what it forgets the ticker finds in the rows."""
    with a_campaign(tmp_path, mail) as instance:
        queue = redis.Redis.from_url(facts_of(instance.data_dir)["redis_url"])
        for _ in range(10):
            queue.flushall()
            time.sleep(0.1)
        assert mail.count < PEOPLE
        assert the_end(instance, mail)["uncertain"] == 0


def test_a_killed_database_comes_back_and_nobody_is_unsure(tmp_path: Path, mail: MailServer) -> None:
    """Workers keep what they know until the database takes it, however long that is."""
    with a_campaign(tmp_path, mail) as instance:
        postmaster = int((instance.data_dir / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)
        assert mail.count < PEOPLE
        assert the_end(instance, mail)["uncertain"] == 0
        assert int((instance.data_dir / "postgres" / "postmaster.pid").read_text().split()[0]) != postmaster


def test_a_worker_that_is_told_to_end_finishes_what_it_holds(tmp_path: Path, mail: MailServer) -> None:
    """Engine guarantee 6: stop claiming, finish what is handed, release the rest."""
    with a_campaign(tmp_path, mail) as instance:
        assert instance.process is not None
        for worker in psutil.Process(instance.process.pid).children(recursive=True):
            if "workers.main" in worker.cmdline():
                worker.terminate()
        assert mail.count < PEOPLE
        assert the_end(instance, mail)["uncertain"] == 0
        assert "worker_ended" in (instance.data_dir / "logs" / "worker-1.log").read_text()


def test_a_mail_server_that_dies_and_comes_back_leaves_one_unsure_a_connection(
        tmp_path: Path, mail: MailServer) -> None:
    """Engine guarantee 2."""
    with a_campaign(tmp_path, mail) as instance:
        mail.kill()
        before = mail.count
        time.sleep(1)
        assert before < PEOPLE
        mail.start()
        assert the_end(instance, mail)["uncertain"] <= CONNECTIONS * PROCESSES


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A disk of its own under this folder; skips, saying why, where this user may not mount one."""
    folder.mkdir(mode=0o700)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}m,mode=0700", "tmpfs", str(folder)],
                          capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no small disk to fill: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(ballast: Path) -> None:
    """Take every last octet of the disk."""
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1))


@pytest.mark.skipif(shutil.which("mount") is None, reason="no mount program")
def test_a_full_disk_stops_a_campaign_and_an_empty_one_lets_it_go_on(tmp_path: Path, mail: MailServer) -> None:
    with small_disk(tmp_path / "disk"), a_campaign(tmp_path / "disk", mail) as instance:
        ballast = tmp_path / "disk" / "ballast"
        fill(ballast)
        assert mail.count < PEOPLE
        refused = instance.command("seed", "--people", "20000", "--list", "no room", check=False)
        assert "error" in refused
        assert shutil.disk_usage(tmp_path / "disk").free < 1 << 20
        ballast.unlink()
        the_end(instance, mail)
