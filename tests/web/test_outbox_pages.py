"""The Outbox's pages: who may look, what they see, and the outside world's acts on the real pages."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import text

from mailer.app import create_app
from mailer.core.links import Link
from mailer.core.modes import Mode
from mailer.services import Services, unit_of_work
from mailer.settings import Settings
from mailer.staff.roles import Role
from mailer.subscriptions import links as single_use
from mailer.subscriptions.claims import OF_DAY
from tests.channels.email_samples import BRAND, LINKS, a_copy, a_recipient
from tests.people.builders import a_list, ask, join
from tests.practice.kept import a_campaign_body, a_letter_body, keep
from tests.web.staff_world import Browser, Team, text_of

OURS = "http://localhost:8000"
ADDRESS = "quillonia@example.org"


@pytest.fixture
def subscriber(services: Services) -> int:
    """A confirmed person; returns the contact point."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx, "News", ("Duets",))
        return join(ctx, ADDRESS, made.id, topics).id


@pytest.fixture
def campaign(services: Services, subscriber: int) -> int:
    """A campaign's message to that person, with links that work; returns the message."""
    sign = services.signer.sign
    today = OF_DAY | services.clock.now().date().toordinal()
    links = LINKS._replace(leave=f"{OURS}/u/{sign(Link.LEAVE, subscriber)}",
                    one_click=f"{OURS}/one-click/{sign(Link.ONE_CLICK, subscriber)}",
                    preferences=f"{OURS}/p/{sign(Link.PREFERENCES, subscriber, today)}",
                    why=f"{OURS}/why/{sign(Link.WHY, subscriber)}")
    copy = a_copy(brand=replace(BRAND, public_url=OURS), markdown="# Hello\n\n![A cello](https://shop.example.org/c.jpg)")
    return keep(services, ADDRESS, a_campaign_body(services, a_recipient(address=ADDRESS, links=links), copy),
                campaign_id=7)


@pytest.fixture
def keyed(settings: Settings, services: Services, jobs: object) -> Iterator[Flask]:
    """The application where OUTBOX_KEY is set."""
    services = replace(services, settings=replace(services.settings, outbox_key="open-sesame-0123456789"))
    yield create_app(settings, jobs=jobs, services=services)  # type: ignore[arg-type] # The tests' own queue.


def everything(team: Team) -> str:
    """What people have said and may still say, as one text: what an act must change, or must not."""
    tables = ("ledger_entry", "standing", "suppression", "pending_request", "single_message", "contact_point")
    with unit_of_work(team.services) as ctx:
        return json.dumps({table: [str(row) for row in ctx.db.execute(text(
            f"SELECT CAST(t AS text) FROM {table} t ORDER BY 1"))] for table in tables})


def test_the_outbox_is_absent_in_live_and_asks_for_a_session(team: Team, campaign: int) -> None:
    """Decision 32."""
    stranger, cem = Browser(team.app), team.browser("cem@example.org", Role.COMPOSER)
    for path in ("/outbox", f"/outbox/{campaign}", f"/outbox/{campaign}/html"):
        assert stranger.get(path).status_code == 303
        assert cem.get(path).status_code == 200
    team.mode(Mode.LIVE)
    for browser in (stranger, cem):
        for path in ("/outbox", f"/outbox/{campaign}", "/outbox/api/messages"):
            assert browser.get(path).status_code == 404
        assert browser.post("/outbox/search", "/staff/sign-in", words="x").status_code == 404


def test_a_composer_sees_a_mask_everywhere(team: Team, services: Services, campaign: int) -> None:
    """Promise M23: need to know."""
    letter = keep(services, ADDRESS, a_letter_body(
        services, to=ADDRESS, text=f"Asked for at {ADDRESS}.\n", html=f"<p>{ADDRESS}</p>"))
    cem = team.browser("cem@example.org", Role.COMPOSER)
    paths = ["/outbox", "/outbox/api/messages"] + [
        path for number in (letter, campaign) for path in (
            f"/outbox/{number}/html", f"/outbox/{number}/open", f"/outbox/api/messages/{number}",
            *(f"/outbox/{number}?show={tab}" for tab in ("html", "text", "headers", "source", "links", "checks")))]
    for path in paths:
        answer = cem.get(path)
        assert answer.status_code == 200, path
        assert "quillonia" not in text_of(answer).lower(), path
    assert "q•••@example.org" in text_of(cem.get("/outbox"))
    assert "Nothing found" in text_of(cem.post("/outbox/search", words="quillonia"))
    lou = team.browser("lou@example.org", Role.LIST_MANAGER)
    assert ADDRESS in text_of(lou.get("/outbox"))
    assert 'data-test="outbox-row"' in text_of(lou.post("/outbox/search", words="quillonia spring"))


def test_looking_changes_nothing_and_the_mark_goes_by_a_post(team: Team, campaign: int) -> None:
    cem = team.browser("cem@example.org", Role.COMPOSER)
    assert "1 new in the" in text_of(cem.get("/outbox"))
    assert "This did not leave the computer." in text_of(cem.get(f"/outbox/{campaign}"))
    assert '<span data-test="outbox-new">1</span>' in text_of(cem.get("/outbox"))
    assert cem.post(f"/outbox/{campaign}/seen").status_code == 204
    page = text_of(cem.get("/outbox"))
    assert '<span data-test="outbox-new">0</span>' in page and '<span data-test="outbox-count">1</span>' in page
    assert "badge" not in re.sub(r"(?s).*<table", "", page)


def test_older_messages_are_on_further_pages(team: Team, services: Services) -> None:
    for n in range(52):
        keep(services, f"p{n}@example.org", a_letter_body(services, subject=f"Letter {n:03}"))
    cem = team.browser("cem@example.org", Role.COMPOSER)
    first = text_of(cem.get("/outbox"))
    assert "Letter 051" in first and "Letter 001" not in first
    older = re.search(r'href="(/outbox\?before=\d+)"', first)
    assert older is not None
    assert "Letter 001" in text_of(cem.get(older[1]))


def test_the_html_stands_in_a_frame_that_runs_and_fetches_nothing(team: Team, campaign: int) -> None:
    cem = team.browser("cem@example.org", Role.COMPOSER)
    assert 'sandbox=""' in text_of(cem.get(f"/outbox/{campaign}?show=html&view=phone"))
    answer = cem.get(f"/outbox/{campaign}/html?view=dark")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy and "script-src" not in policy
    assert "shop.example.org/c.jpg" not in text_of(answer), "a picture elsewhere would tell that site who looks"
    assert "@media (min-width: 0)" in text_of(answer)
    assert "@media not all" in text_of(cem.get(f"/outbox/{campaign}/html?view=phone"))


def test_a_scanner_that_fetches_every_link_changes_nothing(team: Team, services: Services, campaign: int) -> None:
    """Walks W2 and W3."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx, "Other", ("Scales",))
        pending = ask(ctx, "w2@example.org", made.id, topics)
        token = single_use.issue(ctx, single_use.Purpose.CONFIRM, pending_request_id=pending.id)
    letter = keep(services, "w2@example.org", a_letter_body(
        services, to="w2@example.org", text=f"{OURS}/confirm/{token}\n",
        html=f'<a href="{OURS}/confirm/{token}">See and confirm</a> <a href="https://elsewhere.example/x">More</a>'))
    cem = team.browser("cem@example.org", Role.COMPOSER)
    before = everything(team)
    for number in (letter, campaign):
        page = text_of(cem.post(f"/outbox/{number}/scan"))
        answers = re.findall(r'data-test="scan-(?:get|head)">([^<]+)<', page)
        assert answers
        assert {status for each in answers for status in each.split(", ")} <= {"200", "405"}
    assert ">not fetched<" in text_of(cem.post(f"/outbox/{letter}/scan"))
    assert everything(team) == before


def test_pressing_the_mail_programs_unsubscribe_stops_the_person_at_once(team: Team, campaign: int) -> None:
    """Walk W3; RFC 8058: 200, no redirect, no cookie, and no message about it."""
    cem = team.browser("cem@example.org", Role.COMPOSER)
    messages = team.one("SELECT count(*) FROM single_message")
    page = text_of(cem.post(f"/outbox/{campaign}/unsubscribe"))
    assert 'data-test="press-status">200<' in page
    assert 'data-test="press-redirect">none<' in page and 'data-test="press-cookie">none<' in page
    assert team.one("SELECT string_agg(DISTINCT state, ',') FROM standing") == "ended"
    assert team.one("SELECT count(*) FROM single_message") == messages
    assert cem.get("/outbox").status_code == 200, "the one who pressed is still signed in"


def test_what_is_pressed_is_not_done_in_the_name_of_staff(team: Team, services: Services, campaign: int) -> None:
    cem = team.browser("cem@example.org", Role.COMPOSER)
    cem.post(f"/outbox/{campaign}/unsubscribe")
    assert [entry.act for entry in team.acts() if entry.actor.startswith("staff:") and "leave" in entry.act] == []
    inside = keep(services, ADDRESS, a_letter_body(services, html=f'<a href="{OURS}/staff/account">x</a>'))
    page = text_of(cem.post(f"/outbox/{inside}/scan"))
    assert re.findall(r'data-test="scan-get">([^<]+)<', page) == ["303, 303, 303"]


def test_there_is_nothing_to_press_on_a_single_letter(team: Team, services: Services) -> None:
    letter = keep(services, ADDRESS, a_letter_body(services))
    cem = team.browser("cem@example.org", Role.COMPOSER)
    assert "Unsubscribe" not in text_of(cem.get(f"/outbox/{letter}"))
    assert cem.post(f"/outbox/{letter}/unsubscribe").status_code == 404


def test_open_as_recipient_lists_the_links_for_tabs_of_their_own(team: Team, campaign: int) -> None:
    page = text_of(team.browser("cem@example.org", Role.COMPOSER).get(f"/outbox/{campaign}/open"))
    links = re.findall(r'<a href="([^"]+)" target="_blank" rel="noopener noreferrer"[^>]*>([^<]+)</a>', page)
    assert [words for _, words in links] == [
        "Why did I get this?", "Unsubscribe", "Preferences", "Ask us", "notice 2.1"]
    assert all(url.startswith(OURS) for url, _ in links)


def test_the_checks_find_nothing_to_fix_in_our_own_campaign(team: Team, campaign: int) -> None:
    page = text_of(team.browser("cem@example.org", Role.COMPOSER).get(f"/outbox/{campaign}?show=checks"))
    assert '<span data-test="must-fix">0</span>' in page
    assert 'data-test="check-one-click"' in page


def test_the_api_takes_the_key_or_a_session_and_nothing_else(keyed: Flask, team: Team, campaign: int) -> None:
    """Decision 32."""
    client = keyed.test_client()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic open-sesame-0123456789"},
                    {"Authorization": "Bearer ключ"}, {"Authorization": "Bearer "}):
        sent = {name: value.encode().decode("latin-1") for name, value in headers.items()}
        answer = client.get("/outbox/api/messages", headers=sent)
        assert (answer.status_code, answer.get_json()) == (401, {"error": "unauthorized"})
    right = {"Authorization": "Bearer open-sesame-0123456789"}
    answer = client.get("/outbox/api/messages", headers=right)
    [message] = answer.get_json()["messages"]
    assert (message["id"], message["to"], message["subject"]) == (campaign, ADDRESS, "Spring news")
    assert message["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["headers"]["List-Unsubscribe"].strip("<>") in message["links"]
    assert answer.headers["Cache-Control"] == "no-store" and "Set-Cookie" not in answer.headers
    whole = client.get(f"/outbox/api/messages/{campaign}", headers=right).get_json()
    assert whole["text"] and whole["html"] and "\nTo: " in whole["source"]
    assert client.get("/outbox", headers=right).status_code == 303, "the key opens the JSON alone"
    assert client.get("/outbox/api/messages/999", headers=right).get_json() == {"error": "not_found"}


def test_without_a_key_set_no_key_opens_the_api(app: Flask, team: Team, campaign: int) -> None:
    for given in ("Bearer ", "Bearer x"):
        assert app.test_client().get("/outbox/api/messages", headers={"Authorization": given}).status_code == 401


def test_the_api_pages_by_id(keyed: Flask, team: Team, services: Services) -> None:
    made = [keep(services, ADDRESS, a_letter_body(services)) for _ in range(5)]
    right = {"Authorization": "Bearer open-sesame-0123456789"}
    seen, before = [], ""
    for _ in range(3):
        page = keyed.test_client().get(f"/outbox/api/messages?size=2{before}", headers=right).get_json()
        assert page["count"] == 5
        seen += [message["id"] for message in page["messages"]]
        before = f"&before={page['next']}"
    assert seen == made[::-1] and page["next"] is None


def test_an_odd_message_still_has_a_page(team: Team, services: Services) -> None:
    odd = keep(services, ADDRESS, b"Subject: \xff\xfe<script>\r\nTo: <<<\r\n\r\n\x00<script>alert(1)</script>")
    cem = team.browser("cem@example.org", Role.COMPOSER)
    for path in ("/outbox", f"/outbox/{odd}", f"/outbox/{odd}?show=source",
                 f"/outbox/{odd}?show=nonsense&view=nonsense", f"/outbox/{odd}/open", f"/outbox/{odd}/html",
                 f"/outbox/api/messages/{odd}"):
        answer = cem.get(path)
        assert answer.status_code == 200, path
        assert b"<script>alert" not in answer.data or answer.is_json
    for path in ("/outbox/0", "/outbox/999999999999999999999999", "/outbox?before=99999999999999999999999"):
        assert cem.get(path).status_code in (200, 404)
