"""What else breaks in the middle of a campaign: queue, database, workers told to end or asleep, mail server, disk.

Rows end in the right state, the sum holds at every look, nobody twice, nobody lost (T5, item 2).
"""

import os
import shutil
import signal
import time
from pathlib import Path

import psycopg
import pytest
import redis

from mailer.cli.instance import facts_of
from tests.chaos.disk import fill, small_disk
from tests.chaos.killing import processes, strike
from tests.chaos.live import CONNECTIONS, PEOPLE, PROCESSES, live
from tests.chaos.mail_server import MailServer
from tests.chaos.sending import Sending
from tests.instance import Instance

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]

DISK = 320
"""Megabytes of the small disk: enough for an empty instance, and soon full."""

PAST_ITS_CLEARANCE = 3.0
PAST_ITS_HOST = 130.0
"""Seconds of sleep after which a clearance is over, and after which a process counts as gone with its host."""


def middle(instance: Instance, mail: MailServer, subject: str) -> Sending:
    """A campaign that has begun and is not over."""
    sending = Sending(instance, [mail], subject)
    sending.reaches(PEOPLE // 5)
    return sending


def test_an_emptied_queue_costs_nothing(instance: Instance, mail: MailServer) -> None:
    """Redis holds nudges alone: what it forgets the ticker finds in the rows."""
    campaign = middle(instance, mail, "queue")
    queue = redis.Redis.from_url(facts_of(instance.data_dir)["redis_url"])
    for _ in range(5):
        queue.flushall()
        time.sleep(0.1)
    assert campaign.count < PEOPLE
    found = campaign.the_end()

    found.holds()
    assert found.uncertain == 0


def test_a_killed_database_comes_back_and_nobody_is_unsure(instance: Instance, mail: MailServer) -> None:
    """Workers keep what they know until the database takes it, however long that is."""
    campaign = middle(instance, mail, "database")
    note = instance.data_dir / "postgres" / "postmaster.pid"
    postmaster = int(note.read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    assert campaign.count < PEOPLE
    found = campaign.the_end()

    found.holds()
    assert found.uncertain == 0
    assert int(note.read_text().split()[0]) != postmaster


def test_workers_that_are_told_to_end_finish_what_they_hold(instance: Instance, mail: MailServer) -> None:
    """Engine guarantee 6: stop claiming, finish what is handed, release the rest."""
    campaign = middle(instance, mail, "workers")
    for worker in processes(instance, "worker"):
        strike(worker, signal.SIGTERM)
    assert campaign.count < PEOPLE
    found = campaign.the_end()

    found.holds()
    assert found.uncertain == 0
    assert "worker_ended" in (instance.data_dir / "logs" / "worker-1.log").read_text()


@pytest.mark.soak
def test_a_killed_ticker_is_not_missed(instance: Instance, mail: MailServer) -> None:
    campaign = middle(instance, mail, "ticker")
    for ticker in processes(instance, "ticker"):
        strike(ticker, signal.SIGKILL)
    assert campaign.count < PEOPLE
    found = campaign.the_end()

    found.holds()
    assert found.uncertain == 0


def test_a_worker_that_slept_past_its_clearances_begins_none_of_them(instance: Instance, mail: MailServer) -> None:
    """Decision 7: what it had not begun goes back; what it had begun is finished or unsure, never begun again."""
    campaign = middle(instance, mail, "asleep")
    _sleep(instance, PAST_ITS_CLEARANCE)
    found = campaign.the_end()

    found.holds()
    assert found.uncertain <= CONNECTIONS


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_a_worker_that_slept_until_its_host_counted_as_gone_neither_sends_nor_records_what_was_given_up(
        instance: Instance, mail: MailServer) -> None:
    """Decision 8: after 120 s its slices are unsure; awake again it may correct them, and writes to nobody twice."""
    campaign = middle(instance, mail, "gone")
    _sleep(instance, PAST_ITS_HOST)
    found = campaign.the_end()

    found.holds()


def _sleep(instance: Instance, seconds: float) -> None:
    sleeper = processes(instance, "worker")[0]
    strike(sleeper, signal.SIGSTOP)
    time.sleep(seconds)
    strike(sleeper, signal.SIGCONT)


def test_a_mail_server_that_dies_and_comes_back_leaves_one_unsure_a_connection(
        instance: Instance, mail: MailServer) -> None:
    """Engine guarantee 2."""
    campaign = middle(instance, mail, "mail")
    mail.kill()
    assert campaign.count < PEOPLE
    time.sleep(1)
    mail.start()
    found = campaign.the_end()

    found.holds()
    assert found.uncertain <= CONNECTIONS * PROCESSES


def write_much(instance: Instance) -> None:
    """What the database cannot take on a full disk, however it says so: an error, or by going away."""
    url = facts_of(instance.data_dir)["database_url"].replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE ballast AS SELECT repeat('x', 900) FROM generate_series(1, 300000)")


@pytest.mark.skipif(shutil.which("mount") is None, reason="no mount program")
def test_a_full_disk_stops_a_campaign_and_an_empty_one_lets_it_go_on(tmp_path: Path, mail: MailServer) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, DISK), live(disk, mail) as instance:
        instance.command("seed", "--people", str(PEOPLE))
        campaign = middle(instance, mail, "disk")
        fill(disk / "ballast")
        assert campaign.count < PEOPLE
        with pytest.raises(psycopg.Error):
            write_much(instance)
        time.sleep(3)
        assert shutil.disk_usage(disk).free < 1 << 20
        (disk / "ballast").unlink()
        campaign.the_end().holds()
