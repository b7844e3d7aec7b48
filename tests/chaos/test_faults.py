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
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import redis

from mailer.cli.instance import facts_of
from tests.chaos.test_kill import until
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
    def lines(self) -> list[tuple[str, str]]:
        """Recipient and message id of everything taken, in order."""
        return [(recipient, number) for _, recipient, number, *_ in (
            line.split("\t") for line in self.out.read_text().splitlines())]

    @property
    def count(self) -> int:
        return len(self.lines)


class Middle:
    """A campaign to people of its own, a fifth of whom have been written to."""

    def __init__(self, instance: Instance, mail: MailServer, list_name: str) -> None:
        self.instance, self.mail = instance, mail
        self._before = mail.count
        instance.command("seed", "--people", str(PEOPLE), "--list", list_name)
        made = instance.command("campaign", "create", "--list", list_name, "--subject", "Faults", "--body", "Words.")
        self.number = str(made["id"])
        instance.command("campaign", "send", self.number, "--yes")
        until(lambda: self.count > PEOPLE / 5)

    @property
    def count(self) -> int:
        """How many messages of this campaign were taken."""
        return self.mail.count - self._before

    def the_end(self) -> dict[str, Any]:
        """Look until it is sent; at every look the sum holds, and in the end everybody has had it once."""
        ends = time.monotonic() + 70
        while True:
            status = self.instance.command("campaign", "status", self.number)
            assert status["planned"] == sum(status[state] for state in SUM) == PEOPLE
            if status["state"] == "sent":
                break
            assert status["state"] == "sending" and time.monotonic() < ends, status
        assert len(set(self.mail.lines[self._before:])) == self.count
        assert status["waiting"] == 0
        assert status["accepted"] + status["uncertain"] == PEOPLE
        assert status["accepted"] <= self.count <= PEOPLE
        return status


def live(folder: Path, mail: MailServer) -> AbstractContextManager[Instance]:
    """An instance that sends to that server."""
    return running(folder, MAILER_MODE="live", SMTP_URL=f"smtp://127.0.0.1:{mail.port}", MAIL_FROM="news@example.org",
                   WORKER_PROCESSES=str(PROCESSES), SMTP_CONNECTIONS=str(CONNECTIONS))


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    server = MailServer(tmp_path_factory.mktemp("mail") / "taken.tsv")
    yield server
    server.kill()


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory, mail: MailServer) -> Iterator[Instance]:
    """One for every test here: what broke in one must be whole for the next."""
    with live(tmp_path_factory.mktemp("faults"), mail) as started:
        yield started


def processes(instance: Instance, module: str) -> list[psutil.Process]:
    """Those of the instance that run this module."""
    assert instance.process is not None
    return [each for each in psutil.Process(instance.process.pid).children(recursive=True)
            if module in each.cmdline()]


def test_an_emptied_queue_costs_nothing(instance: Instance, mail: MailServer) -> None:
    """Redis holds nudges alone: what it forgets the ticker finds in the rows."""
    campaign = Middle(instance, mail, "queue")
    queue = redis.Redis.from_url(facts_of(instance.data_dir)["redis_url"])
    for _ in range(10):
        queue.flushall()
        time.sleep(0.1)
    assert campaign.count < PEOPLE
    assert campaign.the_end()["uncertain"] == 0


def test_a_killed_database_comes_back_and_nobody_is_unsure(instance: Instance, mail: MailServer) -> None:
    """Workers keep what they know until the database takes it, however long that is."""
    campaign = Middle(instance, mail, "database")
    note = instance.data_dir / "postgres" / "postmaster.pid"
    postmaster = int(note.read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    assert campaign.count < PEOPLE
    assert campaign.the_end()["uncertain"] == 0
    assert int(note.read_text().split()[0]) != postmaster


def test_workers_that_are_told_to_end_finish_what_they_hold(instance: Instance, mail: MailServer) -> None:
    """Engine guarantee 6: stop claiming, finish what is handed, release the rest."""
    campaign = Middle(instance, mail, "workers")
    for worker in processes(instance, "workers.main"):
        worker.terminate()
    assert campaign.count < PEOPLE
    assert campaign.the_end()["uncertain"] == 0
    assert "worker_ended" in (instance.data_dir / "logs" / "worker-1.log").read_text()


def test_a_killed_ticker_is_not_missed(instance: Instance, mail: MailServer) -> None:
    campaign = Middle(instance, mail, "ticker")
    for ticker in processes(instance, "workers.ticker"):
        ticker.kill()
    assert campaign.count < PEOPLE
    assert campaign.the_end()["uncertain"] == 0


def test_a_mail_server_that_dies_and_comes_back_leaves_one_unsure_a_connection(
        instance: Instance, mail: MailServer) -> None:
    """Engine guarantee 2."""
    campaign = Middle(instance, mail, "mail")
    mail.kill()
    assert campaign.count < PEOPLE
    time.sleep(1)
    mail.start()
    assert campaign.the_end()["uncertain"] <= CONNECTIONS * PROCESSES


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


def write_much(instance: Instance) -> None:
    """What the database cannot take on a full disk, however it says so: an error, or by going away."""
    url = facts_of(instance.data_dir)["database_url"].replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE ballast AS SELECT repeat('x', 900) FROM generate_series(1, 300000)")


@pytest.mark.skipif(shutil.which("mount") is None, reason="no mount program")
def test_a_full_disk_stops_a_campaign_and_an_empty_one_lets_it_go_on(tmp_path: Path, mail: MailServer) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk), live(disk, mail) as instance:
        campaign = Middle(instance, mail, "disk")
        fill(disk / "ballast")
        assert campaign.count < PEOPLE
        with pytest.raises(psycopg.Error):
            write_much(instance)
        time.sleep(3)
        assert shutil.disk_usage(disk).free < 1 << 20
        (disk / "ballast").unlink()
        campaign.the_end()
