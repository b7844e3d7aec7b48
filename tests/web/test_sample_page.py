"""One press removes the sample, all of it and nothing else."""

import pytest
from flask import Flask

from mailer.sample import load
from mailer.services import Services, unit_of_work
from mailer.staff.roles import Role
from tests.web.campaign_world import CampaignWorld, number_in
from tests.web.staff_world import Browser, Team, errors_of, text_of

PAGE = "/staff/settings/sample"


@pytest.fixture
def ana(services: Services, world: CampaignWorld) -> Browser:
    """An Admin in a house with forty people of its own, a campaign, and the sample."""
    world.campaign()
    with unit_of_work(services) as ctx:
        load.load(ctx)
    return world.team.browser("ana@example.org", Role.ADMIN)


def count(team: Team, query: str) -> object:
    return team.one(f"SELECT count(*) FROM {query}")


def test_what_goes_is_named_and_looking_removes_nothing(team: Team, ana: Browser) -> None:
    assert PAGE in text_of(ana.get("/staff/settings"))
    page = ana.get(PAGE)
    assert number_in(page, "sample-people").startswith("320 made-up people")
    assert number_in(page, "sample-campaigns").startswith("7 sample campaigns")
    assert number_in(page, "sample-stops").startswith("37 made-up entries")
    assert count(team, "person WHERE sample") == 320


def test_one_press_removes_all_of_it_and_nothing_else(team: Team, ana: Browser, app: Flask) -> None:
    own = [count(team, query) for query in ("person WHERE NOT sample", "campaign WHERE NOT sample", "staff", "notice",
                                            "standing JOIN contact_point ON contact_point.id = contact_point_id "
                                            "JOIN person ON person.id = person_id WHERE NOT sample")]
    assert own[:2] == [40, 1]
    assert ana.post(PAGE, PAGE).status_code == 303
    assert own == [count(team, query) for query in ("person", "campaign", "staff", "notice", "standing")]
    for left in ("suppression", "mailing_list WHERE sample AND NOT archived", "vault.person_key WHERE person_id NOT IN "
                 "(SELECT id FROM person)", "form WHERE NOT archived"):
        assert count(team, left) == 0, left
    assert ana.post(PAGE, PAGE).status_code == 303, "a second press finds nothing to do"
    assert "There is no sample data" in text_of(ana.get(PAGE))
    assert PAGE not in text_of(ana.get("/staff/settings"))
    assert len(team.acts("sample_removed")) == 1
    assert app.test_client().get("/join/news").status_code == 404


def test_a_sample_campaign_on_its_way_holds_it_back(team: Team, ana: Browser, services: Services) -> None:
    with unit_of_work(services) as ctx:
        ctx.db.connection().exec_driver_sql("UPDATE campaign SET state = 'paused' WHERE sample AND state = 'draft'")
    answer = ana.post(PAGE, PAGE)
    assert answer.status_code == 409 and "on its way" in errors_of(answer)[0]
    assert count(team, "person WHERE sample") == 320


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_nobody_but_an_admin_finds_the_page(team: Team, role: Role) -> None:
    browser = team.browser("x@example.org", role)
    assert browser.get(PAGE).status_code == browser.post(PAGE).status_code == 404


def test_a_sample_person_has_a_history_that_begins_with_asking(world: CampaignWorld, services: Services) -> None:
    with unit_of_work(services) as ctx:
        load.load(ctx)
    point = world.team.one("SELECT min(contact_point.id) FROM contact_point JOIN person ON person.id = person_id "
                           "WHERE sample")
    page = text_of(world.team.browser("lou@example.org", Role.LIST_MANAGER).get(f"/staff/people/{point}"))
    assert page.index("<strong>Confirmed") < page.index("<strong>Asked") < page.index("Pick what you like.")
