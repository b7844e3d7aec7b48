"""The form builder, its versions, its preview and its embed."""

import re
from html.parser import HTMLParser

import pytest
from flask import Flask

from mailer.lists import embed
from mailer.lists.forms import Definition
from mailer.lists.models import Topic
from mailer.services import Services
from mailer.staff.roles import Role
from tests.web.list_world import Club
from tests.web.staff_world import Browser, Team, errors_of, text_of

TOPICS = [Topic(id=4, name="Events", public_text="Where we play"), Topic(id=5, name="<b>News</b>", public_text="")]


class Inputs(HTMLParser):
    """Every input of a page, as its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag in ("input", "select", "textarea"):
            self.found.append(dict(attrs))

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [each for each in self.found if each.get("name") == name]


@pytest.fixture
def club(services: Services, app: Flask) -> Club:
    return Club(services)


@pytest.fixture
def lou(club: Club, team: Team) -> Browser:
    return team.browser("lou@example.org", Role.LIST_MANAGER)


def typed(club: Club, **changes: object) -> dict[str, object]:
    return {"title": "Get concert news", "intro": "Pick.", "topics": [str(topic) for topic in club.topics],
            "ask_first_name": "yes", "age_line": "For people aged 16 or over.", "thanks": "You are in.",
            "partner_names": "", "version": "1"} | changes


def test_a_form_is_made_for_a_list_with_link_html_and_version_one(club: Club, lou: Browser, app: Flask) -> None:
    assert "Which list is it for?" not in text_of(lou.get("/staff/forms/new"))
    answer = lou.post("/staff/forms/new", list=str(club.list_id), name="Shop", slug="shop", **typed(club))
    page = text_of(lou.get(answer.location))
    assert 'data-test="form-version">1<' in page and "/join/shop" in page and "Version 1" in page
    assert Browser(app).get("/join/shop").status_code == 200


def test_changed_words_make_the_next_version_and_the_older_stays_readable(club: Club, lou: Browser) -> None:
    path = f"/staff/forms/{club.form_id}"
    assert lou.post(path, **typed(club, title="Hear from us")).status_code == 303
    page = text_of(lou.get(path))
    assert 'data-test="form-version">2<' in page and "Version 1" in page
    assert "Get concert news" in text_of(lou.get(f"{path}/versions/1"))
    assert "Hear from us" in text_of(lou.get(f"{path}/versions/2"))
    assert lou.get(f"{path}/versions/3").status_code == 404


def test_saving_the_same_words_makes_no_version(club: Club, lou: Browser, team: Team) -> None:
    path = f"/staff/forms/{club.form_id}"
    lou.post(path, **typed(club, title="Hear from us"))
    lou.post(path, **typed(club, title="Hear from us", version="2"))
    assert team.one("SELECT max(version) FROM form_version") == 2


def test_a_second_tab_writes_over_nothing_and_loses_nothing(club: Club, lou: Browser, team: Team) -> None:
    path = f"/staff/forms/{club.form_id}"
    lou.post(path, **typed(club, title="First tab"))
    answer = lou.post(path, **typed(club, title="Second tab"))
    assert answer.status_code == 409 and "Second tab" in text_of(answer)
    assert team.one("SELECT max(version) FROM form_version") == 2


def test_errors_stand_beside_their_fields_and_nothing_typed_is_lost(club: Club, lou: Browser) -> None:
    answer = lou.post(f"/staff/forms/{club.form_id}", **typed(club, title="", intro="Kept intro"))
    assert answer.status_code == 422 and "The title is empty." in text_of(answer) and "Kept intro" in text_of(answer)
    answer = lou.post(f"/staff/forms/{club.form_id}", **typed(club, topics=[]))
    assert answer.status_code == 422 and len(errors_of(answer)) == 1
    answer = lou.post("/staff/forms/new", list=str(club.list_id), name="Two", slug="concert-news",
                      **typed(club, thanks="Kept thanks"))
    assert answer.status_code == 422 and "Another form has this link already." in text_of(answer)
    assert "Kept thanks" in text_of(answer)
    assert lou.post("/staff/forms/new", list="1", name="Two", slug="No Blanks", **typed(club)).status_code == 422
    assert lou.post("/staff/forms/new", list="999", name="Two", slug="two", **typed(club)).status_code == 404


def test_nothing_can_be_ticked_beforehand_or_made_required(club: Club, lou: Browser, app: Flask) -> None:
    """T3, M1, M3: the address alone is required, whatever is posted to the builder."""
    lou.post(f"/staff/forms/{club.form_id}", **typed(
        club, partner_offers="yes", partner_names="Sunrise Bakery", ask_frequency="yes", ask_format="yes",
        required_first_name="yes", checked="yes", partner_offers_checked="yes", topics_checked="yes"))
    form = Inputs(text_of(Browser(app).get("/join/concert-news")))
    assert [each["name"] for each in form.found if "required" in each] == ["email"]
    for name in ("topics", "partner_offers"):
        assert form.named(name) and not any("checked" in each for each in form.named(name))


def test_the_preview_is_the_public_page_and_may_run_and_send_nothing(club: Club, lou: Browser) -> None:
    page = text_of(lou.get(f"/staff/forms/{club.form_id}"))
    assert len(re.findall(r'<iframe [^>]*sandbox=""[^>]*srcdoc="', page)) == 2
    answer = lou.post("/staff/forms/preview", **typed(club, title="As typed just now"))
    assert "As typed just now" in text_of(answer) and "Send me the link" in text_of(answer)
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    both = lou.post("/staff/forms/preview", headers={"HX-Request": "true"}, **typed(club, title="As typed just now"))
    assert text_of(both).count("<iframe") == 2 and "As typed just now" in text_of(both)


def test_the_preview_shows_markup_as_text(club: Club, lou: Browser) -> None:
    answer = lou.post("/staff/forms/preview", **typed(club, title="<script>alert(1)</script>"))
    assert "<script>alert" not in answer.get_data(as_text=True)
    answer = lou.post(f"/staff/forms/{club.form_id}", **typed(club, title="", intro='"><script>x</script>'))
    page = answer.get_data(as_text=True)
    assert "<script>x" not in page


def test_the_embed_is_plain_html_that_works_on_another_site(club: Club, lou: Browser, app: Flask, team: Team) -> None:
    """T3: what the HTML holds is enough to join, with the address alone."""
    definition = Definition(title="News & more", topics=(4, 5), partner_offers=True, partner_names=("A & B",))
    code = embed.html(definition, TOPICS, slug="x", version=3, public_url="https://news.example", brand="Cadenza")
    form = Inputs(code)
    assert not form.tags & {"script", "iframe", "img", "link", "style"} and "checked" not in code
    assert [each["name"] for each in form.found if "required" in each] == ["email"]
    assert "&lt;b&gt;News" in code and "A &amp; B" in code and 'value="3"' in code
    shown = text_of(lou.get(f"/staff/forms/{club.form_id}"))
    assert "/join/concert-news" in shown and '<form method="post" action="http' in shown
    answer = app.test_client().post("/join/concert-news", headers={"Origin": "https://other.example"}, data={
        "form_version": "1", "email": "far@example.org", "topics": str(club.topics[0]), "website": ""})
    assert answer.status_code == 200 and club.one("SELECT count(*) FROM pending_request") == 1


def test_an_archived_form_leads_nowhere(club: Club, lou: Browser, app: Flask) -> None:
    lou.post(f"/staff/forms/{club.form_id}/archive")
    assert Browser(app).get("/join/concert-news").status_code == 404
    assert "Archived" in text_of(lou.get("/staff/forms"))


def test_only_the_list_manager_sees_forms(club: Club, team: Team) -> None:
    for role in (Role.COMPOSER, Role.SENDER, Role.PRIVACY_OFFICER, Role.ADMIN, Role.AUDITOR):
        browser = team.browser(f"{role}@example.org", role)
        assert browser.get("/staff/forms").status_code == 404
        assert browser.get(f"/staff/forms/{club.form_id}").status_code == 404
        assert browser.post("/staff/forms/preview", title="x").status_code == 404
