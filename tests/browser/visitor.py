"""Somebody with a browser. Every page they come to is looked at: axe, title, console, other hosts, cookies."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, sync_playwright

from tests.instance import Instance

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync"]
STAFF_PATHS = ("/staff", "/outbox", "/start")
AXE = Axe()
AXE_OPTIONS = {"resultTypes": ["violations"], "iframes": False}
ANSWERED_WITH_AN_ERROR = "Failed to load resource"
"""What Chromium logs about a page that answers 404 or 410, which walks ask for; about a part of one it is a fault."""


@contextmanager
def chromium_running() -> Iterator[Browser]:
    """The Chromium that this machine has, without a window."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    assert program, "these tests need Chromium: install your system's package 'chromium'"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGS)
        yield browser
        browser.close()


class Visitor:
    """One person with a browser of their own."""

    def __init__(self, browser: Browser, instance: Instance, *, script: bool = True, width: int = 1280,
                 scheme: Literal["light", "dark"] = "light") -> None:
        self.instance, self.script = instance, script
        self.context: BrowserContext = browser.new_context(
            java_script_enabled=script, viewport={"width": width, "height": 800}, color_scheme=scheme,
            reduced_motion="reduce", locale="en-GB", timezone_id="UTC")
        self.context.set_default_timeout(15_000)
        self.faults: list[str] = []
        self.pages_seen = 0
        self.is_staff = False
        self.context.on("request", self._requested)
        self.context.on("console", self._said)
        self.context.on("weberror", lambda error: self.faults.append(f"script error: {error.error}"))
        self.page: Page = self.context.new_page()

    def close(self) -> None:
        """End the browser; nothing may have gone wrong in it."""
        self.context.close()
        assert not self.faults, "\n".join(self.faults)

    def go(self, path: str, *, status: int = 200) -> None:
        """Open a path of the instance, or a whole address, and look at the page."""
        answer = self.page.goto(path if "://" in path else f"{self.instance.url}{path}")
        assert answer is not None and answer.status == status, f"{path}: {answer and answer.status}"
        self.look()

    def press(self, name: str, *, within: Locator | None = None) -> None:
        """Press the button with this name, and look at the page that answers."""
        self._act((within or self.page).get_by_role("button", name=name, exact=True))

    def follow(self, name: str | re.Pattern[str], *, within: Locator | None = None) -> None:
        """Follow the first link with this name, and look at the page behind it."""
        found = (within or self.page).get_by_role("link", name=name, exact=isinstance(name, str))
        self._act(found.first)

    def follow_to_new_tab(self, name: str, act: Callable[[Locator], None] = Locator.click) -> None:
        """Follow a link that opens a tab of its own, and go on there."""
        with self.context.expect_page() as opened:
            act(self.page.get_by_role("link", name=name, exact=True).first)
        self.page = opened.value
        self.page.wait_for_load_state()
        self.look()

    def fill(self, label: str, value: str) -> None:
        """Type into the field with this label."""
        self.page.get_by_label(label, exact=True).fill(value)

    def tick(self, label: str) -> None:
        """Tick the box, or choose the answer, with this label."""
        self.page.get_by_label(label, exact=True).check()

    def number(self, name: str) -> int:
        """The number that the page shows under a data-test name."""
        return int(self.words(name).replace(",", ""))

    def words(self, name: str) -> str:
        """What the page shows under a data-test name."""
        return self.page.locator(f"[data-test='{name}']").inner_text().strip()

    def heading(self) -> str:
        """The page's heading of the first level."""
        return self.page.get_by_role("heading", level=1).inner_text().strip()

    def sign_in(self, email: str) -> None:
        """As a member of staff, by the link that whoever runs the program hands out."""
        self.go(str(self.instance.command("staff", "link", email)["link"]))
        self.press("Sign in")

    def look(self) -> None:
        """What must be right on each page, whoever sees it."""
        self.pages_seen += 1
        where = urlsplit(self.page.url).path
        assert self.page.title() == self.heading(), where
        assert self.page.get_by_role("main").count() == 1, where
        if self.script:
            self.must_be_accessible()
        self.is_staff = self.is_staff or where.startswith(STAFF_PATHS)
        assert self.is_staff or not self.context.cookies(), where
        assert not self.faults, "\n".join(self.faults)

    def must_be_accessible(self) -> None:
        """Axe finds nothing."""
        found = AXE.run(self.page, options=AXE_OPTIONS)
        assert found.violations_count == 0, f"{self.page.url}\n{found.generate_report()}"

    def wait_until(self, holds: Callable[[], Any], seconds: float = 60) -> None:
        """Ask until something holds; asking loads the page anew."""
        ends = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < ends, self.page.get_by_role("main").inner_text()
            self.page.wait_for_timeout(700)

    def _act(self, target: Locator) -> None:
        with self.page.expect_navigation():
            target.click()
        self.look()

    def _requested(self, request: Request) -> None:
        place = urlsplit(request.url)
        if place.scheme not in ("data", "blob", "about") and place.netloc != urlsplit(self.instance.url).netloc:
            self.faults.append(f"asked another host: {request.url}")

    def _said(self, message: ConsoleMessage) -> None:
        page = message.page
        of_the_page_itself = page is not None and message.location.get("url") == page.url
        if message.type == "error" and not (of_the_page_itself and message.text.startswith(ANSWERED_WITH_AN_ERROR)):
            self.faults.append(f"console, {page.url if page else ''}: {message.text} {message.location}")
