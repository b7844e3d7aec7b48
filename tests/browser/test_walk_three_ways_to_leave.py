"""W3, less the reply by mail: a press in the mail app, a press on our own page, and who gets nothing afterwards."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import outbox_json
from tests.browser.conftest import NewVisitor
from tests.browser.outbox_json import Letter
from tests.browser.visitor import Visitor
from tests.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

BODY = """# Strings by the river

Hello {first name | there},

on Sunday a quartet plays where the ferry lands.
"""


def send_to_the_list(sue: Visitor, subject: str) -> int:
    """Sue writes to the first list and waits until it is sent; how many were not sent it as `unsubscribed`."""
    sue.go("/staff/campaigns")
    sue.follow("New email")
    sue.page.get_by_label("Audience").select_option(label="News and events: all topics")
    sue.fill("Subject", subject)
    sue.page.get_by_role("textbox", name="Message").fill(BODY)
    sue.press("Check and send")
    assert sue.words("must-fix-count").startswith("No Must fix")
    send = sue.page.locator("[data-test='send']")
    assert re.fullmatch(r"Send to \d+ people", send.inner_text().strip())
    sue.press(send.inner_text().strip())
    expect(sue.page.locator("[data-test='starts-in']")).to_contain_text("Nothing has left yet")
    expect(sue.page.get_by_role("link", name="See the report")).to_be_visible(timeout=100_000)
    sue.look()
    return sue.number("not-sent-unsubscribed")


def look_at_person(lou: Visitor, email: str) -> None:
    lou.go("/staff/people")
    lou.fill("Email address", email)
    lou.press("Find")
    lou.follow(re.compile("@"), within=lou.page.get_by_role("table"))


def must_be(lou: Visitor, state: str, newest: str) -> None:
    """How the person stands, and what their timeline says came last."""
    expect(lou.page.get_by_role("main").locator(".badge").first).to_have_text(state)
    first = lou.page.get_by_role("list", name="Timeline").get_by_role("listitem").first
    expect(first.get_by_role("strong")).to_have_text(newest)


def footer_link(lou: Visitor, letter: Letter) -> str:
    """The address behind Unsubscribe at the foot of a message."""
    lou.go(f"/outbox/{letter.id}")
    lou.follow("Open as recipient")
    return lou.page.get_by_role("link", name="Unsubscribe", exact=True).get_attribute("href") or ""


def test_who_leaves_gets_nothing_more_and_who_takes_it_back_does(demo: Instance, visitor: NewVisitor) -> None:
    """Everybody's part is walked with script and without: the first two leave with it, the others without."""
    sue, sue_without = visitor(demo), visitor(demo, script=False)
    sue.sign_in("sue@example.org")
    before = send_to_the_list(sue, "Strings by the river")
    letters = outbox_json.newest(demo, "Strings by the river")

    gone, back = letters[:2], letters[2:4]
    for script, by_app, by_page in zip((True, False), gone, back, strict=True):
        lou = visitor(demo, script=script)
        lou.sign_in("lou@example.org")
        leave_by_the_mail_app(demo, lou, by_app)
        leave_by_the_page_and_return(visitor(demo, script=script), lou, by_page)

    sue_without.sign_in("sue@example.org")
    assert send_to_the_list(sue_without, "Strings, encore") == before + 2
    reached = {letter.to for letter in outbox_json.newest(demo, "Strings, encore")}
    assert {letter.to for letter in back} <= reached
    assert not {letter.to for letter in gone} & reached


def leave_by_the_mail_app(demo: Instance, lou: Visitor, letter: Letter) -> None:
    """A scanner changes nothing; the mail app's button does, at once, without cookie, redirect or further mail."""
    messages = outbox_json.count(demo)
    lou.go(f"/outbox/{letter.id}")
    lou.press("Let a scanner fetch every link")
    fetched = lou.page.locator("[data-test='scan-get']")
    assert {words for each in fetched.all_inner_texts() for words in each.split(", ")} == {"200"}, fetched
    look_at_person(lou, letter.to)
    must_be(lou, "Subscribed", f"Message “{letter.subject}” sent")

    lou.go(f"/outbox/{letter.id}")
    lou.press("Press the mail app’s Unsubscribe")
    assert [lou.words(f"press-{name}") for name in ("status", "redirect", "cookie")] == ["200", "none", "none"]
    look_at_person(lou, letter.to)
    must_be(lou, "Unsubscribed", "Unsubscribed")
    assert outbox_json.count(demo) == messages


def leave_by_the_page_and_return(person: Visitor, lou: Visitor, letter: Letter) -> None:
    """The first control of the footer's page stops everything, and may be taken back."""
    person.go(footer_link(lou, letter))
    first = person.page.get_by_role("main").locator("a, button, input:not([type=hidden]), select, textarea").first
    expect(first).to_have_text("Stop all marketing email")
    person.press("Stop all marketing email")
    assert re.fullmatch(r"Done at \d\d:\d\d\.", person.heading())
    look_at_person(lou, letter.to)
    must_be(lou, "Unsubscribed", "Unsubscribed")

    person.press("Undo")
    look_at_person(lou, letter.to)
    must_be(lou, "Subscribed", "Subscribed again")
    titles = lou.page.get_by_role("list", name="Timeline").get_by_role("strong").all_inner_texts()
    assert "Unsubscribed" in titles
