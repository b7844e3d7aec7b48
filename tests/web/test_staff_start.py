"""The first minutes: one link, one form, one account."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from tests.web.staff_world import Browser, Team, errors_of, text_of

TYPED = {"organisation": "Cadenza Music", "name": "Ana", "email": "ana@example.org", "password": "violet kettle drum",
         "sample": "yes"}


def test_the_start_link_makes_the_first_account_and_leads_home(app: Flask, team: Team) -> None:
    page = f"/start/{team.start_code()}"
    browser = Browser(app)
    assert "checked" in text_of(browser.get(page))
    answer = browser.post(page, page, **TYPED)
    assert (answer.status_code, answer.location) == (303, "/staff")
    home = text_of(browser.get("/staff"))
    assert "Practice:" in home and "Cadenza Music" in home and "4 small things" in home
    roles = team.one("SELECT string_agg(role, ' ' ORDER BY role) FROM staff_role")
    assert roles == "admin composer list_manager sender"
    assert team.one("SELECT starter FROM notice") is True
    assert team.one("SELECT count(*) FROM sender WHERE is_default") == 1


def test_the_start_link_works_once_and_is_not_made_again_while_there_is_an_admin(app: Flask, team: Team) -> None:
    page = f"/start/{team.start_code()}"
    Browser(app).post(page, page, **TYPED)
    assert Browser(app).get(page).status_code == 404
    with pytest.raises(AssertionError):
        team.start_code()


def test_the_code_may_be_typed_in_small_letters_and_without_hyphens(app: Flask, team: Team) -> None:
    code = team.start_code()
    assert len(code.replace("-", "")) == 16
    assert Browser(app).get(f"/start/{code.lower().replace('-', '')}").status_code == 200


def test_a_double_press_makes_one_account_and_signs_the_person_in_twice(app: Flask, team: Team) -> None:
    page = f"/start/{team.start_code()}"
    browsers = [Browser(app) for _ in range(2)]
    for browser in browsers:
        browser.get(page)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda browser: browser.post(page, page, **TYPED), browsers))
    assert [answer.location for answer in answers] == ["/staff", "/staff"]
    assert team.one("SELECT count(*) FROM staff") == 1
    assert team.one("SELECT count(*) FROM sender") == 1


def test_wrong_fields_are_named_beside_the_field_and_above_and_nothing_typed_is_lost(app: Flask, team: Team) -> None:
    page = f"/start/{team.start_code()}"
    browser = Browser(app)
    answer = browser.post(page, page, organisation="Cadenza Music", name="", email="ana", password="cadenza2026")
    words = text_of(answer)
    assert answer.status_code == 422
    assert len(errors_of(answer)) == 3 and words.count("<strong>Error:</strong>") == 3
    assert 'value="Cadenza Music"' in words and 'value="ana"' in words and "cadenza2026" not in words
    assert browser.post(page, page, **TYPED).status_code == 303


@pytest.mark.parametrize("password", ["short", "password1", "Password123!", "cadenzamusic", "aaaaaaaaaa", "x" * 129])
def test_a_password_that_others_would_try_first_is_refused(app: Flask, team: Team, password: str) -> None:
    page = f"/start/{team.start_code()}"
    answer = Browser(app).post(page, page, **{**TYPED, "password": password})
    assert answer.status_code == 422
    assert team.one("SELECT count(*) FROM staff") == 0


def test_odd_input_is_taken_or_named_and_breaks_nothing(app: Flask, team: Team) -> None:
    page = f"/start/{team.start_code()}"
    odd = {**TYPED, "organisation": "Cad\x00enza\r\nBcc: x", "name": "Ана 阿娜 آنا",
           "email": "ana@example.org\r\nBcc: b@example.org"}
    answer = Browser(app).post(page, page, **odd)
    assert answer.status_code == 422 and len(errors_of(answer)) == 1
    Browser(app).post(page, page, **{**odd, "email": "ana@example.org"})
    assert team.one("SELECT name FROM organisation") == "Cadenza Bcc: x"


def test_ticked_sample_data_comes_with_the_first_account_and_unticked_none(app: Flask, team: Team) -> None:
    page = f"/start/{team.start_code()}"
    Browser(app).post(page, page, **TYPED)
    assert team.one("SELECT count(*) FROM person WHERE sample") == (320 if TYPED.get("sample") == "yes" else 0)


def test_no_staff_address_or_name_stands_in_the_database_in_clear(app: Flask, team: Team) -> None:
    page = f"/start/{team.start_code()}"
    Browser(app).post(page, page, **{**TYPED, "name": "Quilliambert", "email": "quilliambert@example.org"})
    tables = ("staff", "staff_link", "staff_session", "sender", "audit_entry", "organisation", "limit_count")
    for table in tables:
        assert team.one(f"SELECT count(*) FROM {table} t WHERE t::text ILIKE '%quilliam%'") == 0
