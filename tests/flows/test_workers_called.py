"""The ticker calls processes that take no part in a campaign, so that a lost nudge or a new process is not missed."""

from mailer.core.jobs import Job
from tests.conftest import RememberedJobs
from tests.flows.world import Sending
from workers import ticker


def called(world: Sending, jobs: RememberedJobs) -> list[tuple[Job, tuple[int, ...]]]:
    jobs.sent.clear()
    with world.unit() as ctx:
        ticker.call_workers(ctx)
    return jobs.sent


def holds(world: Sending, worker: str, number: int) -> None:
    world.sql("INSERT INTO slice (worker, campaign_id, opened_at) VALUES (:worker, :number, clock_timestamp())",
              worker=worker, number=number)


def test_each_process_that_holds_nothing_of_a_campaign_is_called(world: Sending, jobs: RememberedJobs) -> None:
    world.people(3)
    number = world.launched()
    assert called(world, jobs) == [(Job.DISPATCH, (number,))]
    for worker in ("one", "two", "three"):
        world.sign_of_life(worker)
    assert called(world, jobs) == [(Job.DISPATCH, (number,))] * 3
    holds(world, "two", number)
    assert called(world, jobs) == [(Job.DISPATCH, (number,))] * 2
    world.sql("UPDATE worker SET seen_at = clock_timestamp() - interval '1 minute' WHERE id = 'one'")
    assert called(world, jobs) == [(Job.DISPATCH, (number,))]
    holds(world, "three", number)
    assert called(world, jobs) == []


def test_who_sends_one_campaign_is_called_for_the_other(world: Sending, jobs: RememberedJobs) -> None:
    world.people(3)
    first, second = world.launched(), world.launched(subject="More words")
    world.sign_of_life("one")
    holds(world, "one", first)
    assert called(world, jobs) == [(Job.DISPATCH, (second,))]


def test_in_practice_one_process_is_enough(world: Sending, jobs: RememberedJobs) -> None:
    world.people(3)
    number = world.launched()
    world.sql("UPDATE campaign SET mode = 'practice' WHERE id = :id", id=number)
    for worker in ("one", "two"):
        world.sign_of_life(worker)
    assert called(world, jobs) == [(Job.DISPATCH, (number,))]
    holds(world, "one", number)
    assert called(world, jobs) == []


def test_nobody_is_called_where_nothing_is_open(world: Sending, jobs: RememberedJobs) -> None:
    world.people(3)
    number = world.launched()
    world.sign_of_life("one")
    world.turn(number)
    assert called(world, jobs) == []
