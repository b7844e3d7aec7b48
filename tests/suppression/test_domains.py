"""Rules for mail domains: at the form, in the gate for every class of message, and in the answers about one address."""

from datetime import date

import pytest

from mailer.core.messages import MessageClass
from mailer.core.reasons import Reason
from mailer.gate import single_facts
from mailer.gate.forecast import Why, forecast, why
from mailer.outbox.models import SingleMessage
from mailer.services import Services, unit_of_work
from mailer.suppression import domains
from tests.builders import World
from tests.gate import world as gate

TODAY = date(2026, 3, 2)


@pytest.fixture
def world(services: Services) -> World:
    made = World(services)
    news = made.a_list()
    made.a_form(news)
    made.subscribed("dana@ruled.example", list(news.topics.values()))
    return made


def rule(world: World, name: str = "ruled.example") -> None:
    with world.unit() as ctx:
        domains.add(ctx, name)


def test_at_the_form_a_ruled_domain_gets_the_same_answer_and_no_message(world: World) -> None:
    rule(world, "Ruled.Example.")
    assert world.asked("eli@ruled.example", [1]) is None
    assert world.asked("eli@sub.ruled.example", [1]) and world.asked("eli@unruled.example", [1])
    assert world.point("dana@ruled.example") and "live" in world.stands("dana@ruled.example").values()


def test_a_request_that_waited_when_the_rule_came_is_refused_its_message(world: World) -> None:
    assert world.asked("eli@ruled.example", [1])
    rule(world)
    with world.unit() as ctx:
        row = ctx.db.query(SingleMessage).filter_by(kind=MessageClass.CONFIRMATION).order_by(
            SingleMessage.id.desc()).first()
        assert row
        [found] = single_facts.read(ctx, [row], ctx.clock.now())
    assert found.facts.suppressed == {Reason.DOMAIN_RULE}


def test_forecast_and_why_say_what_the_gate_says_and_a_rule_taken_back_leaves_everybody_as_they_were(
        services: Services) -> None:
    with unit_of_work(services) as ctx:
        world = gate.make(ctx, services)
        point = world.person()
        terms = world.campaign()
        assert forecast(ctx, terms).inside == 1
        world.rule_domain_of(point)
        assert dict(forecast(ctx, terms).reasons) == {Reason.DOMAIN_RULE: 1}
        domains.add(ctx, "nobody-yet.example")
        assert why(ctx, terms, "email", "anybody@nobody-yet.example") == Why("out", Reason.DOMAIN_RULE, since=TODAY)
        assert [rule.name for rule in domains.listed(ctx)] == [f"d{point.id}.example", "nobody-yet.example"]
        assert domains.remove(ctx, "nobody-yet.example") and not domains.remove(ctx, "nobody-yet.example")
        assert why(ctx, terms, "email", "anybody@nobody-yet.example") == Why("out", Reason.NO_CONSENT)
        ctx.db.delete(domains.listed(ctx)[0])
        assert forecast(ctx, terms).inside == 1
