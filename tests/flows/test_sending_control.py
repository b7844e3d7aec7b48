"""Planning, pausing, stopping, expiring, caps: each person at most once, and the sum holds at every look (T5, T14)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import sleep

import pytest
from sqlalchemy import text

from mailer.campaigns import close, launch
from mailer.core.errors import CannotSend
from mailer.core.messages import CampaignState
from mailer.outbox import dispatch, end_waiting
from mailer.outbox.keep_back import keep_back
from tests.conftest import FixedClock
from tests.fakes.smtp_server import SmtpServer
from tests.flows.world import Sending

PEOPLE = 160
"""More than three slices as they begin."""


@pytest.fixture
def people(world: Sending) -> list[int]:
    return world.people(PEOPLE)


def test_several_workers_hand_everybody_over_once(world: Sending, people: list[int]) -> None:
    """Engine guarantees 1, 2 and 4."""
    number = world.launched()
    with ThreadPoolExecutor(4) as pool:
        for turn in [pool.submit(world.turns_to_the_end, number, f"worker{place}") for place in range(4)]:
            turn.result()
    seen = world.tick(number)
    assert (seen.accepted, seen.state) == (PEOPLE, CampaignState.SENT)
    assert len(world.taken) == PEOPLE and set(world.taken.values()) == {1}
    assert len({each.message_id for each in world.server.record.deliveries}) == PEOPLE


def test_planning_that_runs_twice_at_once_plans_nobody_twice(world: Sending, people: list[int]) -> None:
    number = world.campaign()

    def step(_: int) -> bool:
        with world.unit() as ctx:
            return launch.step(ctx, number, world.services.settings.data_dir / "exits")

    with ThreadPoolExecutor(4) as pool:
        while any(pool.map(step, range(4))):
            continue
    world.launch(number)
    assert world.status(number).planned == len(world.rows(number)) == PEOPLE
    assert world.sql("SELECT sum(n) FROM campaign_count WHERE state = 'planned'") == [(PEOPLE,)]


def test_planning_that_was_cut_off_goes_on_where_it_was(world: Sending, people: list[int]) -> None:
    """A launch that never committed has planned nothing."""
    number = world.campaign()
    with pytest.raises(ZeroDivisionError), world.unit() as ctx:
        launch.step(ctx, number, world.services.settings.data_dir / "exits")
        raise ZeroDivisionError
    assert not world.rows(number)
    world.launch(number)
    assert world.turns_to_the_end(number).accepted == PEOPLE


def test_two_campaigns_to_overlapping_lists_reach_each_person_once_each(world: Sending, people: list[int]) -> None:
    """Engine guarantee 1."""
    shared = people[:40]
    world.people(20, "others")
    world.join(shared, "others")
    first, second = world.launched("everybody", "First"), world.launched("others", "Second")
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(world.turns_to_the_end, (first, second), ("worker1", "worker2")))
    assert [seen.accepted for seen in done] == [PEOPLE, 60]
    assert set(world.server.record.counts.values()) == {1}
    both = {world.address(each) for each in shared}
    assert {address for address, times in world.taken.items() if times == 2} == both


def test_a_paused_campaign_stops_within_a_slice_and_goes_on_when_it_is_resumed(
        world: Sending, people: list[int]) -> None:
    """Engine guarantee 6."""
    number = world.launched()
    world.way.between = lambda: world.control("pause", number)
    seen = world.turn(number)
    assert seen.state == CampaignState.PAUSED
    assert 0 < seen.accepted < PEOPLE
    assert world.turn(number, "worker2").accepted == seen.accepted
    world.control("resume", number)
    seen = world.turns_to_the_end(number)
    assert (seen.accepted, seen.state) == (PEOPLE, CampaignState.SENT)
    assert set(world.taken.values()) == {1}


def test_a_stopped_campaign_refuses_what_waits_and_keeps_what_was_sent(world: Sending, people: list[int]) -> None:
    """Decision 3: handed rows end as they end."""
    number = world.launched()
    world.way.between = lambda: world.control("stop", number)
    seen = world.turn(number)
    assert seen.state == CampaignState.STOPPED
    assert 0 < seen.accepted < PEOPLE
    assert dict(seen.refused_by_reason) == {"campaign_stopped": PEOPLE - seen.accepted}
    assert len(world.taken) == seen.accepted


def test_stopping_only_says_so_and_what_waits_ends_some_blocks_at_a_time(
        world: Sending, people: list[int]) -> None:
    """Whoever presses the button, or leaves meanwhile, waits for no million rows; the sum holds at every moment."""
    number = world.launched()
    each_in_a_block_of_its_own(world)
    world.control("stop", number)
    seen = world.status(number)
    assert (seen.state, seen.waiting) == (CampaignState.SENDING, PEOPLE)
    with world.unit() as ctx:
        assert close.end_some(ctx, number)
        # Would wait for the lock of a block until this transaction ends, if that held them all.
        world.leave(people[-1])
    seen = world.status(number)
    assert (seen.refused, seen.waiting) == (end_waiting.AT_ONCE, PEOPLE - end_waiting.AT_ONCE)
    assert not world.turn(number, "worker2").accepted and not world.taken
    assert (world.status(number).state, world.status(number).refused) == (CampaignState.STOPPED, PEOPLE)


def test_ending_what_waits_and_somebody_changing_a_preference_do_not_block_each_other(
        world: Sending, server: SmtpServer, people: list[int]) -> None:
    """Both need that person's preference and block: whoever takes them in another order fails one of the two."""
    every_week(world, people)
    server.wrong("rcpt:450 4.2.0 Greylisted")
    number = world.launched()
    world.turn(number)
    world.control("stop", number)

    def end_some() -> bool:
        with world.unit() as ctx:
            return close.end_some(ctx, number)

    with ThreadPoolExecutor(1) as pool, world.unit() as ctx:
        ctx.db.execute(text("UPDATE preference SET paused_until = NULL WHERE contact_point_id = :id"),
                       {"id": people[-1]})
        ending = pool.submit(end_some)
        sleep(0.5)
        keep_back(ctx, people[-1:])
        ctx.db.commit()
        assert ending.result(timeout=30)
    assert world.tick(number).refused == PEOPLE


def each_in_a_block_of_its_own(world: Sending) -> None:
    world.sql("DELETE FROM message_block")
    world.sql("INSERT INTO message_block (campaign_id, block, lane, open) "
              "SELECT campaign_id, contact_point_id, 0, true FROM message")
    world.sql("UPDATE message SET block = contact_point_id")


def test_what_comes_back_from_a_worker_after_a_stop_is_refused_too(
        world: Sending, server: SmtpServer, people: list[int]) -> None:
    """Otherwise it would wait for ever, and the campaign would never close."""
    number = world.launched()
    server.wrong("mail:close")
    world.way.between = lambda: world.control("stop", number)
    seen = world.turn(number)
    assert (seen.state, seen.refused, seen.accepted) == (CampaignState.STOPPED, PEOPLE, 0)
    assert not server.record.deliveries


def test_what_a_server_deferred_is_refused_when_the_campaign_is_stopped(
        world: Sending, server: SmtpServer, people: list[int]) -> None:
    number = world.launched()
    server.wrong("rcpt:450 4.2.0 Greylisted*30")
    assert world.turn(number).waiting_by_state["deferred"] == 30
    world.control("stop", number)
    seen = world.tick(number)
    assert (seen.state, seen.accepted, seen.refused) == (CampaignState.STOPPED, PEOPLE - 30, 30)
    world.hurry()
    world.turn(number)
    assert len(world.taken) == PEOPLE - 30


def test_what_could_not_be_handed_over_in_time_expires(
        world: Sending, server: SmtpServer, people: list[int], clock: FixedClock) -> None:
    """A message has a `not_after`: nobody gets last week's news."""
    number = world.launched()
    server.wrong("rcpt:450 4.2.0 Greylisted*30")
    world.turn(number)
    clock.advance(hours=73)
    world.hurry()
    seen = world.turn(number)
    assert (seen.state, seen.accepted, seen.expired) == (CampaignState.SENT, PEOPLE - 30, 30)
    assert len(world.taken) == PEOPLE - 30


def test_a_campaign_nobody_began_in_time_expires_as_a_whole(
        world: Sending, people: list[int], clock: FixedClock) -> None:
    number = world.launched()
    clock.advance(hours=73)
    seen = world.turn(number)
    assert (seen.state, seen.expired) == (CampaignState.SENT, PEOPLE)
    assert not world.taken


def test_who_left_after_planning_is_refused_with_the_reason(world: Sending, people: list[int]) -> None:
    """M17."""
    number = world.launched()
    for point_id in people[:12]:
        world.leave(point_id)
    seen = world.turns_to_the_end(number)
    assert dict(seen.refused_by_reason) == {"unsubscribed": 12}
    assert {world.address(each) for each in people[:12]}.isdisjoint(world.taken)
    assert seen.accepted == PEOPLE - 12


def every_week(world: Sending, point_ids: list[int]) -> None:
    world.sql("UPDATE preference SET every_days = 7 WHERE contact_point_id = ANY(:ids)", ids=point_ids)


def test_one_campaign_a_week_is_one_campaign_a_week(world: Sending, people: list[int], clock: FixedClock) -> None:
    """Decision 6: the next is refused, not delayed."""
    every_week(world, people[:10])
    assert world.turns_to_the_end(world.launched()).accepted == PEOPLE
    clock.advance(days=2)
    assert dict(world.turns_to_the_end(world.launched()).refused_by_reason) == {"cap": 10}
    clock.advance(days=6)
    assert world.turns_to_the_end(world.launched()).accepted == PEOPLE


@pytest.mark.parametrize("fault", ["rcpt:550 5.1.1 nobody", "rcpt:450 4.2.0 Greylisted"])
def test_a_week_is_given_back_by_a_message_that_never_left(
        world: Sending, server: SmtpServer, people: list[int], fault: str) -> None:
    """Decision 6: failed at once, or deferred and then stopped."""
    every_week(world, people[:10])
    server.wrong(fault)
    number = world.launched()
    world.turn(number)
    if world.status(number).waiting:
        world.control("stop", number)
    assert not world.tick(number).waiting
    server.wrong()
    world.hurry()
    assert world.turns_to_the_end(world.launched()).accepted == PEOPLE


def test_a_week_is_given_back_by_a_message_that_expired(
        world: Sending, server: SmtpServer, people: list[int], clock: FixedClock) -> None:
    every_week(world, people[:10])
    server.wrong("rcpt:450 4.2.0 Greylisted")
    number = world.launched()
    world.turn(number)
    clock.advance(hours=73)
    assert world.tick(number).expired == PEOPLE
    server.wrong()
    world.hurry()
    assert world.turns_to_the_end(world.launched()).accepted == PEOPLE


def test_a_mode_that_is_switched_back_stops_a_turn_in_the_middle(world: Sending, people: list[int]) -> None:
    """Who goes back to Practice means at once, not after this turn's half minute."""
    world.services = replace(world.services, settings=replace(world.services.settings, mode=None))
    world.sql("UPDATE organisation SET mode = 'live'")
    number = world.launched()

    def back_to_practice() -> None:
        world.sql("UPDATE organisation SET mode = 'practice'")
        sleep(dispatch.LOOK_AGAIN)

    world.way.between = back_to_practice
    with world.seat() as seat, pytest.raises(CannotSend):
        dispatch.take_turn(seat, number)
    assert not world.taken
    world.sql("UPDATE organisation SET mode = 'live'")
    assert world.turns_to_the_end(number).accepted == PEOPLE
    assert set(world.taken.values()) == {1}
