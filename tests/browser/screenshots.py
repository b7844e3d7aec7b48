"""The pictures of the documentation, taken from the demonstration: `python -m tests.browser.screenshots`."""

import re
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser import outbox_json
from tests.browser.conftest import DEMO
from tests.browser.test_walk_three_ways_to_leave import look_at_person
from tests.browser.visitor import Visitor, chromium_running
from tests.instance import PROJECT, Instance

PART_WAY = re.compile(r"^([5-9]\d|1\d\d|2[0-4]\d) of 250")
HIGHEST = 1240
FOLDER = PROJECT / "docs" / "screenshots"


def main() -> None:
    """Start an instance, take every picture, and end it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium_running() as browser:
        instance = Instance(Path(folder), OUTBOX_KEY=outbox_json.KEY)
        try:
            start = instance.start(*DEMO)
            _take_all(browser, instance, start)
        finally:
            instance.stop()


def _take_all(browser: Browser, instance: Instance, start: str) -> None:
    ana = Visitor(browser, instance)
    begin(ana, start)
    _home_and_composer(ana)
    _sending(ana)
    [first, second, *_] = outbox_json.newest(instance, "Five records for a rainy week")
    ana.go("/outbox")
    _picture(ana, "outbox")
    ana.go(f"/outbox/{first.id}")
    _picture(ana, "outbox-message", full=True)
    look_at_person(ana, second.to)
    _picture(ana, "person", full=True)
    ana.go("/staff/people")
    _picture(ana, "people")
    _public(browser, instance, next(link for link in first.links if "/u/" in link),
            next(link for link in second.links if "/p/" in link))


def begin(ana: Visitor, start: str) -> None:
    """Make the first Admin."""
    ana.go(start)
    for label, words in (("Organisation", "Cadenza Music"), ("Your name", "Ana"), ("Email address", "ana@example.org"),
                         ("Password", "seven quiet cellos at noon")):
        ana.fill(label, words)
    ana.press("Start")


def _home_and_composer(ana: Visitor) -> None:
    _picture(ana, "home", full=True)
    ana.page.emulate_media(color_scheme="dark")
    _picture(ana, "home-dark")
    ana.page.emulate_media(color_scheme="light")
    ana.page.set_viewport_size({"width": 390, "height": 844})
    _picture(ana, "home-phone")
    ana.page.set_viewport_size({"width": 1280, "height": 800})
    ana.follow("Send the sample campaign")
    ana.page.wait_for_timeout(1500)
    _picture(ana, "composer", height=1180)


def _sending(ana: Visitor) -> None:
    ana.press("Check and send")
    _picture(ana, "check-and-send", full=True)
    ana.press("Send to 250 people")
    ana.page.locator("[data-test='progress']").filter(has_text=PART_WAY).wait_for(timeout=90_000)
    _picture(ana, "progress", full=True)
    ana.page.get_by_role("link", name="See the report").wait_for(timeout=90_000)
    ana.follow("See the report")
    _picture(ana, "report", full=True)


def _public(browser: Browser, instance: Instance, leave: str, preferences: str) -> None:
    for name, path in (("join", "/join/news"), ("unsubscribe", leave), ("preferences", preferences)):
        person = Visitor(browser, instance)
        person.go(path)
        _picture(person, name, full=True)
        person.close()
    reader = Visitor(browser, instance, width=390, scheme="dark")
    reader.go(preferences)
    _picture(reader, "preferences-phone-dark")
    reader.close()


def _picture(who: Visitor, name: str, *, full: bool = False, height: int = 800) -> None:
    """The window; `full` makes it as high as the page, up to a limit, so that nothing is cut without need."""
    if full:
        height = max(400, min(HIGHEST, int(who.page.evaluate("document.documentElement.scrollHeight"))))
    before = who.page.viewport_size or {"width": 1280, "height": 800}
    if full or height != 800:
        who.page.set_viewport_size({"width": before["width"], "height": height})
    who.page.screenshot(path=FOLDER / f"{name}.png", scale="css")
    who.page.set_viewport_size(before)


if __name__ == "__main__":
    main()
