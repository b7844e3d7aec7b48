"""Signing in: the same answer whoever is known, waits that shut nobody else out, sessions that end."""

import re

from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import text

from mailer.core.modes import Mode
from mailer.services import unit_of_work
from mailer.staff import links
from mailer.staff.roles import Role
from tests.conftest import FixedClock
from tests.web.staff_world import PASSWORD, Browser, Team, errors_of, text_of

ANA, CEM = "ana@example.org", "cem@example.org"
WRONG = "Email or password is wrong."


def sign_in_link(team: Team, staff_id: int) -> str:
    with unit_of_work(team.services) as ctx:
        return f"/staff/link/{links.issue(ctx, 'sign_in', staff_id)}"


def test_a_page_asks_for_signing_in_first_and_is_come_back_to(app: Flask, team: Team) -> None:
    team.add(ANA, Role.ADMIN)
    browser = Browser(app)
    asked = browser.get("/staff/team")
    assert (asked.status_code, asked.location) == (303, "/staff/sign-in?next=/staff/team")
    answer = browser.post("/staff/sign-in", asked.location, email=ANA, password=PASSWORD, next="/staff/team")
    assert answer.location == "/staff/team"


def test_after_signing_in_one_never_lands_at_another_site(app: Flask, team: Team) -> None:
    team.add(ANA, Role.ADMIN)
    for target in ("https://evil.example", "//evil.example", "/staff//evil.example", "/staff\\evil", "/start/x"):
        answer = Browser(app).post("/staff/sign-in", "/staff/sign-in", email=ANA, password=PASSWORD, next=target)
        assert answer.location == "/staff"


def test_the_answer_is_the_same_for_known_and_unknown_and_removed(app: Flask, team: Team) -> None:
    team.add(ANA, Role.ADMIN)
    team.add("lou@example.org", Role.ADMIN, password=None)
    answers = [Browser(app, f"198.51.{n}.1").sign_in(email, "not the password at all")
               for n, email in enumerate((ANA, "nobody@example.org", "lou@example.org", "no address", ""))]
    assert {answer.status_code for answer in answers} == {422}
    assert {tuple(errors_of(answer)) for answer in answers} == {(WRONG,)}


def test_the_session_is_a_new_one_at_each_signing_in_and_an_older_one_of_the_browser_ends(app: Flask, team: Team
                                                                                          ) -> None:
    """Session fixation: what was planted before signing in is worth nothing afterwards."""
    team.add(ANA, Role.ADMIN)
    planted = Browser(app)
    planted.sign_in(ANA)
    cookie = planted.client.get_cookie("mailer_staff")
    assert cookie is not None
    victim = Browser(app)
    victim.client.set_cookie("mailer_staff", cookie.value, domain="localhost")
    victim.sign_in(ANA)
    fresh = victim.client.get_cookie("mailer_staff")
    assert fresh is not None and fresh.value != cookie.value
    assert planted.get("/staff").status_code == 303
    assert victim.get("/staff").status_code == 200


def test_the_cookie_is_kept_from_scripts_and_other_sites_and_ends_with_the_browser(app: Flask, team: Team) -> None:
    """Promise M26."""
    team.add(ANA, Role.ADMIN)
    [cookie] = Browser(app).sign_in(ANA).headers.getlist("Set-Cookie")
    assert cookie.startswith("mailer_staff=") and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert "Expires" not in cookie and "Max-Age" not in cookie and "Secure" not in cookie


def test_with_https_the_cookie_is_bound_to_the_host_and_secure(app: Flask, team: Team) -> None:
    team.add(ANA, Role.ADMIN)
    client = app.test_client()
    page = client.get("/staff/sign-in", base_url="https://localhost").get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    answer = client.post("/staff/sign-in", base_url="https://localhost", headers={"Referer": "https://localhost/staff/"},
                         data={"email": ANA, "password": PASSWORD, "csrf_token": token[1]})
    [cookie] = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-mailer_staff=") and "Secure" in cookie and "Path=/" in cookie
    assert answer.status_code == 303


def test_a_form_without_its_token_or_from_another_site_is_refused(app: Flask, team: Team) -> None:
    team.add(ANA, Role.ADMIN)
    browser = Browser(app)
    assert browser.client.post("/staff/sign-in", data={"email": ANA, "password": PASSWORD}).status_code == 400
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = browser.post("/staff/sign-in", "/staff/sign-in", headers=headers, email=ANA, password=PASSWORD)
        assert answer.status_code == 400
    assert team.one("SELECT count(*) FROM staff_session") == 0


def test_after_five_tries_comes_a_wait_that_shuts_nobody_else_out(app: Flask, team: Team, clock: FixedClock) -> None:
    team.add(ANA, Role.ADMIN)
    team.add(CEM, Role.COMPOSER)
    guesser = Browser(app, "198.51.100.1")
    for _ in range(5):
        assert guesser.sign_in(ANA, "wrong wrong wrong").status_code == 422
    waiting = guesser.sign_in(ANA, PASSWORD)
    assert waiting.status_code == 429 and errors_of(waiting) == ["Too many tries. Wait 30 seconds, then try again."]
    assert Browser(app, "198.51.100.9").sign_in(CEM).status_code == 303
    assert Browser(app, "192.0.2.44").sign_in(ANA).status_code == 303
    clock.advance(seconds=31)
    assert guesser.sign_in(ANA, "wrong wrong wrong").status_code == 422
    clock.advance(seconds=31)
    assert guesser.sign_in(ANA, PASSWORD).status_code == 429, "the wait has grown"
    clock.advance(seconds=31)
    assert guesser.sign_in(ANA, PASSWORD).status_code == 303


def test_an_unknown_address_waits_as_a_known_one_does(app: Flask, team: Team) -> None:
    guesser = Browser(app)
    codes = [guesser.sign_in("nobody@example.org", "wrong wrong wrong").status_code for _ in range(6)]
    assert codes == [422] * 5 + [429]


def test_two_hours_without_a_page_or_twelve_in_all_end_a_session(app: Flask, team: Team, clock: FixedClock) -> None:
    browser = team.browser(ANA, Role.ADMIN)
    for _ in range(6):
        clock.advance(minutes=110)
        assert browser.get("/staff").status_code == 200
    clock.advance(minutes=61)
    assert browser.get("/staff").status_code == 303, "twelve hours"
    browser.sign_in(ANA)
    clock.advance(minutes=121)
    assert browser.get("/staff").status_code == 303, "two hours"


def test_a_hash_of_older_parameters_is_made_anew_at_the_next_signing_in(app: Flask, team: Team) -> None:
    staff_id = team.add(ANA, Role.ADMIN)
    old = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    with unit_of_work(team.services) as ctx:
        ctx.db.execute(text("UPDATE staff SET password_hash = :old WHERE id = :id"), {"old": old, "id": staff_id})
    assert Browser(app).sign_in(ANA).status_code == 303
    assert "m=19456,t=2,p=1" in str(team.one("SELECT password_hash FROM staff WHERE id = :id", id=staff_id))


def test_a_sign_in_link_works_once_within_a_quarter_of_an_hour_and_looking_uses_nothing_up(
        app: Flask, team: Team, clock: FixedClock) -> None:
    staff_id = team.add(CEM, Role.COMPOSER, password=None)
    path = sign_in_link(team, staff_id)
    browser = Browser(app)
    for _ in range(3):
        assert browser.get(path).status_code == 200
    assert browser.post(path, path).status_code == 303
    assert browser.get("/staff").status_code == 200
    other = Browser(app)
    assert other.post(path, "/staff/sign-in").status_code == 404, "replayed"
    assert other.get(path).status_code == 404
    late = sign_in_link(team, staff_id)
    clock.advance(minutes=16)
    assert other.post(late, "/staff/sign-in").status_code == 404
    assert other.get(late[:-3]).status_code == 404, "cut"


def test_whoever_came_by_a_link_may_choose_a_password_without_the_old_one(app: Flask, team: Team) -> None:
    staff_id = team.add(ANA, Role.ADMIN)
    path = sign_in_link(team, staff_id)
    browser = Browser(app)
    browser.post(path, path)
    assert browser.post("/staff/account/password", "/staff/account", password="nine green lamps").status_code == 303
    assert Browser(app).sign_in(ANA, "nine green lamps").status_code == 303
    assert Browser(app).sign_in(ANA, PASSWORD).status_code == 422


def test_signing_out_ends_the_session_and_the_cookie_kept_elsewhere_with_it(app: Flask, team: Team) -> None:
    browser = team.browser(ANA, Role.ADMIN)
    cookie = browser.client.get_cookie("mailer_staff")
    assert cookie is not None
    browser.post("/staff/sign-out")
    thief = Browser(app)
    thief.client.set_cookie("mailer_staff", cookie.value, domain="localhost")
    assert thief.get("/staff").status_code == 303


def test_the_second_factor_is_asked_for_and_each_code_works_once(app: Flask, team: Team, clock: FixedClock) -> None:
    browser = team.browser(ANA, Role.ADMIN)
    secret = team.second_factor(browser)
    second = Browser(app)
    second.sign_in(ANA)
    assert second.get("/staff/team").location == "/staff/second-factor"
    page = "/staff/second-factor"
    assert second.post(page, page, code=team.code(secret)).status_code == 422, "the code that switched it on"
    clock.advance(seconds=30)
    assert second.post(page, page, code="000000").status_code == 422
    code = team.code(secret)
    assert second.post(page, page, code=f"{code[:3]} {code[3:]}").status_code == 303
    assert second.get("/staff/team").status_code == 200
    third = Browser(app)
    third.sign_in(ANA)
    assert third.post(page, page, code=code).status_code == 422, "replayed"


def test_a_recovery_code_stands_in_once(app: Flask, team: Team) -> None:
    browser = team.browser(ANA, Role.ADMIN)
    team.second_factor(browser)
    setup = "/staff/account/second-factor"
    shown = text_of(browser.post("/staff/account/recovery-codes", setup, own_password=PASSWORD))
    codes = re.findall(r"<code>([0-9A-Z-]{19})</code>", shown)
    assert len(set(codes)) == 10
    page = "/staff/second-factor"
    second, third = Browser(app), Browser(app)
    second.sign_in(ANA)
    assert second.post(page, page, code=codes[0].lower()).status_code == 303
    third.sign_in(ANA)
    assert third.post(page, page, code=codes[0]).status_code == 422
    assert "9 of 10 recovery codes left" in text_of(browser.get(setup))


def test_guessing_codes_meets_the_same_wait(app: Flask, team: Team, clock: FixedClock) -> None:
    team.second_factor(team.browser(ANA, Role.ADMIN))
    clock.advance(minutes=1)
    guesser = Browser(app)
    guesser.sign_in(ANA)
    page = "/staff/second-factor"
    codes = [guesser.post(page, page, code="123456").status_code for _ in range(6)]
    assert codes == [422] * 5 + [429]


def test_outside_practice_nobody_gets_further_without_a_second_factor(app: Flask, team: Team) -> None:
    browser = team.browser(ANA, Role.ADMIN)
    team.mode(Mode.TRIAL)
    assert browser.get("/staff").location == "/staff/account/second-factor"
    team.second_factor(browser)
    assert browser.get("/staff").status_code == 200
