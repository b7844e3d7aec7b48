"""Sending again to those whose answer was lost, over real SMTP: everybody has it, and only they may have it twice."""

from mailer.campaigns import control
from mailer.core.messages import CampaignState
from tests.fakes.smtp_server import SmtpServer
from tests.flows.world import Sending

PEOPLE = 60


def unsure(world: Sending, server: SmtpServer) -> tuple[int, set[int]]:
    """A campaign that ended while a few answers were lost; whose they are."""
    world.people(PEOPLE)
    number = world.launched()
    server.wrong("dot:close*3+5")
    seen = world.turns_to_the_end(number)
    server.wrong()
    assert seen.state == CampaignState.SENT and seen.uncertain == 3
    return number, {point for point, row in world.rows(number).items() if row.state == "uncertain"}


def again(world: Sending, number: int) -> int:
    with world.unit() as ctx:
        return control.send_uncertain(ctx, number)


def test_the_uncertain_get_it_and_nobody_else_gets_anything(world: Sending, server: SmtpServer) -> None:
    """Decision 8: the campaign never by itself, a person by a press."""
    number, lost = unsure(world, server)
    before = world.taken
    assert world.turn(number).uncertain == 3 and world.taken == before
    assert again(world, number) == 3
    seen = world.turns_to_the_end(number, "worker2")
    assert (seen.accepted, seen.uncertain, seen.state) == (PEOPLE, 0, CampaignState.SENT)
    more = world.taken - before
    assert set(more) == {world.address(point) for point in lost} and set(more.values()) == {1}
    assert {row.attempt for point, row in world.rows(number).items() if point in lost} == {2}


def test_who_left_meanwhile_gets_nothing(world: Sending, server: SmtpServer) -> None:
    """Engine guarantee 3: the gate is asked anew."""
    number, lost = unsure(world, server)
    leaver = min(lost)
    before = world.taken
    world.leave(leaver)
    again(world, number)
    seen = world.turns_to_the_end(number)
    assert (seen.accepted, dict(seen.refused_by_reason)) == (PEOPLE - 1, {"unsubscribed": 1})
    assert world.address(leaver) not in world.taken - before
