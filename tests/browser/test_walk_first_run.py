"""W1: from a printed link to a confirmed person and a sent campaign, by keyboard alone."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser import outbox_json
from tests.browser.conftest import NewVisitor
from tests.browser.visitor import Visitor
from tests.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

LONGEST_WAY = 120
"""Presses of the Tab key that reach anything on a page."""


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Instance]:
    """An instance that was never started; it is stopped whatever happens."""
    instance = Instance(tmp_path, OUTBOX_KEY=outbox_json.KEY)
    yield instance
    instance.stop()


class Keyboard:
    """Reaches things by the Tab key and presses them; counts the acts."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.acts = 0

    def reach(self, target: Locator) -> None:
        target.wait_for()
        for _ in range(LONGEST_WAY):
            self.visitor.page.keyboard.press("Tab")
            if target.evaluate("each => each === document.activeElement"):
                self.acts += 1
                return
        raise AssertionError(f"the Tab key does not reach {target}")

    def type(self, label: str, words: str) -> None:
        self.reach(self.visitor.page.get_by_label(label, exact=True))
        self.visitor.page.keyboard.type(words)

    def tick(self, label: str) -> None:
        self.reach(self.visitor.page.get_by_label(label, exact=True))
        self.visitor.page.keyboard.press("Space")

    def press(self, name: str) -> None:
        self._enter(self.visitor.page.get_by_role("button", name=name, exact=True))

    def follow(self, name: str) -> None:
        self._enter(self.visitor.page.get_by_role("main").get_by_role("link", name=name, exact=True).first)

    def follow_in_navigation(self, name: str) -> None:
        self._enter(self.visitor.page.get_by_role("navigation").get_by_role("link", name=name, exact=True).first)

    def _enter(self, target: Locator) -> None:
        self.reach(target)
        with self.visitor.page.expect_navigation():
            self.visitor.page.keyboard.press("Enter")
        self.visitor.look()

    def enter_in_new_tab(self, target: Locator) -> None:
        self.reach(target)
        self.visitor.page.keyboard.press("Enter")


def test_from_the_printed_link_to_a_sent_campaign_by_keyboard_alone(fresh: Instance, visitor: NewVisitor) -> None:
    began = time.monotonic()
    link = fresh.start()
    started = time.monotonic()
    ana = visitor(fresh)
    keys = Keyboard(ana)

    ana.go(link)
    keys.acts += 1
    keys.type("Organisation", "Cadenza Music")
    keys.type("Your name", "Ana")
    keys.type("Email address", "ana@example.org")
    keys.type("Password", "seven quiet cellos at noon")
    expect(ana.page.get_by_label("Fill in sample data")).to_be_checked()
    keys.press("Start")
    assert ana.heading() == "Home"
    expect(ana.page.get_by_role("complementary", name="Mode")).to_contain_text("Practice")
    expect(ana.page.locator("[data-test='first_person']")).to_contain_text("Not started")

    keys.follow("Sign yourself up")
    keys.type("Email address", "me@example.org")
    keys.tick("New releases")
    keys.press("Send me the link")
    assert ana.heading() == "Now check your email"

    keys.follow("Outbox")
    newest = ana.page.locator("[data-test='outbox-row']").first.get_by_role("link")
    ana.wait_until(lambda: newest.count() or ana.page.reload() and newest.count())
    keys.follow(newest.inner_text())
    keys.follow("Open as recipient")
    staff_tab = ana.page
    ana.follow_to_new_tab("See and confirm", keys.enter_in_new_tab)
    keys.press("Confirm")
    assert ana.heading() == "You are in."

    ana.page = staff_tab
    keys.follow_in_navigation("Home")
    expect(ana.page.locator("[data-test='first_person']")).to_contain_text("Done")
    keys.follow("Send the sample campaign")
    keys.press("Check and send")
    assert ana.words("must-fix-count").startswith("No Must fix")
    keys.press("Send to 251 people")
    expect(ana.page.locator("[data-test='starts-in']")).to_contain_text("Nothing has left yet")
    expect(ana.page.get_by_role("button", name="Undo")).to_be_visible()
    expect(ana.page.locator("[data-test='progress']")).to_contain_text("251 of 251", timeout=90_000)
    ana.look()
    keys.follow("See the report")
    assert ana.words("report-sentence").startswith("251 of 251 accepted")
    done = time.monotonic()

    ana.go(link, status=404)
    assert outbox_json.count(fresh) == 252
    print(f"\n{keys.acts} acts; {started - began:.0f} s until the link, {done - started:.0f} s from there")
