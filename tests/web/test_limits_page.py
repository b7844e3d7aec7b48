"""Speed limits: an Admin sets, changes and takes away limits, and sees what rests and why."""

import re
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from mailer.app import create_app
from mailer.services import Services, unit_of_work
from mailer.settings import Settings
from mailer.staff.roles import Role
from tests.web.staff_world import Team, errors_of, text_of

ANA, AUDITOR = "ana@example.org", "aud@example.org"
PAGE = "/staff/settings/limits"
URLS = "smtp://127.0.0.1:1?name=relay1&weight=3 smtp://u:s3cret@127.0.0.1:2?name=relay2"


@pytest.fixture
def app(settings: Settings, services: Services, jobs: object) -> Flask:
    """The application where SMTP_URL names two servers."""
    known = replace(settings, smtp_url=URLS, mail_from="News <news@example.org>")
    return create_app(known, jobs=jobs, services=replace(services, settings=known))  # type: ignore[arg-type] # Tests' own.


def seen(response: TestResponse) -> str:
    """The words of a page, parted by single blanks."""
    return " ".join(re.sub(r"<[^>]+>", " ", text_of(response)).split())


def hold(services: Services, server: str, code: str) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("INSERT INTO server_hold (server, until, since, step, code) VALUES "
                                "(:server, clock_timestamp() + interval '1 hour', clock_timestamp(), 1, :code)"),
                           {"server": server, "code": code})


def test_without_a_limit_the_page_says_so_and_names_the_servers(app: Flask, team: Team) -> None:
    said = seen(team.browser(ANA, Role.ADMIN).get(PAGE))
    assert "relay1 Up Weight 3" in said and "relay2 Up Weight 1" in said
    assert "None. Messages leave as fast as the mail servers take them." in said
    assert "s3cret" not in said


def test_where_no_server_is_set_the_page_says_where_to_set_one(
        settings: Settings, services: Services, jobs: object, team: Team) -> None:
    team.app = create_app(settings, jobs=jobs, services=services)  # type: ignore[arg-type] # The tests' own queue.
    assert "None is set. Name one in SMTP_URL" in seen(team.browser(ANA, Role.ADMIN).get(PAGE))


def test_a_limit_is_set_changed_and_taken_away(app: Flask, team: Team) -> None:
    admin = team.browser(ANA, Role.ADMIN)
    assert admin.post(PAGE, PAGE, target="server:relay1", per_second="2,5", warm_up="1000").status_code == 303
    said = seen(admin.get(PAGE))
    assert "Mail server relay1 At most 2.5 a second, 3 at once. Warm-up: 1,000 today" in said
    assert "2 March: 1,000" in said and "3 March: 2,000" in said
    form = admin.get(f"{PAGE}?change=0").get_data(as_text=True)
    assert 'value="2.5"' in form and 'value="1000"' in form and '<option value="server:relay1" selected>' in form
    assert admin.post(PAGE, PAGE, target="server:relay1", per_second="10", burst="20").status_code == 303
    assert "At most 10 a second, 20 at once. " in (said := seen(admin.get(PAGE))) and "Warm-up: 1,000" not in said
    for _ in range(2):
        assert admin.post(f"{PAGE}/remove", PAGE, scope="server", name="relay1").status_code == 303
    assert "None. Messages leave" in seen(admin.get(PAGE))
    assert [entry.about for entry in team.acts("speed_limit_set")] == ["server:relay1"] * 2


def test_a_sender_and_a_domain_have_limits_too_and_no_url_names_them(app: Flask, team: Team) -> None:
    admin = team.browser(ANA, Role.ADMIN)
    admin.post(PAGE, PAGE, target="sender:news@example.org", per_second="1")
    admin.post(PAGE, PAGE, target="domain", domain="Big.example", per_second="20")
    page = admin.get(PAGE).get_data(as_text=True)
    assert "Sender news@example.org" in page and "Recipient domain big.example" in page
    assert not [line for line in page.splitlines() if "href=" in line and "limits?" in line and "big.example" in
                line.partition("href=")[2].partition(">")[0]]
    assert 'value="big.example"' in admin.get(f"{PAGE}?change=1").get_data(as_text=True)
    for odd in ("2", "-1", "9" * 30, "x", ""):
        assert admin.get(f"{PAGE}?change={odd}").status_code == 200


@pytest.mark.parametrize("typed, field", [
    ({"target": "server:relay1", "per_second": ""}, "per_second"),
    ({"target": "server:relay1", "per_second": "fast"}, "per_second"),
    ({"target": "server:relay1", "per_second": "nan"}, "per_second"),
    ({"target": "server:relay1", "per_second": "1", "burst": "-3"}, "burst"),
    ({"target": "server:relay1", "per_second": "1", "burst": "0"}, "burst"),
    ({"target": "server:relay1", "per_second": "1", "warm_up": "5"}, "warm_up"),
    ({"target": "server:relay1", "per_second": "1", "warm_up": "100", "factor": "99"}, "factor"),
    ({"target": "server:nowhere", "per_second": "1"}, "target"),
    ({"target": "domain", "domain": "no domain", "per_second": "1"}, "domain"),
    ({"target": "planet:x", "per_second": "1"}, "target"),
    ({"per_second": "1"}, "target"),
])
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
        app: Flask, team: Team, typed: dict[str, str], field: str) -> None:
    response = team.browser(ANA, Role.ADMIN).post(PAGE, PAGE, **typed)
    assert response.status_code == 422
    assert len(errors_of(response)) == 1
    assert re.findall(r'<p class="error" id="(\w+)-error">', response.get_data(as_text=True)) == [field]
    assert all(f'value="{each}"' in text_of(response) for name, each in typed.items() if each and name != "target")
    assert team.acts("speed_limit_set") == []


def test_a_refused_password_is_told_on_home_and_settings_and_tried_again_when_asked(
        app: Flask, team: Team, services: Services) -> None:
    """Bad input: a wrong SMTP password stops the lane, tells the Admin, and loses nothing."""
    hold(services, "relay2", "535 5.7.8")
    admin, auditor = team.browser(ANA, Role.ADMIN), team.browser(AUDITOR, Role.AUDITOR)
    told = "The mail server relay2 refused our user name or password (535 5.7.8). Messages wait; nothing is lost."
    assert told in seen(admin.get("/staff")) and told not in seen(auditor.get("/staff"))
    assert "relay2 cannot be used at the moment" in seen(admin.get("/staff/settings"))
    said = seen(admin.get(PAGE))
    assert "relay2 Resting" in said and "It refused our user name or password (535 5.7.8)." in said
    assert "Put the user and password right in SMTP_URL" in said and "Try again now" in said
    assert "Try again now" not in seen(auditor.get(PAGE))
    for _ in range(2):
        assert admin.post(f"{PAGE}/try-again", PAGE, server="relay2").status_code == 303
    assert "relay2 Up" in seen(admin.get(PAGE))
    assert len(team.acts("mail_server_tried_again")) == 1


def test_lanes_left_alone_are_listed(app: Flask, team: Team, services: Services) -> None:
    with unit_of_work(services) as ctx:
        ctx.db.execute(text("INSERT INTO lane_hold (lane, until, step, code) VALUES "
                            "(3, clock_timestamp() + interval '1 hour', 0, '421')"))
    assert "Small domains together answered 421; tried again in 3600 s." in seen(
        team.browser(AUDITOR, Role.AUDITOR).get(PAGE))
