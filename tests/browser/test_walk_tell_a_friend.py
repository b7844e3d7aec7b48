"""W6: one message to a friend, who it was, never again, and the code that takes that back."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import outbox_json
from tests.browser.conftest import NewVisitor
from tests.browser.visitor import Visitor
from tests.chaos.needles import Needles
from tests.chaos.sending import database
from tests.friends.test_vault import everything_in
from tests.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

THANKS = "If we may write to that address, your message is on its way."
PRESS, PASSED_ON = "One press to pass your message on", "Fernanda asked us to pass this on"


@pytest.mark.parametrize("script", [True, False])
def test_a_friend_hears_once_and_never_again_until_their_code(
        demo: Instance, visitor: NewVisitor, script: bool) -> None:
    who = "with" if script else "without"
    fern, fay = f"fern.{who}@example.org", f"fayreceives.{who}@example.org"
    sender, friend, lou = (visitor(demo, script=script) for _ in range(3))
    lou.sign_in("lou@example.org")

    passes_on(demo, sender, fern, fay)
    (letter,) = to(demo, PASSED_ON, fay)
    asked_again(demo, sender, fern, fay)

    code = says_never(demo, friend, letter.links, fern)
    nowhere(demo, fay)
    asks_the_stop_list(lou, fay)
    is_left_out(demo, lou, fay)
    joins(demo, friend, fay, messages=0)
    nowhere(demo, fay)

    lifts(friend, code)
    joins(demo, friend, fay, messages=1)


def passes_on(demo: Instance, sender: Visitor, fern: str, fay: str) -> None:
    """1 and 2: the sender's own press comes first, and the message names them."""
    fills_in(sender, fern, fay)
    assert sender.heading() == "Thank you." and not to(demo, PASSED_ON, fay)
    sender.wait_until(lambda: to(demo, PRESS, fern), 30)
    (own,) = to(demo, PRESS, fern)
    sender.go(next(link for link in own.links if "/friend/press/" in link))
    sender.press("Pass it on")
    assert sender.heading() == "Thank you." and THANKS in sender.page.get_by_role("main").inner_text()
    sender.wait_until(lambda: to(demo, PASSED_ON, fay), 30)


def asked_again(demo: Instance, sender: Visitor, fern: str, fay: str) -> None:
    """3: the same thanks, and nothing for anybody."""
    before = outbox_json.count(demo)
    fills_in(sender, fern, fay)
    assert sender.heading() == "Thank you."
    sender.page.wait_for_timeout(2500)
    assert outbox_json.count(demo) == before


def fills_in(sender: Visitor, fern: str, fay: str) -> None:
    sender.go("/friend")
    for label, words in (("Your first name", "Fernanda"), ("Your email", fern), ("Friend's email", fay)):
        sender.fill(label, words)
    sender.page.get_by_role("textbox", name="A few words").fill("You will love the quartets.")
    sender.press("Send one message")


def says_never(demo: Instance, friend: Visitor, links: tuple[str, ...], fern: str) -> str:
    """4: their page says who and when."""
    friend.go(next(link for link in links if re.search(r"/friend/[a-z2-7]{56}$", link)))
    assert friend.heading() == "Who gave you my address?"
    expect(friend.page.get_by_role("main")).to_contain_text(re.compile(rf"Fernanda, {re.escape(fern)}, on \d+ \w+"))
    friend.press("Never write to me again")
    assert friend.heading() == "We will never write to this address."
    return friend.words("code")


def asks_the_stop_list(lou: Visitor, fay: str) -> None:
    """5: nobody of that address, and why it is stopped."""
    lou.go("/staff/people")
    lou.fill("Email address", fay)
    lou.press("Find")
    assert lou.heading() == "No one found"
    lou.press("Ask the stop list")
    expect(lou.page.get_by_role("main")).to_contain_text(re.compile("friend said never", re.IGNORECASE))


def is_left_out(demo: Instance, lou: Visitor, fay: str) -> None:
    """6: Lou's question stands in for the file."""
    before = outbox_json.count(demo)
    lou.go("/staff/people")
    lou.follow("Invite somebody to a list")
    lou.fill("Email address", fay)
    lou.page.get_by_label("List", exact=True).select_option(label="News and events")
    lou.press("Ask them")
    expect(lou.page.locator("[data-test='invited']")).to_contain_text("On the stop list, left out")
    lou.page.wait_for_timeout(2500)
    assert outbox_json.count(demo) == before


def joins(demo: Instance, friend: Visitor, fay: str, *, messages: int) -> None:
    """7 and 8: the same page either way."""
    before = outbox_json.count(demo)
    friend.go("/join/news")
    friend.fill("Email address", fay)
    friend.tick("New releases")
    friend.press("Send me the link")
    assert friend.heading() == "Now check your email"
    if messages:
        friend.wait_until(lambda: outbox_json.count(demo) == before + messages, 30)
    else:
        friend.page.wait_for_timeout(2500)
        assert outbox_json.count(demo) == before


def lifts(friend: Visitor, code: str) -> None:
    """8: the way there leads over the page that says to look into one's mail."""
    friend.page.get_by_text("Lift that block").click()
    friend.follow("Use the undo code")
    friend.fill("Code", code.lower())
    friend.press("Lift the block")
    assert friend.heading() == "The block is lifted."


def to(demo: Instance, subject: str, address: str) -> list[outbox_json.Letter]:
    return [each for each in outbox_json.newest(demo, subject) if each.to == address]


def nowhere(demo: Instance, fay: str) -> None:
    """Between 4 and 8 no column and no log names the friend; the practice outbox is sealed, and apart."""
    needles = Needles([fay])
    assert needles.within(everything_in(database(demo))) == set()
    assert {path.name for path in (demo.data_dir / "logs").rglob("*") if path.is_file() and needles.within_file(path)
            } == set()
