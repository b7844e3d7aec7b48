"""Who may open what, the team, the settings, the account: through the real application."""

import re

import pytest
from flask import Flask
from sqlalchemy import text

from mailer.core.modes import Mode
from mailer.services import unit_of_work
from mailer.staff.roles import CARDS, PERMISSIONS, Permission, Role
from mailer.web.staff import cards
from tests.web.staff_world import PASSWORD, Browser, Team, errors_of, text_of

ANA, CEM, PIA = "ana@example.org", "cem@example.org", "pia@example.org"

PAGES = {
    "/staff": set(Role),
    "/staff/account": set(Role),
    "/staff/account/second-factor": set(Role),
    "/staff/help": set(Role),
    "/staff/settings": {Role.ADMIN, Role.AUDITOR},
    "/staff/settings/limits": {Role.ADMIN, Role.AUDITOR},
    "/staff/settings/live": {Role.PRIVACY_OFFICER},
    "/staff/settings/sample": {Role.ADMIN},
    "/staff/notice": {Role.ADMIN, Role.PRIVACY_OFFICER},
    "/staff/team": {Role.ADMIN},
    "/staff/team/1": {Role.ADMIN},
    "/staff/audit": {Role.ADMIN, Role.AUDITOR, Role.PRIVACY_OFFICER},
}
PRESSES = {
    "/staff/settings/organisation": {Role.ADMIN},
    "/staff/settings/senders": {Role.ADMIN},
    "/staff/settings/senders/1/default": {Role.ADMIN},
    "/staff/settings/mode": {Role.ADMIN},
    "/staff/settings/limits": {Role.ADMIN},
    "/staff/settings/limits/remove": {Role.ADMIN},
    "/staff/settings/limits/try-again": {Role.ADMIN},
    "/staff/settings/live": {Role.PRIVACY_OFFICER},
    "/staff/settings/sample": {Role.ADMIN},
    "/staff/notice": {Role.ADMIN, Role.PRIVACY_OFFICER},
    "/staff/team/invite": {Role.ADMIN},
    "/staff/team/1/roles": {Role.ADMIN},
    "/staff/team/1/second-factor": {Role.ADMIN},
    "/staff/team/1/remove": {Role.ADMIN},
}


@pytest.mark.parametrize("role", list(Role))
def test_each_page_opens_for_its_roles_and_is_not_found_and_noted_for_others(app: Flask, team: Team, role: Role
                                                                             ) -> None:
    """Promise M23, decision 30."""
    team.add("first@example.org", *Role)
    browser = team.browser("one@example.org", role)
    for path, allowed in PAGES.items():
        before = len(team.acts("refused"))
        assert browser.get(path).status_code == (200 if role in allowed else 404), path
        assert len(team.acts("refused")) - before == (0 if role in allowed else 1), path
    for path, allowed in PRESSES.items():
        before = len(team.acts("refused"))
        status = browser.post(path).status_code
        assert len(team.acts("refused")) - before == (0 if role in allowed else 1), path
        assert role in allowed or status == 404, path
    for entry in team.acts("refused"):
        assert re.fullmatch(r"page:staff_\w+\.\w+", entry.about) and entry.detail == {}
        assert entry.actor == "staff:2"


def test_every_staff_route_is_in_one_of_the_tables_or_open_to_all_who_work_here(app: Flask) -> None:
    named = {*PAGES, *PRESSES}
    for rule in app.url_map.iter_rules():
        mark = str(getattr(app.view_functions[rule.endpoint], "auth_mark", ""))
        if not rule.endpoint.startswith("staff_") or mark in ("staff: signed_in", "open", "token in the path"):
            continue
        if rule.endpoint.partition(".")[0] in ("staff_settings", "staff_limits", "staff_team", "staff_audit",
                                                 "staff_sample", "staff_notice"):
            shape = re.sub(r"<int:\w+>", "1", re.sub(r"<any\((\w+),.*?\):\w+>", r"\1", rule.rule))
            assert shape in named, rule


def test_nobody_who_works_on_texts_or_settings_may_see_people() -> None:
    may = {role for role, held in PERMISSIONS.items() if Permission.SEE_PEOPLE in held}
    assert may == {Role.LIST_MANAGER, Role.PRIVACY_OFFICER, Role.AUDITOR}
    assert {role for role, held in PERMISSIONS.items() if Permission.REVEAL in held} == {
        Role.LIST_MANAGER, Role.PRIVACY_OFFICER}
    assert {role for role, held in PERMISSIONS.items() if Permission.SEND in held} == {Role.SENDER}
    assert {card.role for card in CARDS} == set(Role)


def test_the_navigation_names_only_what_the_roles_open(app: Flask, team: Team) -> None:
    team.add("first@example.org", Role.ADMIN)
    home = text_of(team.browser(CEM, Role.COMPOSER).get("/staff"))
    assert "/staff/team" not in home and "/staff/audit" not in home and 'href="/staff/settings"' not in home
    officer = text_of(team.browser(PIA, Role.PRIVACY_OFFICER).get("/staff"))
    assert "/staff/audit" in officer


def test_titles_hold_no_personal_data_and_every_page_has_one_heading(app: Flask, team: Team) -> None:
    browser = team.browser(ANA, *Role)
    team.add(CEM, Role.COMPOSER, name="Zorblaxian")
    for path in (*PAGES, "/staff/team/2"):
        page = text_of(browser.get(path))
        title = re.search(r"<title>(.*?)</title>", page, re.S)
        assert title and title[1].strip() and page.count("<h1") == 1
        assert "example.org" not in title[1] and "Zorblaxian" not in title[1] and "Quilliambert" not in title[1]
        assert "<style" not in page and " style=" not in page and "onclick" not in page
        assert browser.get(path).headers["Cache-Control"] == "no-store"


def test_a_card_that_fails_says_so_and_leaves_the_others(app: Flask, team: Team) -> None:
    browser = team.browser(ANA, *Role)
    with unit_of_work(team.services) as ctx:
        ctx.db.execute(text("ALTER TABLE standing RENAME TO standing_away"))
    home = text_of(browser.get("/staff"))
    assert home.count("Could not load") == 1 and "No campaigns yet" in home
    assert set(cards.CARDS) == {"needs", "running", "scheduled", "last", "people", "grown", "next_acts"}


def test_an_invitation_makes_a_colleague_and_works_once(app: Flask, team: Team) -> None:
    admin = team.browser(ANA, Role.ADMIN)
    answer = admin.post("/staff/team/invite", "/staff/team", email="Cem@example.org", roles=["composer", "sender"])
    link = re.search(r"http://localhost:8000(/staff/invitation/[a-z2-7]{26})", text_of(answer))
    assert link is not None
    assert team.one("SELECT class FROM single_message") == "staff_invitation"
    colleague = Browser(app)
    assert CEM.lower() in text_of(colleague.get(link[1])).lower()
    refused = colleague.post(link[1], link[1], name="Cem", password="cem")
    assert refused.status_code == 422 and 'value="Cem"' in text_of(refused)
    assert colleague.post(link[1], link[1], name="Cem", password=PASSWORD).status_code == 303
    assert colleague.get("/staff").status_code == 200
    assert Browser(app).post(link[1], "/staff/sign-in", name="X", password=PASSWORD).status_code == 404
    assert Browser(app).sign_in(CEM).status_code == 303
    again = admin.post("/staff/team/invite", "/staff/team", email=CEM, roles=["composer"])
    assert again.status_code == 409 and 'value="cem@example.org"' in text_of(again)


def test_an_invitation_names_what_is_wrong_and_loses_nothing(app: Flask, team: Team) -> None:
    answer = team.browser(ANA, Role.ADMIN).post("/staff/team/invite", "/staff/team", email="cem", roles=["king"])
    assert answer.status_code == 422 and len(errors_of(answer)) == 2 and 'value="cem"' in text_of(answer)


def test_removing_somebody_signs_them_out_at_once_and_the_last_admin_stays(app: Flask, team: Team) -> None:
    admin = team.browser(ANA, Role.ADMIN)
    colleague = team.browser(CEM, Role.COMPOSER)
    own = int(str(team.one("SELECT min(id) FROM staff")))
    refused = admin.post(f"/staff/team/{own}/remove")
    assert refused.status_code == 422
    assert errors_of(refused) == ["This is the last Admin. Make somebody else Admin first."]
    assert admin.post(f"/staff/team/{own}/roles", roles=["composer"]).status_code == 422
    assert admin.post(f"/staff/team/{own + 1}/remove").status_code == 303
    assert colleague.get("/staff").status_code == 303
    assert Browser(app).sign_in(CEM).status_code == 422
    invited = admin.post("/staff/team/invite", "/staff/team", email=CEM, roles=["composer"])
    assert invited.status_code == 200, "somebody who left may come back"


def test_an_admin_who_takes_the_sight_of_addresses_is_noted_and_the_officer_told(app: Flask, team: Team) -> None:
    admin = team.browser(ANA, Role.ADMIN)
    team.add(PIA, Role.PRIVACY_OFFICER)
    own = int(str(team.one("SELECT min(id) FROM staff")))
    admin.post(f"/staff/team/{own}/roles", roles=["admin", "list_manager"])
    assert team.acts("roles_changed")[-1].detail == {"given": ["list_manager"], "taken": []}
    assert team.one("SELECT subject FROM single_message") == f"staff:{own + 1}"


def test_an_admin_resets_the_second_factor_of_somebody_who_lost_the_device(app: Flask, team: Team) -> None:
    admin = team.browser(ANA, Role.ADMIN)
    team.second_factor(team.browser(CEM, Role.COMPOSER))
    admin.post(f"/staff/team/{team.one('SELECT max(id) FROM staff')}/second-factor")
    fresh = Browser(app)
    fresh.sign_in(CEM)
    assert fresh.get("/staff").status_code == 200


def test_the_organisation_is_kept_and_wrong_fields_are_named_without_losing_what_was_typed(app: Flask, team: Team
                                                                                           ) -> None:
    admin = team.browser(ANA, Role.ADMIN)
    typed = {"organisation": "Cadenza Music", "postal_address": "1 Quay\r\n\r\nPort Selmer ",
             "help_email": "help@cadenza.example", "public_url": "https://news.cadenza.example/",
             "time_zone": "America/New_York"}
    wrong = {"public_url": "cadenza", "time_zone": "../etc/passwd", "help_email": "x"}
    bad = admin.post("/staff/settings/organisation", "/staff/settings", **{**typed, **wrong})
    assert bad.status_code == 422 and len(errors_of(bad)) == 3 and "Port Selmer" in text_of(bad)
    assert admin.post("/staff/settings/organisation", "/staff/settings", **typed).status_code == 303
    assert team.one("SELECT postal_address FROM organisation") == "1 Quay\nPort Selmer"
    assert team.one("SELECT public_url FROM organisation") == "https://news.cadenza.example"
    assert "10:00" in text_of(admin.get("/staff/account")), "15:00 UTC in New York"


def test_senders_are_added_made_default_and_taken_out_of_use(app: Flask, team: Team) -> None:
    admin = team.browser(ANA, Role.ADMIN)
    page = "/staff/settings"
    for name in ("News", "Shop"):
        admin.post("/staff/settings/senders", page, sender_name=name, sender_address=f"{name.lower()}@cadenza.example")
    first = int(str(team.one("SELECT min(id) FROM sender")))
    assert admin.post(f"/staff/settings/senders/{first}/archive", page).status_code == 422
    admin.post(f"/staff/settings/senders/{first + 1}/default", page)
    admin.post(f"/staff/settings/senders/{first}/archive", page)
    assert team.one("SELECT string_agg(name, ' ') FROM sender WHERE NOT archived AND is_default") == "Shop"
    bad = admin.post("/staff/settings/senders", page, sender_name="A\r\nB: c", sender_address="x")
    assert bad.status_code == 422 and len(errors_of(bad)) == 1


def test_practice_is_not_left_before_what_lacks_is_there_and_the_page_names_who_lacks_what(app: Flask, team: Team
                                                                                           ) -> None:
    admin = team.browser(ANA, Role.ADMIN)
    answer = admin.post("/staff/settings/mode", "/staff/settings", mode="trial")
    page = text_of(answer)
    assert answer.status_code == 409 and team.one("SELECT mode FROM organisation") == "practice"
    assert "Second factor for everyone" in page and "Without a second factor: Quilliambert" in page
    assert admin.post("/staff/settings/mode", "/staff/settings", mode="nonsense").status_code == 404


def test_going_back_to_practice_is_one_press(app: Flask, team: Team) -> None:
    admin = team.browser(ANA, Role.ADMIN)
    team.second_factor(admin)
    team.mode(Mode.LIVE)
    assert admin.post("/staff/settings/mode", "/staff/settings", mode="practice").status_code == 303
    assert team.one("SELECT mode FROM organisation") == "practice"


def test_one_may_end_one_browser_or_all_and_a_new_password_ends_the_others(app: Flask, team: Team) -> None:
    here = team.browser(ANA, Role.ADMIN)
    there = Browser(app)
    there.sign_in(ANA)
    page = text_of(here.get("/staff/account"))
    assert page.count("Firefox on Linux") == 2 and "203.0.113" not in page
    ended = re.search(r"/staff/account/sessions/(\d+)/end", page)
    assert ended is not None
    here.post(ended[0], "/staff/account")
    assert there.get("/staff").status_code == 303
    there.sign_in(ANA)
    wrong = here.post("/staff/account/password", "/staff/account", current_password="no", password="nine green lamps")
    assert wrong.status_code == 422 and errors_of(wrong) == ["This is not your password."]
    here.post("/staff/account/password", "/staff/account", current_password=PASSWORD, password="nine green lamps")
    assert there.get("/staff").status_code == 303 and here.get("/staff").status_code == 200
    here.post("/staff/account/sessions/end", "/staff/account")
    assert here.get("/staff").status_code == 303


def test_nobody_ends_the_session_of_a_colleague(app: Flask, team: Team) -> None:
    victim = team.browser(ANA, Role.ADMIN)
    session_id = team.one("SELECT id FROM staff_session")
    team.browser(CEM, Role.COMPOSER).post(f"/staff/account/sessions/{session_id}/end", "/staff/account")
    assert victim.get("/staff").status_code == 200


def test_the_picture_of_the_secret_is_ours_and_gone_once_it_is_in_use(app: Flask, team: Team) -> None:
    browser = team.browser(ANA, Role.ADMIN)
    path, setup = "/staff/account/second-factor/code.svg", "/staff/account/second-factor"
    assert browser.get(path).status_code == 404
    browser.post(setup, setup, own_password=PASSWORD)
    drawn = browser.get(path)
    assert drawn.mimetype == "image/svg+xml" and drawn.data.startswith(b"<?xml")
    team.second_factor(browser)
    assert browser.get(path).status_code == 404
    assert browser.post(setup, setup, own_password="wrong wrong").status_code == 422


def test_light_or_dark_is_chosen_in_the_browser_until_it_closes(app: Flask, team: Team) -> None:
    browser = team.browser(ANA, Role.ADMIN)
    [cookie] = browser.post("/staff/account/look", "/staff", theme="dark").headers.getlist("Set-Cookie")
    assert cookie.startswith("mailer_theme=dark") and "HttpOnly" in cookie and "Expires" not in cookie
    assert 'data-theme="dark"' in text_of(browser.get("/staff"))
    browser.post("/staff/account/look", "/staff", theme="<script>")
    assert "data-theme" not in text_of(browser.get("/staff"))


def test_the_audit_log_shows_an_admin_the_machine_and_the_officer_everything(app: Flask, team: Team) -> None:
    admin = team.browser(ANA, Role.ADMIN)
    officer = team.browser(PIA, Role.PRIVACY_OFFICER)
    team.browser(CEM, Role.COMPOSER).get("/staff/team")
    assert "page:staff_team.page" not in text_of(admin.get("/staff/audit"))
    page = text_of(officer.get("/staff/audit"))
    assert "page:staff_team.page" in page and "Quilliambert" in page and "example.org" not in page


def test_wrong_tries_are_told_at_home_until_their_owner_knows_them(app: Flask, team: Team) -> None:
    browser = team.browser(ANA, Role.ADMIN)
    Browser(app, "198.51.100.1").sign_in(ANA, "wrong wrong wrong")
    assert "1 wrong try to sign in as you" in text_of(browser.get("/staff"))
    browser.post("/staff/account/tries", "/staff/account")
    assert "wrong try" not in text_of(browser.get("/staff"))
