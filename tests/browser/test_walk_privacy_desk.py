"""W12, steps 1 to 4 and 7: erasing oneself, an access request at the desk, a proof, and what is written down of it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import outbox_json
from tests.browser.conftest import NewVisitor
from tests.browser.visitor import Visitor
from tests.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ADDRESS = "quillabert@example.org"


def newest_link(demo: Instance, who: Visitor, part: str, path: str, to: str = "") -> str:
    """The link of the newest message whose subject has this part; waited for."""
    found: list[str] = []

    def arrived() -> bool:
        messages = outbox_json.asked(demo, "?size=20")["messages"]
        found[:] = [link for each in messages if part in each["subject"] and to in each["to"]
                    for link in each["links"] if path in link][:1]
        who.page.reload()
        return bool(found)

    who.wait_until(arrived)
    return found[0]


def test_the_desk_answers_and_the_register_remembers(demo: Instance, visitor: NewVisitor) -> None:
    """M11, S29, section 3 items 10 and 24."""
    person, pia, cem = visitor(demo), visitor(demo), visitor(demo)
    pia.sign_in("pia@example.org")
    subscribe(demo, person)
    erase_oneself(demo, person)
    closed_and_on_the_stop_list(pia)
    answer_the_access_request(demo, pia, visitor(demo))
    proof_of_another(pia)
    written_down(pia, cem)


def subscribe(demo: Instance, person: Visitor) -> None:
    person.go("/join/news")
    person.fill("Email address", ADDRESS)
    person.tick("New releases")
    person.press("Send me the link")
    person.go(newest_link(demo, person, "One press to confirm", "/confirm/", ADDRESS))
    person.press("Confirm")


def erase_oneself(demo: Instance, person: Visitor) -> None:
    person.go("/manage")
    person.page.get_by_role("textbox").fill(ADDRESS)
    person._act(person.page.get_by_role("main").get_by_role("button"))
    person.go(newest_link(demo, person, "Your link to see and change", "/fresh/", ADDRESS))
    person._act(person.page.get_by_role("main").get_by_role("button"))
    messages = outbox_json.count(demo)
    person.follow("Erase me")
    person.press("Erase everything")
    assert person.heading() == "You are erased."
    expect(person.page.get_by_role("main")).to_contain_text(re.compile(r"Backups forget by\s*\d{1,2} \w+ 2026"))
    # The messages that this person had got are gone from the Outbox too, and none has come.
    assert outbox_json.count(demo) < messages


def closed_and_on_the_stop_list(pia: Visitor) -> None:
    pia.go("/staff/privacy")
    closed = pia.page.get_by_role("region", name="Closed lately").get_by_role("row")
    expect(closed.nth(1)).to_contain_text("Erase me")
    expect(closed.nth(1)).to_contain_text("erased")
    pia.go("/staff/people")
    pia.fill("Email address", ADDRESS)
    pia.press("Find")
    expect(pia.page.get_by_role("main")).to_contain_text("No one found")
    pia.press("Ask the stop list")
    expect(pia.page.get_by_role("main")).to_contain_text(re.compile("erased", re.IGNORECASE))


def answer_the_access_request(demo: Instance, pia: Visitor, person: Visitor) -> None:
    pia.go("/staff/privacy/1")
    assert pia.heading().endswith("Copy of my data")
    pia.press("Send a fresh link")
    person.go(newest_link(demo, pia, "Your link to see and change", "/fresh/"))
    person._act(person.page.get_by_role("main").get_by_role("button"))
    person.press("Yes, that was me")
    expect(person.page.get_by_role("main")).to_contain_text("Copy of my data: it was you.")
    person.follow("Back to your choices")
    pia.go("/staff/privacy/1")
    pia.press("Build copy")
    pia.press("Send")
    assert newest_link(demo, pia, "Your copy is ready", "/p/")
    person.follow("Get a copy")
    assert person.heading() == "Your copy is ready"
    person.follow("Read it here")
    main = person.page.get_by_role("main")
    expect(main).to_contain_text("Timeline of your consents")
    expect(main).to_contain_text("The words that you were shown")


def proof_of_another(pia: Visitor) -> None:
    pia.go("/staff/people?state=subscribed")
    pia.follow(re.compile("@"), within=pia.page.get_by_role("table"))
    pia.follow(re.compile("proof", re.IGNORECASE))
    expect(pia.page.get_by_role("main")).to_contain_text(re.compile("notice", re.IGNORECASE))


def written_down(pia: Visitor, cem: Visitor) -> None:
    pia.go("/staff/register")
    expect(pia.page.get_by_role("table")).to_contain_text("Copy for the person")
    pia.go("/staff/audit")
    for act in ("build copy", "close request", "erase person"):
        expect(pia.page.get_by_role("table")).to_contain_text(act)
    cem.sign_in("cem@example.org")
    for path in ("/staff/privacy", "/staff/privacy/1", "/staff/register", "/staff/audit"):
        cem.go(path, status=404)
