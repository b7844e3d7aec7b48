"""W4: a forwarded link shows and narrows; a link mailed now opens everything, once; a new mailbox says so itself."""

import json
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser import outbox_json
from tests.browser.conftest import NewVisitor
from tests.browser.outbox_json import Letter
from tests.browser.visitor import Visitor
from tests.instance import Instance, running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

FRESH = "Your link to see and change what Cadenza Music sends you"
PASSWORD = "seven quiet cellos at noon"


def link_of(letter: Letter, beginning: str) -> str:
    """The address of the one link of a message that leads there."""
    [found] = {link for link in letter.links if urlsplit(link).path.startswith(beginning)}
    return found


def subscribe(instance: Instance, who: Visitor, email: str) -> None:
    """Ask for two topics by the form, and confirm."""
    who.go("/join/news")
    who.fill("Email address", email)
    who.fill("First name (optional)", "Quillonwick")
    for topic in ("New releases", "Events near you"):
        who.tick(topic)
    who.press("Send me the link")
    who.wait_until(lambda: [each for each in outbox_json.newest(
        instance, "One press to confirm: New releases from Cadenza Music") if each.to == email])
    letters = outbox_json.newest(instance, "One press to confirm: New releases from Cadenza Music")
    who.go(link_of(next(each for each in letters if each.to == email), "/confirm/"))
    who.press("Confirm")


def send(instance: Instance, subject: str) -> None:
    """A campaign to the list, by the command line, until it is sent."""
    number = str(instance.command("campaign", "create", "--list", "News and events", "--subject", subject,
                                  "--body", "# Hello\n\nA quartet plays.")["id"])
    instance.command("campaign", "send", number, "--yes", "--wait")


def letter_to(instance: Instance, subject: str, email: str, who: Visitor) -> Letter:
    """The newest message of that subject to an address, once it is there."""
    who.wait_until(lambda: any(each.to == email for each in outbox_json.every(instance, subject)))
    return next(each for each in outbox_json.every(instance, subject) if each.to == email)


def open_whole_page(instance: Instance, person: Visitor, email: str, button: str) -> str:
    """Ask for a fresh link on the light page, press it; its address."""
    person.press(button)
    assert person.heading() == "Now check your email"
    fresh = link_of(letter_to(instance, FRESH, email, person), "/fresh/")
    person.go(fresh)
    person.press("Open my page")
    assert person.heading() == "What Cadenza Music sends you"
    return fresh


def narrow_by_the_light_link(person: Visitor, link: str) -> None:
    """Steps 1 to 3."""
    person.go(link)
    text = person.page.content()
    assert re.search("•••", text) and "Quillonwick" not in text and "w4" not in person.page.inner_text("main")
    expect(person.page.get_by_text("Partner offers").first).to_be_visible()
    assert person.page.get_by_label("Send me partner offers").count() == 0
    person.page.get_by_label("Events near you", exact=True).uncheck()
    person.tick("At most once a month")
    person.tick("Text only")
    person.tick("30 days")
    person.press("Save")
    changes = person.page.get_by_role("main").get_by_role("listitem").all_inner_texts()
    assert changes == ["Events near you by email: stopped. From now.", "How often: at most once a month. From now.",
                       "Look: text only. From now.", "A break until 1 April 2026."]
    person.follow("Back to your choices")


def take_a_copy(instance: Instance, person: Visitor, email: str) -> str:
    """Step 4; the address of the used link."""
    fresh = open_whole_page(instance, person, email, "Get a copy")
    whole = person.page.url
    person.follow("Get a copy")
    person.press("Make my copy")
    with person.page.expect_download() as kept:
        person.page.get_by_role("link", name="Take it along (JSON)").click()
    copy = json.loads(kept.value.path().read_text())
    addresses = set(re.findall(r"[\w.+-]+@[\w.-]+", json.dumps(copy, ensure_ascii=False)))
    others = {each.to for each in outbox_json.every(instance, "Strings in March")} - {email}
    assert email in addresses and len(others) > 10 and not addresses & others
    person.go(fresh, status=410)
    assert person.heading() == "This link was used"
    return whole


def move_to(instance: Instance, person: Visitor, whole: str, old: str, new: str) -> None:
    """Step 5."""
    person.go(whole)
    person.fill("New email address", new)
    person.press("Send a link to the new address")
    assert person.heading() == "Now check the new mailbox"
    asked = letter_to(instance, "One press to get Cadenza Music at this address", new, person)
    person.follow("Back to your choices")
    told_early = outbox_json.newest(instance, "Our messages now go to another address")
    assert not any(each.to == old for each in told_early)
    person.go(link_of(asked, "/address/"))
    person.press("Use this address")
    assert person.heading() == "This is your address now"
    told = letter_to(instance, "Our messages now go to another address", old, person)
    person.go(link_of(told, "/address-undo/"))
    expect(person.page.get_by_role("button", name="Undo", exact=True)).to_be_visible()


def test_preferences_and_the_fresh_link(tmp_path_factory: pytest.TempPathFactory, visitor: NewVisitor) -> None:
    """M11, M14, M15, M16, T18: the whole walk at 1280 pixels, and with another person at 320."""
    folder = tmp_path_factory.mktemp("preferences")
    with running(folder, "--demo", "--seed", "7", "--clock", "2026-03-02T15:00:00Z",
                 OUTBOX_KEY=outbox_json.KEY) as instance:
        people = [(visitor(instance, width=width), f"w4-{width}@example.org") for width in (1280, 320)]
        for person, email in people:
            subscribe(instance, person, email)
        send(instance, "Strings in March")
        for person, email in people:
            narrow_by_the_light_link(person, link_of(letter_to(instance, "Strings in March", email, person), "/p/"))
            whole = take_a_copy(instance, person, email)
            move_to(instance, person, whole, email, email.replace("w4", "new"))
        send(instance, "Strings in the break")
        reached = {each.to for each in outbox_json.every(instance, "Strings in the break")}
        assert reached and not {each for each in reached if each.startswith(("w4-", "new-"))}
        instance.command("clock", "+31d")
        send(instance, "Strings in April")
        for person, email in people:
            moved = email.replace("w4", "new")
            letter = letter_to(instance, "Strings in April", moved, person)
            assert only_text(instance, letter)
            assert not any(each.to == email for each in outbox_json.every(instance, "Strings in April"))


def only_text(instance: Instance, letter: Letter) -> bool:
    """Whether the kept message has a text part and nothing else (promise M16)."""
    source = outbox_json.source(instance, letter.id)
    return "text/plain" in source and "text/html" not in source and "multipart" not in source
