"""W2: joining takes a press of the person; scanners, old links and other people's typing lead to nothing."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.visitor import Visitor
from tests.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

FORM = "/join/news"
INTERNET_ADDRESS = re.compile(r"\b\d{1,3}(\.\d{1,3}){3}\b|::1")


def join(person: Visitor, email: str) -> None:
    person.go(FORM)
    person.fill("Email address", email)
    person.tick("New releases")
    person.press("Send me the link")
    assert person.heading() == "Now check your email"
    expect(person.page.get_by_role("main")).to_contain_text(email)


def search(lou: Visitor, email: str) -> None:
    lou.go("/staff/people")
    lou.fill("Email address", email)
    lou.press("Find")


def messages_to(lou: Visitor, email: str) -> int:
    """How many messages the Outbox holds for an address; their list is the page that stays open."""
    lou.go("/outbox")
    if lou.number("outbox-count") == 0:
        return 0
    lou.fill("Search subject and recipient", email)
    lou.press("Search")
    return lou.page.locator("[data-test='outbox-row']").count()


def open_newest(lou: Visitor, email: str) -> None:
    """A worker sends it a moment after the press."""
    lou.wait_until(lambda: messages_to(lou, email))
    lou.follow(re.compile("^One press to confirm"))


def link_of_newest(lou: Visitor, email: str) -> str:
    """The address behind the button of the newest confirmation, as its recipient has it."""
    open_newest(lou, email)
    lou.follow("Open as recipient")
    return lou.page.get_by_role("link", name="See and confirm").get_attribute("href") or ""


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_only_a_press_of_the_person_confirms(demo: Instance, visitor: NewVisitor, script: bool) -> None:
    email = f"w2{'' if script else '-without'}@example.org"
    person, lou = visitor(demo, script=script), visitor(demo, script=script)
    lou.sign_in("lou@example.org")
    join(person, email)

    open_newest(lou, email)
    lou.press("Let a scanner fetch every link")
    ours = lou.page.locator("[data-test='scan-row']").filter(has_text="/confirm/")
    for method in ("get", "head"):
        expect(ours.locator(f"[data-test='scan-{method}']")).to_have_text("200, 200, 200")
    search(lou, email)
    expect(lou.page.get_by_role("table")).to_contain_text("Waiting for confirmation")

    link = link_of_newest(lou, email)
    second_tab = person.context.new_page()
    second_tab.goto(link)
    person.go(link)
    person.press("Confirm")
    assert person.heading() == "You are in."

    search(lou, email)
    expect(lou.page.get_by_role("table")).to_contain_text("Subscribed")
    lou.follow(re.compile("@"), within=lou.page.get_by_role("table"))
    must_tell_how_it_came(lou)

    person.page.go_back()
    person.look()
    assert person.heading().startswith("Already confirmed")
    person.page = second_tab
    person.press("Confirm")
    assert person.heading().startswith("Already confirmed")


def must_tell_how_it_came(lou: Visitor) -> None:
    """Newest first: confirmed, confirmation sent, asked with form, wording and notice; and no internet address."""
    lines = lou.page.get_by_role("list", name="Timeline").get_by_role("listitem")
    titles = [line.get_by_role("strong").inner_text() for line in lines.all()]
    assert titles == ["Confirmed", "Confirmation sent", "Asked"]
    asked = lines.last
    expect(asked).to_contain_text("version 1")
    expect(asked).to_contain_text("privacy notice 1")
    asked.get_by_text("The exact words").click()
    expect(asked.get_by_role("blockquote")).to_contain_text("New releases")
    assert not INTERNET_ADDRESS.search(lou.page.content())


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_request_not_meant_and_one_grown_old_are_gone(demo: Instance, visitor: NewVisitor, script: bool) -> None:
    ending = "" if script else "-without"
    old, never_me = f"w2b{ending}@example.org", f"w2c{ending}@example.org"
    person, lou = visitor(demo, script=script), visitor(demo, script=script)
    lou.sign_in("lou@example.org")

    join(person, never_me)
    first_page = person.page.get_by_role("main").inner_text()
    person.go(link_of_newest(lou, never_me))
    person.press("This was not me")
    assert person.heading() == "Deleted. We will not write to you."
    search(lou, never_me)
    assert lou.heading() == "No one found"
    join(person, never_me)
    assert person.page.get_by_role("main").inner_text() == first_page
    assert messages_to(lou, never_me) == 1
    search(lou, never_me)
    assert lou.heading() == "No one found"

    join(person, old)
    link = link_of_newest(lou, old)
    demo.command("clock", "+8d")
    lou.page.wait_for_timeout(1500)
    person.go(link, status=410)
    expect(person.page.get_by_role("main")).to_contain_text("over 7 days old")
    lou.sign_in("lou@example.org")
    lou.wait_until(lambda: nobody_has(lou, old), seconds=90)


def nobody_has(lou: Visitor, email: str) -> bool:
    search(lou, email)
    return lou.heading() == "No one found"
