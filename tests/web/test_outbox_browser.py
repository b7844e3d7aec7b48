"""The Outbox in a real browser: nothing for axe to find, 320 pixels are enough, and no script is needed."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from mailer.core.links import Link
from mailer.organisation import profile
from mailer.services import Services, unit_of_work
from mailer.staff.roles import Role
from mailer.subscriptions import links as single_use
from tests.channels.email_samples import BRAND, LINKS, a_copy, a_recipient
from tests.people.builders import a_list, ask, join
from tests.practice.kept import a_campaign_body, a_letter_body, keep
from tests.web.staff_world import PASSWORD, Team

pytestmark = pytest.mark.browser

TABS = ("html", "html&view=phone", "html&view=dark", "text", "headers", "source", "links", "checks")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "these tests need Chromium: install the package chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def site(app: Flask, services: Services, team: Team) -> Iterator[str]:
    """The application on a port of its own, which is also the public address; signed in as Cem."""
    team.add("cem@example.org", Role.COMPOSER)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.port}"
    with unit_of_work(services) as ctx:
        profile.ensure_row(ctx).public_url = url
    yield url
    server.shutdown()
    thread.join()


@pytest.fixture
def campaign(services: Services, site: str) -> int:
    sign = services.signer.sign
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx, "Sheet music", ("Duets",))
        point = join(ctx, "quillonia@example.org", made.id, topics).id
    links = LINKS._replace(leave=f"{site}/u/{sign(Link.LEAVE, point)}", why=f"{site}/why/{sign(Link.WHY, point)}",
                    one_click=f"{site}/one-click/{sign(Link.ONE_CLICK, point)}")
    body = a_campaign_body(services, a_recipient(address="quillonia@example.org", links=links),
                           a_copy(brand=replace(BRAND, public_url=site)))
    return keep(services, "quillonia@example.org", body, campaign_id=7)


@pytest.fixture
def confirmation(services: Services, site: str) -> int:
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx, "News", ("Scales",))
        pending = ask(ctx, "me@example.org", made.id, topics)
        token = single_use.issue(ctx, single_use.Purpose.CONFIRM, pending_request_id=pending.id)
    return keep(services, "me@example.org", a_letter_body(
        services, to="me@example.org", subject="One press to confirm: Scales from Cadenza Music",
        text=f"See what it is, and confirm:\n{site}/confirm/{token}\n",
        html=f'<html lang="en"><title>x</title><p><a href="{site}/confirm/{token}">See and confirm</a></p></html>'))


def sign_in(page: Page, site: str) -> None:
    page.goto(f"{site}/staff/sign-in")
    page.get_by_label("Email address").fill("cem@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site}/staff")


def faults(page: Page, name: str) -> list[str]:
    """What axe finds, and what hangs over at 320 pixels."""
    violations = Axe().run(page).response["violations"]
    found = [f"{name}: {each['id']} {each['nodes'][0]['html'][:120]}" for each in violations]
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 800})
    if page.evaluate("document.documentElement.scrollWidth") > 320:
        found.append(f"{name}: wider than 320 pixels")
    page.set_viewport_size(size or {"width": 1280, "height": 900})
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_320_pixels_are_enough(
        browser: Browser, site: str, campaign: int, confirmation: int, scheme: str) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    errors: list[str] = []
    hosts: set[str] = set()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: hosts.add("/".join(request.url.split("/")[:3])))
    sign_in(page, site)
    for path in ("", f"/{confirmation}/open", *(f"/{campaign}?show={tab}" for tab in TABS)):
        page.goto(f"{site}/outbox{path}")
        errors += faults(page, path)
    for act in ("Let a scanner fetch every link", "Press the mail app’s Unsubscribe"):
        page.get_by_role("button", name=act).click()
        errors += faults(page, act)
    page.goto(f"{site}/outbox")
    page.get_by_label("Search subject and recipient").fill("no such words")
    page.get_by_role("button", name="Search").click()
    errors += faults(page, "nothing found")
    page.close()
    assert errors == []
    assert hosts == {site}


def test_the_mark_goes_when_a_message_is_shown(browser: Browser, site: str, campaign: int) -> None:
    page = browser.new_page()
    sign_in(page, site)
    page.goto(f"{site}/outbox")
    assert page.locator("[data-test=outbox-new]").inner_text() == "1"
    with page.expect_response(lambda answer: answer.url.endswith(f"/{campaign}/seen")) as answer:
        page.get_by_role("link", name="Spring news").click()
    assert answer.value.status == 204
    page.goto(f"{site}/outbox")
    assert page.locator("[data-test=outbox-new]").inner_text() == "0"
    page.close()


def test_without_script_a_person_is_confirmed_and_another_leaves(
        browser: Browser, site: str, team: Team, campaign: int, confirmation: int) -> None:
    """Walks W1 (6), W2 (2, 3) and W3 (1, 2)."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site)
    page.goto(f"{site}/outbox")
    page.get_by_role("link", name="One press to confirm").click()
    page.get_by_role("button", name="Let a scanner fetch every link").click()
    assert page.locator("[data-test=scan-get]").all_inner_texts() == ["200, 200, 200"]
    assert team.one("SELECT count(*) FROM pending_request") == 1
    page.get_by_role("link", name="Open as recipient").click()
    with context.expect_page() as opened:
        page.get_by_role("link", name="See and confirm").click()
    tab = opened.value
    tab.get_by_role("button", name="Confirm").first.click()
    assert tab.locator("h1").inner_text().startswith("You are in")
    page.goto(f"{site}/outbox/{campaign}")
    page.get_by_role("button", name="Press the mail app’s Unsubscribe").click()
    assert page.locator("[data-test=press-status]").inner_text() == "200"
    assert team.one("SELECT count(*) FROM standing WHERE state = 'ended'") == 1
    page.goto(f"{site}/outbox")
    page.get_by_role("button", name="Mark all as seen").click()
    assert page.locator("[data-test=outbox-new]").inner_text() == "0"
    context.close()
