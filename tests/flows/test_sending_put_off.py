"""What a server puts off comes back later each time, a little apart from each other (decision 38)."""

from datetime import datetime

import pytest

from mailer.core.channel import Fate, Outcome
from mailer.outbox import record
from mailer.services import Services
from tests.fakes.smtp_server import SmtpServer
from tests.flows.world import Sending
from tests.outbox.a_campaign import ACampaign

LATER = "rcpt:450 4.2.0 Greylisted"


def minutes(world: Sending) -> list[float]:
    """How long each deferred row still waits."""
    return [float(found) for (found,) in world.sql(
        "SELECT extract(epoch FROM until - clock_timestamp()) / 60 FROM message WHERE state = 'deferred'")]


def test_only_a_servers_answers_make_the_next_wait_longer(world: Sending, server: SmtpServer) -> None:
    """A row that came back five times unbegun is not kept waiting for hours by its first greylisting."""
    world.people(1)
    number = world.launched()
    for _ in range(5):
        server.wrong("mail:close")
        world.turn(number)
        world.hurry()
    (row,) = world.rows(number).values()
    assert (row.state, row.attempt >= 5) == ("ready", True)
    server.wrong(LATER)
    world.turn(number)
    assert 3.9 < minutes(world)[0] <= 6
    world.hurry()
    world.turn(number)
    assert 11.9 < minutes(world)[0] <= 18
    world.hurry()
    server.wrong()
    assert world.turn(number).accepted == 1


def test_a_server_that_was_not_reached_has_not_answered(services: Services) -> None:
    campaign = ACampaign(services, 1)
    for _ in range(3):
        slice_id, (point,) = campaign.hand(1)
        with campaign.cursor() as cursor:
            record.record(cursor, record.Place(campaign.id, campaign.month, slice_id, "worker1"),
                          [Outcome(point, Fate.DEFERRED, "connect")])
        campaign.sql("UPDATE message SET state = 'ready'")
    assert {tries for (tries,) in campaign.sql("SELECT tries FROM message_block")} == {0}


def test_what_was_put_off_together_does_not_come_back_together(services: Services) -> None:
    """A factor between 0.8 and 1.2 for every block, and for every lane that rests."""
    campaign = ACampaign(services, 60)
    slice_id, points = campaign.hand(60)
    with campaign.cursor() as cursor:
        record.record(cursor, record.Place(campaign.id, campaign.month, slice_id, "worker1"),
                      [Outcome(point, Fate.DEFERRED, "421", lane_down=True) for point in points])
    for table, column, usual in (("message_block", "not_before", 300), ("lane_hold", "until", 5)):
        whens = [when for (when,) in campaign.sql(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")]
        ((now,),) = campaign.sql("SELECT clock_timestamp()")
        assert apart(whens) > usual / 50
        assert all(0.8 * usual - 3 < (when - now).total_seconds() <= 1.2 * usual for when in whens)


def apart(whens: list[datetime]) -> float:
    return (max(whens) - min(whens)).total_seconds()


@pytest.mark.parametrize("held", [False, True])
def test_lanes_rest_for_a_silent_server_only_where_the_server_itself_does_not(services: Services, held: bool) -> None:
    """Whoever has a server tried at once must not wait for lanes; and one slice may hold many blocks of one lane."""
    campaign = ACampaign(services, 400)
    slice_id, points = campaign.hand(400)
    if held:
        campaign.sql("INSERT INTO server_hold (server, until, since, step, code) VALUES "
                     "('relay', clock_timestamp() + interval '1 minute', clock_timestamp(), 1, 'connect')")
    with campaign.cursor() as cursor:
        record.record(cursor, record.Place(campaign.id, campaign.month, slice_id, "worker1"),
                      [Outcome(point, Fate.UNBEGUN, "connect", lane_down=True) for point in points])
    assert bool(campaign.sql("SELECT lane FROM lane_hold")) is not held
    assert campaign.sql("SELECT 1 FROM message_block GROUP BY lane HAVING count(*) > 1")
