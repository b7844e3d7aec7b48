"""Growth on Home: how many came and left, in steps that point at nobody (ux 6)."""

import pytest

from mailer.analytics import growth, k_anonymity
from mailer.audience.models import ContactPoint
from mailer.consent import ledger
from mailer.consent.ledger import Evidence
from mailer.core.modes import Mode
from mailer.services import Services, unit_of_work
from mailer.staff.roles import Role
from mailer.subscriptions.leave import leave
from tests.conftest import FixedClock
from tests.web.campaign_world import CampaignWorld
from tests.web.staff_world import text_of


@pytest.mark.parametrize(("series", "expected"), [
    ([[12, 0, 30, 10], [0, 0, 0, 0]], (1, [[12, 0, 30, 10], [0, 0, 0, 0]])),
    ([[9, 3, 30, 10], [0, 0, 0, 0]], (2, [[12, 40], [0, 0]])),
    ([[12, 12, 12, 12], [0, 9, 0, 1]], (4, [[48], [10]])),
    ([[40, 40, 40, 40], [0, 9, 0, 0]], None),
])
def test_steps_widen_until_none_points_at_anybody(series: list[list[int]], expected: object) -> None:
    """Ux 6, small numbers (3)."""
    assert k_anonymity.widened(series, (1, 2, 4)) == expected


def test_only_the_first_yes_and_the_last_goodbye_of_a_person_count(
        services: Services, world: CampaignWorld, clock: FixedClock) -> None:
    with unit_of_work(services) as ctx:
        points = ctx.db.query(ContactPoint).order_by(ContactPoint.id).all()
        clock.advance(days=10)
        for point in points[:15]:
            leave(ctx, point, how="unsubscribe_page")
        for point in points[15:30]:
            ledger.end_all(ctx, point, evidence=Evidence(how="preferences"))
            ledger.end_all(ctx, point, evidence=Evidence(how="preferences"))
    clock.advance(hours=1)
    with unit_of_work(services) as ctx:
        found = growth.of_weeks(ctx)
        assert found is not None and found.width == 1
        assert (sum(found.joined), sum(found.left)) == (40, 30)
        assert (found.joined[-2], found.left[-1]) == (40, 30)


def test_an_hour_is_counted_when_it_is_over_and_other_modes_not_at_all(
        services: Services, world: CampaignWorld, clock: FixedClock) -> None:
    """Decision 32: Practice counts towards no report afterwards."""
    with unit_of_work(services) as ctx:
        before = growth.of_weeks(ctx)
        assert before is not None and sum(before.joined) == 0
    clock.advance(hours=1)
    with unit_of_work(services) as ctx:
        after = growth.of_weeks(ctx)
        assert after is not None and sum(after.joined) == 40
    world.team.mode(Mode.TRIAL)
    with unit_of_work(services) as ctx:
        there = growth.of_weeks(ctx)
        assert there is not None and sum(there.joined) == 0


def test_home_draws_it_with_the_same_numbers_as_a_table(world: CampaignWorld, clock: FixedClock) -> None:
    clock.advance(hours=2)
    page = text_of(world.team.browser("cem@example.org", Role.COMPOSER).get("/staff"))
    assert "In 12 weeks 40 confirmed and 0 left: net +40. One bar is a week." in page
    assert page.count('id="growth-title"') == 1 and "The same numbers as a table" in page


def test_home_keeps_small_numbers_from_those_who_may_not_see_people(
        world: CampaignWorld, services: Services, clock: FixedClock) -> None:
    with unit_of_work(services) as ctx:
        for point in ctx.db.query(ContactPoint).limit(33):
            leave(ctx, point, how="unsubscribe_page")
    clock.advance(hours=1)
    composer = text_of(world.team.browser("cem@example.org", Role.COMPOSER).get("/staff"))
    assert 'data-test="people-email">fewer than 10<' in composer
    manager = text_of(world.team.browser("lou@example.org", Role.LIST_MANAGER).get("/staff"))
    assert 'data-test="people-email">7<' in manager
