"""Deciding a slice of a campaign on a real database."""

from datetime import timedelta
from typing import Any, Self

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from mailer.audience.models import Preference
from mailer.core.messages import MessageClass, Purpose
from mailer.core.modes import Mode
from mailer.core.reasons import Reason
from mailer.gate import caps
from mailer.services import Services, unit_of_work
from tests.gate.world import MONTH, World, make, raw


def recorded(world: World) -> list[tuple[int, int, bool, str | None]]:
    return [tuple(row) for row in world.db.execute(text(
        "SELECT contact_point_id, attempt, cleared, reason FROM decision ORDER BY contact_point_id, attempt"))]


def refusal(world: World, **person: Any) -> Reason | None:
    """Why a campaign to the first topic is refused to such a person, None when it is not."""
    answers = world.decide(world.campaign(), world.person(**person))
    return answers.refused[0].reason if answers.refused else None


def test_who_consented_is_cleared_for_one_attempt_and_one_address(world: World) -> None:
    terms, point = world.campaign(), world.person(name="Ada", format="text")

    answers = world.decide(terms, point, attempt=2)

    (clearance,) = answers.cleared
    assert (clearance.slice, clearance.row, clearance.attempt, clearance.channel) == (7, point.id, 3, "email")
    assert clearance.address.endswith("@example.org")
    assert (clearance.begin_before, clearance.text_only, clearance.fields) == (99.5, True, {})
    assert recorded(world) == [(point.id, 3, True, None)]


def test_a_clearance_opens_exactly_the_fields_that_the_content_names(world: World) -> None:
    terms = world.campaign(fields=("first name",))
    ada, nameless = world.person(name="Ada"), world.person()

    cleared = {each.row: each.fields for each in world.decide(terms, ada, nameless).cleared}

    assert cleared == {ada.id: {"first name": "Ada"}, nameless.id: {}}


def test_nothing_of_a_clearance_is_printed(world: World) -> None:
    (clearance,) = world.decide(world.campaign(), world.person()).cleared

    assert clearance.address not in repr(clearance)


def test_each_no_is_recorded_with_its_reason(world: World) -> None:
    left, fine = world.person(), world.person()
    world.stop(left.fingerprint, Reason.UNSUBSCRIBED)

    answers = world.decide(world.campaign(), left, fine)

    assert answers.refused == [(left.id, 1, Reason.UNSUBSCRIBED)]
    assert recorded(world) == [(left.id, 1, False, "unsubscribed"), (fine.id, 1, True, None)]


def test_an_entry_for_another_list_channel_or_past_its_end_stops_nothing(world: World) -> None:
    point, today = world.person(), world.now.date()
    world.stop(point.fingerprint, Reason.UNSUBSCRIBED, list_id=world.list_id + 1000)
    world.stop(point.fingerprint, Reason.STOPPED, channel="sms")
    world.stop(point.fingerprint, Reason.NOT_ME, until=today)

    assert len(world.decide(world.campaign(), point).cleared) == 1

    world.stop(point.fingerprint, Reason.NOT_ME, until=today + timedelta(days=1))
    assert world.decide(world.campaign(), point).refused[0].reason is Reason.NOT_ME

    world.stop(point.fingerprint, Reason.CHILD, list_id=world.list_id)
    assert world.decide(world.campaign(), point).refused[0].reason is Reason.CHILD


def test_a_stop_of_topics_covers_the_campaigns_that_have_no_other_and_revives_no_consent(world: World) -> None:
    """T13, item 14: scope by topic, list and everything; a stop ends the consents that it covers."""
    first, second = world.topics
    both, one = world.campaign(topics=world.topics), world.campaign()
    point = world.person()
    world.answers(point, "live", topic=second)
    world.stop(point.fingerprint, Reason.STAFF_STOP, list_id=world.list_id, topic_id=first)

    assert world.decide(one, point).refused[0].reason is Reason.STAFF_STOP
    assert len(world.decide(both, point).cleared) == 1
    assert len(world.decide(world.campaign(topics=[second]), point).cleared) == 1

    world.stop(point.fingerprint, Reason.UNSUBSCRIBED, list_id=world.list_id, topic_id=second)
    assert world.decide(both, point, attempt=1).refused[0].reason is Reason.UNSUBSCRIBED

    # The topic that is left was never agreed to: what remains of the stopped one carries nobody there.
    narrow = world.person()
    world.stop(narrow.fingerprint, Reason.STAFF_STOP, list_id=world.list_id, topic_id=first)
    assert world.decide(both, narrow).refused[0].reason is Reason.UNSUBSCRIBED


def test_a_rule_for_a_domain_stops_everybody_there_and_nobody_elsewhere(world: World) -> None:
    ruled, other = world.person(), world.person()
    world.rule_domain_of(ruled)

    answers = world.decide(world.campaign(), ruled, other)

    assert answers.refused == [(ruled.id, 1, Reason.DOMAIN_RULE)]
    assert [each.row for each in answers.cleared] == [other.id]


def test_answers_to_topics_and_addresses_are_read_as_they_stand(world: World) -> None:
    first, second = world.topics
    assert refusal(world, state="refused") is Reason.NO_CONSENT
    assert refusal(world, state="ended") is Reason.UNSUBSCRIBED
    assert refusal(world, state=None) is Reason.NO_CONSENT
    assert refusal(world, state="live", topic=second) is Reason.NOT_TOPIC
    assert refusal(world, hold=True) is Reason.HOLD
    assert refusal(world, paused_until=world.now + timedelta(days=1)) is Reason.PAUSED
    assert refusal(world, channel="sms") is Reason.NO_ADDRESS
    assert refusal(world, keyed=False) is Reason.NO_ADDRESS
    narrowed = world.person("ended", topic=first)
    world.answers(narrowed, "live", topic=second)
    assert world.decide(world.campaign(), narrowed).refused[0].reason is Reason.NOT_TOPIC
    assert world.decide(world.campaign(topics=world.topics), narrowed).cleared


def test_somebody_erased_since_planning_is_refused_as_erased(world: World) -> None:
    terms, point = world.campaign(), world.person()
    gone = point.id
    world.db.execute(text("DELETE FROM person WHERE id = :id"), {"id": point.person_id})

    assert world.decide(terms, point).refused == [(gone, 1, Reason.ERASED)]


def test_a_partners_offer_goes_to_those_who_said_yes_to_that_too(world: World) -> None:
    terms = world.campaign(kind=MessageClass.PARTNER_OFFER, purpose=Purpose.PARTNER_OFFERS)
    without, with_it = world.person(), world.person()
    world.answers(with_it, "live", topic=0, purpose=Purpose.PARTNER_OFFERS)

    answers = world.decide(terms, without, with_it)

    assert [each.row for each in answers.cleared] == [with_it.id]
    assert answers.refused == [(without.id, 1, Reason.PARTNER_OFFERS_OFF)]


def test_a_rehearsed_consent_does_not_count_in_live_but_for_a_team_address(world: World) -> None:
    practised, tried, team = (world.person(mode=mode) for mode in (Mode.PRACTICE, Mode.TRIAL, Mode.TRIAL))
    member = world.staff("team@example.org")
    member.email_fingerprint = team.fingerprint

    answers = world.decide(world.campaign(), practised, tried, team)

    assert [each.row for each in answers.cleared] == [team.id]
    assert {each.reason for each in answers.refused} == {Reason.PRACTICE_CONSENT}
    assert len(world.decide(world.campaign(mode=Mode.PRACTICE), practised, tried).cleared) == 2


def test_a_second_campaign_in_the_week_is_refused_and_a_try_of_the_same_one_is_not(world: World) -> None:
    point, terms = world.person(every_days=7), world.campaign()

    assert world.decide(terms, point).cleared
    assert world.db.get_one(Preference, point.id).last_campaign_on == world.now.date()
    assert world.decide(world.campaign(), point).refused[0].reason is Reason.CAP
    assert world.decide(terms, point, attempt=1).cleared


def test_a_cap_comes_free_when_the_message_ended_badly_or_is_refused_later(world: World) -> None:
    failed, paused = world.person(every_days=7), world.person(every_days=30)
    terms = world.campaign()
    day = world.decide(terms, failed, paused).day

    caps.give_back(raw(world.ctx), [failed.id], day)
    world.db.get_one(Preference, paused.id).paused_until = world.now + timedelta(days=1)
    assert world.decide(terms, paused, attempt=1).refused[0].reason is Reason.PAUSED
    world.db.get_one(Preference, paused.id).paused_until = None

    assert len(world.decide(world.campaign(), failed, paused).cleared) == 2


def test_a_campaign_in_practice_counts_towards_no_cap(world: World) -> None:
    point = world.person(every_days=7)

    assert world.decide(world.campaign(mode=Mode.PRACTICE), point).cleared
    assert world.db.get_one(Preference, point.id).last_campaign_on is None


def test_a_cap_that_another_worker_holds_is_left_for_later(services: Services) -> None:
    with unit_of_work(services) as ctx:
        world = make(ctx, services)
        terms, capped, free = world.campaign(), world.person(every_days=7), world.person()
    with unit_of_work(services) as other:
        assert caps.take(raw(other), [capped.id, free.id]) == {capped.id}
        with unit_of_work(services) as ctx:
            world = World(ctx, services, world.list_id, world.topics)
            answers = world.decide(terms, capped, free)
            assert recorded(world) == [(free.id, 1, True, None)]

    assert (answers.later, [each.row for each in answers.cleared]) == ([capped.id], [free.id])


def test_who_leaves_after_the_rows_were_locked_is_refused(services: Services) -> None:
    """T6: the facts are read in statements of their own, so they are what committed last (decision 7)."""
    with unit_of_work(services) as ctx:
        world = make(ctx, services)
        terms, point = world.campaign(), world.person()
        world.plan(terms, point)
    with unit_of_work(services) as ctx:
        ctx.db.execute(text("SELECT 1 FROM message WHERE month = :month FOR UPDATE"), {"month": MONTH})
        with unit_of_work(services) as leaver:
            World(leaver, services, world.list_id, world.topics).stop(point.fingerprint, Reason.UNSUBSCRIBED)
        answers = World(ctx, services, world.list_id, world.topics).decide(terms, point)

    assert (answers.cleared, answers.refused[0].reason) == ([], Reason.UNSUBSCRIBED)


@pytest.mark.parametrize("decided", ["NULL, NULL", "1, NULL", "NULL, true", "1, true", "1, false", "2, true"])
def test_the_database_refuses_a_handed_message_without_a_recorded_yes(world: World, decided: str) -> None:
    terms, point = world.campaign(), world.person()
    world.stop(point.fingerprint, Reason.NEVER)
    world.plan(terms, point)
    world.decide(terms, point)

    with pytest.raises(IntegrityError), world.db.begin_nested():
        world.db.execute(text(
            f"UPDATE message SET state = 'handed', (decided, cleared) = ROW({decided}) WHERE month = :month"),
            {"month": MONTH})
        world.db.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_the_database_takes_a_handed_message_with_its_yes(world: World) -> None:
    terms, point = world.campaign(), world.person()
    world.plan(terms, point)
    world.decide(terms, point)

    world.db.execute(text("UPDATE message SET state = 'handed', decided = 1, cleared = true WHERE month = :month"),
                     {"month": MONTH})


def test_the_same_attempt_is_never_decided_twice(world: World) -> None:
    terms, point = world.campaign(), world.person()
    world.decide(terms, point)

    with pytest.raises(psycopg.errors.UniqueViolation), world.db.begin_nested():
        world.decide(terms, point)


class CountingCursor(psycopg.Cursor[Any]):
    """Counts the statements it runs."""

    asked = 0

    def execute(self, *args: Any, **kwargs: Any) -> Self:
        type(self).asked += 1
        return super().execute(*args, **kwargs)


def test_a_slice_costs_the_same_number_of_statements_however_many_rows_it_has(world: World) -> None:
    few, many = [world.person(every_days=7)], [world.person(every_days=7) for _ in range(12)]
    cursor, costs = CountingCursor(raw(world.ctx).connection), []

    for group in (few, many):
        CountingCursor.asked = 0
        world.decide(world.campaign(), *group, cursor=cursor)
        costs.append(CountingCursor.asked)

    assert costs[0] == costs[1]
