"""Lists and topics on the staff's screens."""

import pytest
from flask import Flask

from mailer.analytics.k_anonymity import shown
from mailer.services import Services
from mailer.staff.roles import Role
from tests.web.list_world import Club
from tests.web.staff_world import Team, errors_of, text_of


@pytest.fixture
def club(services: Services, app: Flask) -> Club:
    return Club(services)


@pytest.mark.parametrize(("count", "words"), [(0, "fewer than 10"), (9, "fewer than 10"), (10, "10"), (4812, "4,812")])
def test_a_count_below_the_floor_is_withheld(count: int, words: str) -> None:
    assert shown(count) == words


def test_the_table_shows_text_topics_counts_forms_and_notice(club: Club, team: Team) -> None:
    club.added("ann@example.org")
    club.ask("bob@example.org")
    page = text_of(team.browser("lou@example.org", Role.LIST_MANAGER).get("/staff/lists"))
    for words in ("Concert news", "What we play, and where.", "New releases, Events", "Website",
                  f'data-test="list-{club.list_id}-confirmed">1<', f'data-test="list-{club.list_id}-waiting">1<',
                  f'data-test="list-{club.list_id}-paused">0<', "cannot be switched off"):
        assert words in page


def test_who_may_not_see_people_reads_fewer_than_ten(club: Club, team: Team) -> None:
    """M23: small numbers point at people."""
    club.added("ann@example.org")
    browser = team.browser("cem@example.org", Role.COMPOSER)
    for path in ("/staff/lists", f"/staff/lists/{club.list_id}"):
        page = text_of(browser.get(path))
        assert f'data-test="list-{club.list_id}-confirmed">fewer than 10<' in page
        assert "Save" not in page and "Make a list" not in page


def test_a_list_is_made_renamed_and_given_topics(club: Club, team: Team) -> None:
    lou = team.browser("lou@example.org", Role.LIST_MANAGER)
    answer = lou.post("/staff/lists/new", name="Letters", public_text="Now and then.", topics="Poems\n\nEssays\n")
    assert answer.status_code == 303
    path = answer.location
    page = text_of(lou.get(path))
    assert "Poems" in page and "Essays" in page and "Double opt-in" in page
    assert lou.post(path, name="Post", public_text="Rarely.").status_code == 303
    assert lou.post(f"{path}/topics", topic="Plays", topic_text="On stage.").status_code == 303
    page = text_of(lou.get(path))
    assert "<h1" in page and "Post" in page and "On stage." in page
    topic_id = team.one("SELECT id FROM topic WHERE name = 'Plays'")
    assert lou.post(f"{path}/topics/{topic_id}", topic="Drama", topic_text="").status_code == 303
    assert lou.post(f"{path}/topics/{topic_id}/archive").status_code == 303
    assert "Archived" in text_of(lou.get(path))
    assert {entry.act for entry in team.acts()} >= {"create_list", "rename_list", "rename_topic", "archive"}


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(club: Club, team: Team) -> None:
    lou = team.browser("lou@example.org", Role.LIST_MANAGER)
    answer = lou.post("/staff/lists/new", name="Concert news", public_text="Kept words", topics="One\nTwo")
    page = text_of(answer)
    assert answer.status_code == 422 and "There is a list of this name already." in page
    assert "Kept words" in page and "One\nTwo" in page and len(errors_of(answer)) == 1
    assert lou.post("/staff/lists/new", name="\x00").status_code == 422
    answer = lou.post(f"/staff/lists/{club.list_id}", name="x" * 81, public_text="Kept too")
    assert answer.status_code == 422 and "Kept too" in text_of(answer)
    answer = lou.post(f"/staff/lists/{club.list_id}/topics", topic="Events", topic_text="Kept three")
    assert answer.status_code == 422 and "Kept three" in text_of(answer)
    topic_path = f"/staff/lists/{club.list_id}/topics/{club.topics[0]}"
    assert "of this name already" in text_of(lou.post(topic_path, topic="Events", topic_text=""))


def test_a_list_in_use_is_not_archived_and_what_uses_it_is_named(club: Club, team: Team) -> None:
    club.campaign("Spring tour")
    lou = team.browser("lou@example.org", Role.LIST_MANAGER)
    answer = lou.post(f"/staff/lists/{club.list_id}/archive")
    page = text_of(answer)
    assert answer.status_code == 409 and "Form: " in page and "Website" in page and "Spring tour" in page
    assert team.one("SELECT archived FROM mailing_list") is False


def test_a_list_that_nothing_uses_is_archived_and_comes_back(club: Club, team: Team) -> None:
    lou = team.browser("lou@example.org", Role.LIST_MANAGER)
    lou.post(f"/staff/forms/{club.form_id}/archive")
    lou.post(f"/staff/lists/{club.list_id}/archive")
    assert team.one("SELECT archived FROM mailing_list") is True
    lou.post(f"/staff/lists/{club.list_id}/archive")
    assert team.one("SELECT archived FROM mailing_list") is False


def test_only_the_list_manager_changes_lists(club: Club, team: Team) -> None:
    for role in (Role.COMPOSER, Role.SENDER, Role.PRIVACY_OFFICER, Role.ADMIN, Role.AUDITOR):
        browser = team.browser(f"{role}@example.org", role)
        assert browser.get("/staff/lists").status_code == 200
        assert browser.get("/staff/lists/new").status_code == 404
        assert browser.post(f"/staff/lists/{club.list_id}", name="Mine").status_code == 404


def test_an_unknown_list_or_topic_is_not_found(club: Club, team: Team) -> None:
    lou = team.browser("lou@example.org", Role.LIST_MANAGER)
    assert lou.get("/staff/lists/99").status_code == 404
    assert lou.get(f"/staff/lists/{club.list_id}/topics/99").status_code == 404


def test_the_first_screen_without_a_list_says_what_to_do(app: Flask, team: Team) -> None:
    lou = team.browser("lou@example.org", Role.LIST_MANAGER)
    assert "A list is what people join. Make one, then a form for it." in text_of(lou.get("/staff/lists"))
