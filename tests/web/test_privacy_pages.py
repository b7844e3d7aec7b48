"""The privacy desk and the register, by the people who work there."""

import re
from html import unescape

import pytest
from flask import Flask

from mailer.audience.models import ContactPoint
from mailer.core.modes import Mode
from mailer.policy import packs
from mailer.rights import requests
from mailer.services import Services
from mailer.staff.roles import Role
from tests.builders import World
from tests.conftest import FixedClock
from tests.web.staff_world import PASSWORD, Browser, Team

DESK, REGISTER = "/staff/privacy", "/staff/register"
ENTRY = {"kind": "legal_demand", "reason": "legal_process", "recipient": "Court of Bergen", "people": "1",
         "categories": "addresses", "legal_reference": "Case 12/26"}


@pytest.fixture
def house(services: Services) -> World:
    made = World(services, Mode.PRACTICE)
    made.a_form(made.a_list())
    return made


@pytest.fixture
def pia(house: World, team: Team) -> Browser:
    return team.browser("pia@cadenza.example", Role.PRIVACY_OFFICER)


def joined(house: World, address: str = "known@example.org") -> ContactPoint:
    with house.unit() as ctx:
        topics = [row[0] for row in ctx.db.connection().exec_driver_sql("SELECT id FROM topic")]
    house.subscribed(address, topics)
    point = house.point(address)
    assert point
    return point


def asked(house: World, kind: str, point: ContactPoint | None, identity: str = "call_back") -> str:
    """The path of an open request."""
    with house.unit() as ctx:
        made = requests.open_request(ctx, kind, source="desk", point=point, note="Quivering words")
        made.identity = identity
        return f"{DESK}/{made.id}"


def said(response: object) -> str:
    text = getattr(response, "text", "")
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text)))


def test_the_desk_shows_each_request_with_its_clock(house: World, pia: Browser) -> None:
    assert "No open requests" in said(pia.get(DESK))
    asked(house, "access", joined(house))
    page = said(pia.get(DESK))
    assert "Due 2 April, 31 days left" in page and "Copy of my data" in page
    assert "1 privacy request open, the next due on 2 April, 31 days left." in said(pia.get("/staff"))


def test_admin_and_auditor_see_counts_and_times_and_others_nothing(
        house: World, pia: Browser, team: Team, app: Flask) -> None:
    """Ux 2.18: never the content of a request."""
    path = asked(house, "complaint", joined(house))
    for role in (Role.ADMIN, Role.AUDITOR):
        browser = team.browser(f"{role.value}@cadenza.example", role)
        page = browser.get(DESK)
        assert page.status_code == 200 and 'data-test="requests-open">1<' in page.text
        assert path not in page.text and "Complaint" not in said(page)
        assert browser.get(path).status_code == 404
    cem = team.browser("cem@cadenza.example", Role.COMPOSER)
    for each in (DESK, path, REGISTER, f"{path}/erase"):
        assert cem.get(each).status_code == 404
    assert len(team.acts("refused")) >= 5


def test_a_copy_is_built_and_sent_only_once_somebody_made_sure_who_asks(house: World, pia: Browser) -> None:
    """W12 step 3."""
    point = joined(house)
    path = asked(house, "access", point, "unchecked")
    assert "Make sure first who asks" in said(pia.post(f"{path}/copy", DESK))
    pia.post(f"{path}/identity", DESK, identity="fresh_link")
    with house.unit() as ctx:
        requests.answered(ctx, point, int(path.rpartition("/")[2]), theirs=True)
    pia.post(f"{path}/copy", DESK)
    assert "Build it anew" in said(pia.get(path))
    pia.post(f"{path}/send", DESK)
    [letter] = [each for each in house.letters("rights_answer") if each.detail["template"] == "rights_copy"]
    assert "/p/" in str(letter.detail["link"])
    assert "copy sent" in said(pia.get(path))
    assert "Copy for the person" in said(pia.get(REGISTER))


def test_the_desk_s_fresh_link_is_written_down_and_promised_within_its_limits(
        house: World, pia: Browser, team: Team) -> None:
    path = asked(house, "access", joined(house), "unchecked")
    for _ in range(2):
        pia.post(f"{path}/identity", DESK, identity="fresh_link")
        assert "at most one in 15 minutes and five a day" in said(pia.get(path))
    assert len(house.letters("fresh_link")) == 1 and len(team.acts("fresh_link_sent")) == 2


@pytest.mark.parametrize(("kind", "act"), [
    ("question", "erase"), ("access", "erase"), ("erasure", "copy"), ("question", "send"), ("question", "stop"),
    ("objection", "hold")])
def test_a_request_has_the_acts_of_its_kind_alone(house: World, pia: Browser, kind: str, act: str) -> None:
    path = asked(house, kind, joined(house))
    assert pia.post(f"{path}/{act}", DESK).status_code == 404
    assert house.point("known@example.org") is not None and "Stopped" not in said(pia.get(path))


def test_identity_is_not_waived_for_an_erasure(house: World, pia: Browser) -> None:
    path = asked(house, "erasure", joined(house), "unchecked")
    assert pia.post(f"{path}/identity", DESK, identity="not_needed").status_code == 422


def test_an_erasure_is_previewed_pressed_and_receipted(house: World, pia: Browser) -> None:
    """W12 step 1, at the desk."""
    path = asked(house, "erasure", joined(house))
    assert "What stays, and why" in said(pia.get(f"{path}/erase"))
    answer = pia.post(f"{path}/erase", DESK)
    assert answer.status_code == 303 and "/certificate/" in answer.headers["Location"]
    assert "It says that somebody was erased and when" in said(pia.get(answer.headers["Location"]))
    assert house.point("known@example.org") is None
    assert "Stopped" in said(pia.get(path)) and "Quivering" not in said(pia.get(path))
    assert pia.post(f"{path}/erase", DESK).headers["Location"].endswith(path)


def test_a_complaint_shows_the_sends_and_consents_behind_it(house: World, pia: Browser) -> None:
    """T2."""
    path = asked(house, "complaint", joined(house))
    page = said(pia.get(path))
    assert "Quivering words" in page and "The consents behind them" in page and "Cadenza news" in page


@pytest.mark.parametrize(("kind", "act", "outcome"), [
    ("objection", "stop", "stopped everything"), ("hold", "hold", "on hold")])
def test_an_objection_stops_and_a_hold_holds(house: World, pia: Browser, kind: str, act: str, outcome: str) -> None:
    path = asked(house, kind, joined(house))
    pia.post(f"{path}/{act}", DESK)
    assert outcome in said(pia.get(path))
    assert ("staff_stop", 0) in house.stopped("known@example.org") or kind == "hold"


def test_an_empty_answer_is_refused_and_a_real_one_closes(house: World, pia: Browser) -> None:
    path = asked(house, "question", joined(house))
    assert pia.post(f"{path}/answer", DESK, answer=" ").status_code == 422
    pia.post(f"{path}/answer", DESK, answer="We bought it.")
    assert "answered" in said(pia.get(path))


def test_an_overdue_request_says_so_everywhere(house: World, pia: Browser, clock: FixedClock) -> None:
    """S29."""
    path = asked(house, "question", joined(house))
    clock.advance(days=32)
    pia.sign_in("pia@cadenza.example")
    assert "This request is overdue" in said(pia.get(path)) and "data protection authority" in said(pia.get(path))
    assert "1 privacy request is overdue" in said(pia.get("/staff"))


def test_a_request_by_letter_is_taken_down(house: World, pia: Browser) -> None:
    assert pia.post(DESK, DESK, kind="question", contact="nonsense").status_code == 422
    taken = pia.post(DESK, DESK, kind="question", note="By letter", told="yes")
    assert "By letter" in said(pia.get(taken.headers["Location"])) and not house.letters()
    pia.post(f"{DESK}/escalation", DESK, escalation="Datatilsynet, Oslo")
    assert "Datatilsynet, Oslo" in said(pia.get(DESK))


def test_the_register_takes_what_the_policy_allows_and_the_auditor_reads(
        house: World, pia: Browser, team: Team) -> None:
    """A1 and S13."""
    assert "Nothing has left" in said(pia.get(REGISTER))
    assert pia.post(REGISTER, REGISTER, **(ENTRY | {"reason": "fraud"})).status_code == 422
    assert pia.post(REGISTER, REGISTER, **(ENTRY | {"legal_reference": ""})).status_code == 422
    assert pia.post(REGISTER, REGISTER, **ENTRY).status_code == 303
    ida = team.browser("ida@cadenza.example", Role.AUDITOR)
    assert "Court of Bergen" in said(ida.get(REGISTER)) and "Write the entry" not in said(ida.get(REGISTER))
    assert ida.post(REGISTER, REGISTER, **ENTRY).status_code == 404


def test_a_release_for_broken_terms_wants_a_colleague_s_own_password(house: World, pia: Browser, team: Team) -> None:
    """T16."""
    with house.unit() as ctx:
        packs.choose(ctx, "releases_on_abuse")
    ida = team.add("ida@cadenza.example", Role.AUDITOR)
    entry = ENTRY | {"reason": "illegal_or_terms"}
    for second in ({}, {"second": "ida@cadenza.example", "second_password": "wrong"},
                   {"second": "pia@cadenza.example", "second_password": PASSWORD}):
        assert pia.post(REGISTER, REGISTER, **entry, **second).status_code == 422
    agreed = {"second": "ida@cadenza.example", "second_password": PASSWORD}
    assert pia.post(REGISTER, REGISTER, **entry, **agreed).status_code == 303
    with house.unit() as ctx:
        assert ctx.db.connection().exec_driver_sql("SELECT second FROM disclosure").scalar_one() == f"staff:{ida}"
