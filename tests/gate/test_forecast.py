"""The forecast says beforehand what the gate will do, and why, for one address or for all."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import text

from mailer.audience.models import ContactPoint
from mailer.core.errors import InvalidAddress
from mailer.core.messages import MessageClass, Purpose
from mailer.core.modes import Mode
from mailer.core.reasons import SUPPRESSING, Reason
from mailer.gate.forecast import Why, forecast, why
from mailer.services import Services, unit_of_work
from tests.gate.world import World, address_of, make

people = some.lists(some.fixed_dictionaries({
    "states": some.dictionaries(some.integers(0, 2), some.sampled_from(["live", "ended", "refused"]), min_size=1),
    "mode": some.sampled_from(list(Mode)),
    "partner": some.sampled_from([None, "live", "ended"]),
    "stops": some.lists(some.tuples(some.sampled_from(SUPPRESSING), some.sampled_from(["all", "list", 0, 1, 2]),
                                    some.integers(-2, 2)), max_size=3),
    "ruled": some.integers(0, 9).map(lambda n: n == 9),
    "hold": some.integers(0, 9).map(lambda n: n == 9),
    "paused": some.sampled_from([None, None, -1, 1]),
    "every": some.sampled_from([0, 0, 7, 30]),
    "last": some.sampled_from([None, 1, 8, 40]),
    "channel": some.sampled_from(["email", "email", "email", "sms"]),
    "keyed": some.integers(0, 9).map(lambda n: n < 9),
}), min_size=1, max_size=12)


def settle(world: World, row: dict[str, Any]) -> ContactPoint:
    """One random person, written down."""
    states, last, paused = row["states"], row["last"], row["paused"]
    point = world.person(
        None, mode=row["mode"], channel=row["channel"], keyed=row["keyed"], hold=row["hold"],
        every_days=row["every"], last_campaign_on=last and world.now.date() - timedelta(days=last),
        paused_until=paused and world.now + timedelta(days=paused))
    for topic, state in states.items():
        world.answers(point, state, topic=world.topics[topic], mode=row["mode"])
    if row["partner"]:
        world.answers(point, str(row["partner"]), topic=0, purpose=Purpose.PARTNER_OFFERS)
    if row["ruled"]:
        world.rule_domain_of(point)
    for reason, scope, ends in row["stops"]:
        world.stop(point.fingerprint, reason, list_id=0 if scope == "all" else world.list_id,
                   topic_id=world.topics[scope] if isinstance(scope, int) else 0,
                   until=world.now.date() + timedelta(days=ends) if ends else None)
    return point


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=people, mode=some.sampled_from(list(Mode)), partner=some.booleans(), topics=some.integers(1, 3))
def test_the_forecast_is_what_the_gate_then_does(
        services: Services, rows: list[dict[str, Any]], mode: Mode, partner: bool, topics: int) -> None:
    with unit_of_work(services) as ctx:
        world = make(ctx, services, topics=3, mode=mode)
        points = [settle(world, row) for row in rows]
        planned = [point for point, row in zip(points, rows, strict=True)
                   if any(topic < topics for topic in row["states"])]
        terms = world.campaign(
            mode=mode, topics=world.topics[:topics],
            kind=MessageClass.PARTNER_OFFER if partner else MessageClass.CAMPAIGN,
            purpose=Purpose.PARTNER_OFFERS if partner else Purpose.OWN_OFFERS)

        said = forecast(ctx, terms)
        done = world.decide(terms, *planned)

        assert said.inside == len(done.cleared)
        assert dict(said.reasons) == Counter(refusal.reason for refusal in done.refused)
        assert said.outside == sum(said.reasons.values())
        assert said.planned == len(planned)


def test_reasons_come_in_the_order_in_which_they_answer(world: World) -> None:
    world.person("refused")
    world.stop(world.person().fingerprint, Reason.NEVER)
    world.person(paused_until=world.now + timedelta(days=1))
    world.person("ended")

    assert list(forecast(world.ctx, world.campaign()).reasons) == [
        Reason.NEVER, Reason.UNSUBSCRIBED, Reason.NO_CONSENT, Reason.PAUSED]


def test_who_chose_other_topics_or_has_not_confirmed_stands_beside_the_sum(world: World) -> None:
    world.person()
    world.person(topic=world.topics[1])
    world.asks_to_join()

    said = forecast(world.ctx, world.campaign())

    assert (said.inside, said.outside, said.not_chosen, said.waiting) == (1, 0, 1, 1)


def test_a_forecast_opens_no_address_and_records_nothing(world: World) -> None:
    """M23: counting people shows nobody's address."""
    world.person()
    terms = world.campaign()

    forecast(world.ctx, terms)

    assert getattr(world.services.opener, "openings", None) == 0
    assert world.db.scalar(text("SELECT count(*) FROM decision")) == 0


def ask(world: World, address: str) -> Why:
    return why(world.ctx, world.campaign(), "email", address)


def address(world: World, point: ContactPoint) -> str:
    """The address that a person of this world was given."""
    return next(address_of(n) for n in range(1, 5000)
                if world.ctx.sealer.fingerprint("email", address_of(n)) == point.fingerprint)


def test_why_answers_for_addresses_nobody_knows(world: World) -> None:
    today = world.now.date()
    world.asks_to_join("asked@example.org")
    world.stop(world.ctx.sealer.fingerprint("email", "erased@example.org"), Reason.ERASED)

    assert ask(world, "stranger@example.org") == Why("out", Reason.NO_CONSENT)
    assert ask(world, "asked@example.org") == Why("out", Reason.NOT_CONFIRMED, since=today)
    assert ask(world, "Erased@Example.org") == Why("out", Reason.ERASED, since=today)
    with pytest.raises(InvalidAddress):
        ask(world, "nobody")


def test_why_answers_for_people_with_the_day_from_which_it_holds(world: World) -> None:
    today, until = world.now.date(), world.now + timedelta(days=12)
    fine, paused = world.person(), world.person(paused_until=until)
    capped, left = world.person(every_days=30, last_campaign_on=today - timedelta(days=3)), world.person()
    world.stop(left.fingerprint, Reason.UNSUBSCRIBED, list_id=world.list_id)

    assert ask(world, address(world, fine)) == Why("in", since=today)
    assert ask(world, address(world, paused)) == Why("out", Reason.PAUSED, until=until)
    assert ask(world, address(world, capped)) == Why("out", Reason.CAP, since=today - timedelta(days=3))
    assert ask(world, address(world, left)) == Why("out", Reason.UNSUBSCRIBED, since=today)


def test_why_answers_for_somebody_who_has_had_the_campaign_as_before(world: World) -> None:
    point, terms = world.person(every_days=7), world.campaign()
    world.decide(terms, point)

    assert why(world.ctx, terms, "email", address(world, point)).answer == "in"
    assert forecast(world.ctx, terms).inside == 1


def test_a_draft_without_a_month_of_its_own_is_forecast_too(world: World) -> None:
    world.person(every_days=7, last_campaign_on=world.now.date())
    terms = world.campaign()
    world.db.execute(text("DROP TABLE message_2026_03, decision_2026_03"))

    assert dict(forecast(world.ctx, terms).reasons) == {Reason.CAP: 1}
