"""What a real browser holds after our pages: nothing on public ones, nothing but listed cookies on those of staff."""

import re

import pytest

from tests.browser.conftest import NewVisitor
from tests.browser.visitor import Visitor
from tests.guards.test_pages import in_the_manifest
from tests.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

STORES = """async () => [Object.keys(localStorage), Object.keys(sessionStorage),
    (await indexedDB.databases()).map(each => each.name), window.isSecureContext ? await caches.keys() : [],
    (await navigator.serviceWorker?.getRegistrations() ?? []).map(each => each.scope)]"""


def kept(who: Visitor) -> list[list[str]]:
    found: list[list[str]] = who.page.evaluate(STORES)
    return found


def test_public_pages_leave_nothing_in_a_browser_and_staff_pages_only_what_is_listed(
        demo: Instance, visitor: NewVisitor) -> None:
    """S31, C4, M26. localStorage, sessionStorage, IndexedDB, caches and workers are looked at on each page."""
    stranger, staff = visitor(demo), visitor(demo)
    for path in ("/", "/join/news", "/stop", "/stop-email", "/privacy", "/contact"):
        stranger.go(path)
        assert not any(kept(stranger)) and not stranger.context.cookies(), path
    stranger.go("/join/news")
    stranger.fill("Email address", "leavesnothing@example.org")
    stranger.tick("New releases")
    stranger.press("Send me the link")
    assert not any(kept(stranger)) and not stranger.context.cookies()

    staff.sign_in("lou@example.org")
    for path in ("/staff", "/staff/campaigns", "/staff/forms/new", "/staff/lists", "/outbox"):
        staff.go(path)
        staff.page.wait_for_timeout(300)
        assert not any(kept(staff)), path
    cookies = staff.context.cookies()
    assert {str(each.get("name")) for each in cookies} <= in_the_manifest()
    assert all(each.get("expires") == -1 and each.get("httpOnly") for each in cookies)
    assert re.search(r"mailer_staff", str(cookies))
