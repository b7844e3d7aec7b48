"""Every page: what it leaves in a browser, where its links lead, whom it names."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask

from mailer.services import Services, unit_of_work
from mailer.staff.roles import Role
from mailer.web import outside
from tests.architecture.rules import ROOT
from tests.web.campaign_world import CampaignWorld
from tests.web.public_pages import Visitor
from tests.web.staff_world import Team

MANIFEST = ROOT / "docs" / "storage.md"
STAFF = ("/staff", "/outbox")
ELSEWHERE = "https://elsewhere.example.com/x"
TARGETS = (ELSEWHERE, "//elsewhere.example.com/x", "/\\elsewhere.example.com", "\\\\elsewhere.example.com",
           "https:elsewhere.example.com", "/staff//elsewhere.example.com", "/staff\t//elsewhere.example.com")
LEADING = ("next", "url", "to", "return", "return_to", "redirect", "target", "continue", "back", "r")


def in_the_manifest() -> set[str]:
    return set(re.findall(r"^\|[^|]*\| cookie \| `([^`]+)` \|", MANIFEST.read_text(encoding="utf-8"), re.MULTILINE))


def paths(app: Flask, *, staff: bool) -> Iterator[str]:
    """Every page that GET may ask for, `1` in place of what differs."""
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.endpoint != "static" and rule.rule.startswith(STAFF) is staff:
            yield re.sub(r"<[^>]+>", "1", rule.rule)


def test_no_public_page_sets_a_cookie(app: Flask, world: CampaignWorld) -> None:
    """C4, A9, T9, M26, S31. Every public route, asked by GET and by an empty POST."""
    stranger, asked = Visitor(app), 0
    for path in paths(app, staff=False):
        stranger.get(path)
        stranger.post(path)
        asked += 1
    assert asked > 25


def test_staff_pages_set_only_cookies_of_the_manifest_and_these_end_with_the_browser(
        app: Flask, world: CampaignWorld, team: Team) -> None:
    """C4, A9, M26. Every staff page, by somebody with every role; none has an expiry or can be read by a script."""
    browser = team.browser("everyrolehere@example.org", *Role)
    found: set[str] = set()
    for path in paths(app, staff=True):
        for cookie in browser.get(path).headers.getlist("Set-Cookie"):
            found.add(cookie.partition("=")[0])
            assert "Expires" not in cookie and "Max-Age" not in cookie and "HttpOnly" in cookie, cookie
    assert found == {"mailer_staff"} and found < in_the_manifest()
    chosen = browser.post("/staff/look", theme="dark").headers.getlist("Set-Cookie")
    assert {each.partition("=")[0] for each in chosen} <= in_the_manifest()


def test_our_own_script_stores_nothing() -> None:
    """S31. Neither cookie nor storage is touched by what we wrote."""
    kept = re.compile(r"localStorage|sessionStorage\.setItem|indexedDB|caches\.|document\.cookie|serviceWorker")
    assert not kept.search((ROOT / "mailer/web/static/staff.js").read_text(encoding="utf-8"))


def test_every_public_page_links_the_contact_that_opens_a_request(app: Flask, world: CampaignWorld) -> None:
    """M30, A13. Also the page of an unknown link, and that of an error."""
    stranger, pages = Visitor(app), 0
    for path in [*paths(app, staff=False), "/no-such-page"]:
        answer = stranger.get(path)
        if answer.mimetype == "text/html" and not 300 <= answer.status_code < 400:
            assert 'href="/contact"' in answer.text, path
            pages += 1
    assert pages > 20
    assert stranger.get("/contact").status_code == 200


def test_every_letter_and_every_campaign_ends_with_the_contact() -> None:
    """M30, A13. Each template of a message stands in one of the two frames, and both name it."""
    folder = ROOT / "templates/messages"
    frames = {path.name for path in folder.rglob("*") if path.stem in ("frame", "letter")}
    assert frames == {"frame.html", "frame.txt", "letter.html", "letter.txt"}
    for path in folder.rglob("*.*"):
        source = path.read_text(encoding="utf-8")
        framed = "brand.public_url }}/contact" in source if path.name in frames else (
            f'{{% extends "messages/email/letter{path.suffix}" %}}' in source)
        assert framed, path.name


def test_every_public_page_that_names_us_links_the_notice_and_its_date(app: Flask, world: CampaignWorld) -> None:
    """A11, S28. The notice in force is linked with its date in every footer, and its page says since when it holds."""
    stranger = Visitor(app)
    for path in ("/", "/stop-email", "/contact", "/no-such-page"):
        assert re.search(r'<a href="/privacy">Privacy notice [^<]+</a>, \d+ \w+ \d{4}', stranger.get(path).text), path
    assert re.search(r"in force since \d+ \w+ \d{4}", stranger.get("/privacy").text)


@pytest.mark.parametrize("target", TARGETS)
def test_no_address_of_ours_leads_on_to_another_site(app: Flask, world: CampaignWorld, team: Team, target: str) -> None:
    """C6. Every route, asked with every name under which a target could be handed over: no answer leads elsewhere."""
    browser, stranger = team.browser("everyrolehere@example.org", *Role), Visitor(app)
    asked = dict.fromkeys(LEADING, target)
    for path in [*paths(app, staff=True), *paths(app, staff=False)]:
        who = browser if path.startswith(STAFF) else stranger
        place = who.get(path, query_string=asked).headers.get("Location", "")
        assert urlsplit(place).netloc in ("", "localhost") and not place.startswith(("//", "/\\")), (path, place)
    answer = browser.post("/staff/sign-in", "/staff/sign-in", email="everyrolehere@example.org",
                          password="violet kettle drum", next=target)
    assert answer.headers.get("Location", "/staff") == "/staff"


def test_a_link_to_another_site_says_so_on_public_pages(app: Flask, services: Services, world: CampaignWorld) -> None:
    """C6. Whatever a notice or a page links outside is labelled; our own pages are not."""
    page = ('<a href="/privacy">Ours</a> <a href="https://news.example.org/x">Ours too</a> '
            '<a class="b" href="https://shop.example.com/">Shop</a> <a href="//cdn.example.net">More</a>')
    said = outside.labelled(page, ["news.example.org"])
    assert said.count("(another site)") == 2 and outside.labelled(said, ["news.example.org"]) == said
    assert re.search(r"Shop</a> <span[^>]*>\(another site\)", said)
    ours = {"localhost", urlsplit(services.settings.public_url).netloc}
    with unit_of_work(services):
        for path in paths(app, staff=False):
            answer = Visitor(app).get(path)
            if answer.mimetype == "text/html":
                assert outside.labelled(answer.text, ours) == answer.text, path
