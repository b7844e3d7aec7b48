"""What a second worker brings, and what a dead one leaves, in a campaign that is being sent."""

import signal
import time
from pathlib import Path

import psycopg
import pytest
import redis

from tests.chaos.hosts import Shared, two_hosts
from tests.chaos.killing import processes, strike
from tests.chaos.live import CONNECTIONS, PEOPLE
from tests.chaos.mail_server import LIGHTLY, SLOWLY, MailServer, serving
from tests.chaos.sending import Sending, database, until
from tests.instance import Instance, running
from workers.jobs import CAMPAIGNS

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

JOBS_ARE_BACK_WITHIN = 15.0
"""Seconds from a worker's death until others have its jobs and its rows."""

SECOND_WORKER_ADDS = 0.6

MANY = 8_000


def slices(instance: Instance) -> set[int]:
    """What processes have in hand."""
    with psycopg.connect(database(instance)) as connection:
        return {slice_id for (slice_id,) in connection.execute("SELECT id FROM slice").fetchall()}


def test_what_a_killed_worker_had_in_hand_is_back_within_fifteen_seconds(instance: Instance, mail: MailServer) -> None:
    campaign = Sending(instance, [mail], "Dead")
    campaign.reaches(PEOPLE // 5)
    strike(processes(instance, "worker")[0], signal.SIGKILL)
    killed = time.monotonic()
    in_hand = slices(instance)
    assert in_hand and campaign.count < PEOPLE
    until(lambda: not in_hand & slices(instance), JOBS_ARE_BACK_WITHIN)
    print(f"a killed worker's rows were back after {time.monotonic() - killed:.1f} s")
    found = campaign.the_end()

    found.everybody(PEOPLE)
    assert found.uncertain <= CONNECTIONS


@pytest.mark.soak
def test_a_dead_workers_jobs_go_to_another_within_fifteen_seconds_without_a_ticker(shared: Shared) -> None:
    """Dramatiq alone brings them back: nothing runs but the worker that takes over, and no row is nudged anew."""
    with two_hosts(shared, PEOPLE, SLOWLY) as (north, south):
        north.start("worker", "tick")
        campaign = Sending(north, [north.relay, south.relay], "Taken over")
        campaign.reaches(PEOPLE // 5)
        assert not redis.Redis.from_url(shared.redis_url).llen(f"dramatiq:{CAMPAIGNS}"), "another nudge waits"
        north.end(signal.SIGKILL)
        killed = time.monotonic()
        assert campaign.count < PEOPLE
        south.start("worker")
        until(lambda: south.relay.count > 0, JOBS_ARE_BACK_WITHIN)
        print(f"a dead worker's job was taken up after {time.monotonic() - killed:.1f} s")
        north.start("tick")
        found = campaign.the_end()

        found.everybody(PEOPLE)
        assert found.uncertain <= CONNECTIONS


@pytest.mark.soak
def test_a_second_worker_adds_three_fifths_where_the_mail_server_takes_its_time(tmp_path: Path) -> None:
    """It answers each dot after 20 ms; all settings are the defaults."""
    one, two = (rate(tmp_path / str(workers), workers) for workers in (1, 2))
    print(f"one worker sends {one:.0f}/s, two send {two:.0f}/s (+{two / one - 1:.0%})")
    assert two >= (1 + SECOND_WORKER_ADDS) * one


def rate(folder: Path, workers: int) -> float:
    """Messages a second with so many worker processes, without the first and last tenth of the campaign."""
    folder.mkdir()
    with serving(folder / "taken.tsv", *LIGHTLY) as mail, running(
            folder, MAILER_MODE="live", SMTP_URL=mail.url, MAIL_FROM="news@example.org",
            WORKER_PROCESSES=str(workers)) as instance:
        instance.command("seed", "--people", str(MANY))
        campaign = Sending(instance, [mail], "Rate")
        campaign.the_end().everybody(MANY)
        times = sorted(each.at for each in mail.taken())[MANY // 10:-MANY // 10]
        return (len(times) - 1) / (times[-1] - times[0])
