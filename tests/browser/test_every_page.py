"""Each page that the application has: axe in light and dark, 320 pixels wide, and without script."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Error

from mailer.web.routes import BLUEPRINTS
from tests.browser import outbox_json
from tests.browser.conftest import NewVisitor
from tests.browser.visitor import Visitor
from tests.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

BEGINNINGS = ("/", "/staff", "/outbox", "/stop", "/test-link", "/staff/help", "/staff/settings/live",
              "/staff/campaigns/new", "/staff/forms/new", "/staff/lists/new", "/staff/account/second-factor",
              "/contact", "/report-child", "/staff/people?state=waiting", "/staff/people?state=unsubscribed")
NO_PAGES = re.compile(r"/static|/healthz|/readyz|/metrics|/robots.txt|/paper-keys.txt|/pictures|/outbox/api|.*\.csv$"
                      r"|.*\.svg$|.*/audience$|.*/check/when$|.*/progress/part$|.*/preview/frame$|/outbox/<int:item_id>/html$")
"""Data, and parts of pages."""
ONLY_TO_GO_ON = frozenset({"/staff/sign-in", "/staff/second-factor", "/staff/campaigns/<int:number>", "/stop-email"})
"""Those who are signed in are led on from these."""
BY_TOKEN = re.compile(r"<token>|<code>")
SAMPLE = 1
"""The number of the sample's draft: it is made first."""
ERASURE = 2
"""The number of the sample's request to be erased: its receipt is there once it was done."""
WIDE, NARROW = 1280, 320


@dataclass(frozen=True)
class Things:
    """What there is to look at besides the sample: campaigns sent and scheduled, and links that hold tokens."""

    paths: list[str]
    links: list[str]


@pytest.fixture
def things(demo: Instance) -> Things:
    sent, planned = (str(demo.command("campaign", "create", "--list", "Members", "--subject", name, "--body", "# Hello"
                                      )["id"]) for name in ("For members", "For later"))
    demo.command("campaign", "send", planned, "--yes", "--at", "2026-05-01T09:00", "--zone", "UTC")
    demo.command("campaign", "send", sent, "--yes", "--wait")
    links = [link for link in outbox_json.newest(demo, "For members")[0].links
             if urlsplit(link).path.startswith(("/u/", "/p/", "/why/", "/one-click/"))]
    assert len(links) == 4
    links.append(str(demo.command("staff", "invite", "ida@example.org", "--role", "auditor")["link"]))
    links.append(str(demo.command("staff", "link", "pia@example.org")["link"]))
    return Things([f"/staff/campaigns/{number}/{page}" for number, page in (
        (SAMPLE, "edit"), (SAMPLE, "check"), (SAMPLE, "preview"), (sent, "progress"), (sent, "report"),
        (planned, "progress"), (planned, "stop"))], links)


@pytest.fixture
def ana(demo: Instance, visitor: NewVisitor) -> Visitor:
    """The first Admin, who has given herself every role."""
    found = visitor(demo)
    found.go(demo.lines[-1].split()[1])
    for label, words in (("Organisation", "Cadenza Music"), ("Your name", "Ana"), ("Email address", "ana@example.org"),
                         ("Password", "seven quiet cellos at noon")):
        found.fill(label, words)
    found.press("Start")
    found.go("/staff/team")
    found.follow(re.compile("Change Ana"))
    for role in ("Privacy officer", "Auditor"):
        found.tick(role)
    found.press("Save roles")
    return found


def test_every_page_is_accessible_in_light_and_dark_fits_320_pixels_and_needs_no_script(
        demo: Instance, ana: Visitor, things: Things, visitor: NewVisitor) -> None:
    stranger, plain = visitor(demo), visitor(demo, script=False, width=NARROW)
    stranger.go("/join/news")
    stranger.fill("Email address", "waits@example.org")
    stranger.tick("New releases")
    stranger.press("Send me the link")
    faults = [*_faults(stranger, "", 200), *_faults(stranger, "/no-such-page", 404)]
    for link in things.links:
        faults += _faults(stranger if "/staff/" not in link else visitor(demo), link, 200)

    seen = _crawl(ana, [*BEGINNINGS, *things.paths], faults)
    plain.context.add_cookies(ana.context.cookies())  # type: ignore[arg-type] # What it gave is what it takes.
    for path in seen:
        answer = plain.page.goto(demo.url + path)
        if answer is None or answer.status != 200 or plain.page.get_by_role("main").count() != 1:
            faults.append(f"{path} without script: {answer and answer.status}")
    preview = f"/staff/privacy/{ERASURE}/erase"
    faults += _faults(ana, preview, 200)
    ana.press("Erase this person")
    seen += [preview, urlsplit(ana.page.url).path]
    missing = _pages_of_the_application() - {_kind(path) for path in seen}
    print(f"\n{len(seen)} pages of {len({_kind(path) for path in seen})} kinds")
    assert not faults, "\n\n".join(faults)
    assert not missing, f"no way leads there, or the way is not walked: {sorted(missing)}"


def _crawl(ana: Visitor, beginnings: list[str], faults: list[str]) -> list[str]:
    """Follow every link from the beginnings on, one of those that a number alone tells apart; the paths seen."""
    todo, known, seen = deque(beginnings), set(beginnings), []
    while todo:
        path = todo.popleft()
        faults += _faults(ana, path, 200)
        seen.append(path)
        for link in ana.page.eval_on_selector_all("a[href]", "all => all.map(each => each.href)"):
            place = urlsplit(link)
            found = place.path + (f"?{place.query}" if place.query else "")
            alike = re.sub(r"\d+", "0", found)
            ours = f"{place.scheme}://{place.netloc}" == ana.instance.url and not NO_PAGES.match(place.path)
            if ours and not {found, alike} & known:
                known |= {found, alike}
                todo.append(found)
    return seen


def _faults(who: Visitor, path: str, status: int) -> list[str]:
    """What is wrong with a page; an empty path is the page that they are on."""
    found: list[str] = []
    who.page.emulate_media(color_scheme="light")
    who.page.set_viewport_size({"width": WIDE, "height": 800})
    looks: list[tuple[str, Callable[[], None]]] = [
        ("light and wide", lambda: who.go(path, status=status) if path else who.look()),
        ("wide", lambda: _must_fit(who)), ("dark and narrow", lambda: _dark_and_narrow(who))]
    for name, look in looks:
        try:
            look()
        except (AssertionError, Error) as error:
            found.append(f"{path}, {name}: {str(error)[:1500]}")
            who.faults.clear()
    return found


def _dark_and_narrow(who: Visitor) -> None:
    who.page.emulate_media(color_scheme="dark")
    who.page.set_viewport_size({"width": NARROW, "height": 800})
    _must_fit(who)
    who.must_be_accessible()


def _must_fit(who: Visitor) -> None:
    wide, room = who.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= room, f"scrolls sideways: {wide} of {room} px"


def _pages_of_the_application() -> set[str]:
    app = _application()
    return {rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())
            and not NO_PAGES.match(rule.rule) and not BY_TOKEN.search(rule.rule)} - ONLY_TO_GO_ON


def _kind(path: str) -> str:
    """The rule that answers a path."""
    rule, _ = _application().url_map.bind("localhost").match(urlsplit(path).path, return_rule=True)
    return str(rule.rule)


def _application() -> Flask:
    app = Flask(__name__, root_path=str(Path(__file__).parent))
    for each in BLUEPRINTS:
        app.register_blueprint(each)
    return app
