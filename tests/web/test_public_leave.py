"""Leaving, over HTTP: the page, the mail program's button by the RFC 8058 vectors, undo, preferences, why."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from mailer.app import create_app
from mailer.audience.models import ContactPoint, Person
from mailer.core.links import Link, LinkSigner
from mailer.core.reasons import Reason
from mailer.core.vault import KeyRing
from mailer.services import Services
from mailer.settings import Settings
from mailer.subscriptions import claims
from mailer.subscriptions.models import LeaveReason
from tests.builders import AList, World
from tests.conftest import FixedClock, administer
from tests.web.public_pages import Visitor, actions, heading, hidden, words

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "rfc8058.json").read_text())["requests"]
DANA = "dana@example.org"
ONE_CLICK = "List-Unsubscribe=One-Click"


@pytest.fixture
def world(services: Services) -> World:
    return World(services)


@pytest.fixture
def news(world: World) -> AList:
    made = world.a_list()
    world.a_form(made, partner_offers=True)
    return made


@pytest.fixture
def dana(world: World, news: AList) -> int:
    return world.subscribed(DANA, list(news.topics.values())[:2])


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def gone(world: World, address: str = DANA) -> bool:
    return (Reason.UNSUBSCRIBED, 0) in world.stopped(address) and "live" not in world.stands(address).values()


def path_for(state: str, world: World, news: AList, dana: int, settings: Settings) -> str:
    """The path of a vector's request, its token prepared as the vector says."""
    path = world.link(Link.ONE_CLICK, dana, claims.OF_LIST + news.id)
    if state == "tampered":
        place = len(path) - 20
        return path[:place] + ("a" if path[place] != "a" else "b") + path[place + 1:]
    if state == "case_swapped":
        return "/one-click/" + path.rpartition("/")[2].swapcase()
    if state == "wrong_purpose":
        return f"/one-click/{world.asked('eve@example.org', [news.topics['Events']])}"
    if state == "previous_key":
        old = KeyRing({1: bytes.fromhex(json.loads(settings.key_file.read_text())["keys"]["1"])})
        return f"/one-click/{LinkSigner(old).sign(Link.ONE_CLICK, dana)}"
    if state == "valid_plus_trailing_dot":
        return path + "."
    return path


SPECIAL = {"other_list", "valid_x200", "valid_backend_down"}


@pytest.mark.parametrize("vector", [each for each in VECTORS if each["token_state"] not in SPECIAL],
                         ids=lambda each: f"{each['id']} {each['note'][:40]}")
def test_one_click_does_what_rfc_8058_says(
        vector: dict[str, Any], settings: Settings, clock: FixedClock, jobs: object, world: World, news: AList,
        dana: int, app: Flask) -> None:
    """Section 2, 7."""
    state, expected = vector["token_state"], vector["expect"]
    path = path_for(state, world, news, dana, settings)
    if state == "previous_key":
        ring = json.loads(settings.key_file.read_text())
        ring["keys"]["2"] = "ab" * 32
        settings.key_file.write_text(json.dumps(ring))
        app = create_app(settings, jobs=jobs)  # type: ignore[arg-type] # The tests' own queue.
    visitor = Visitor(app)
    if state == "already_used":
        visitor.post(path, ONE_CLICK)
    elif state == "old_365_days":
        clock.advance(days=365)
    elif state == "erased_subject":
        erase(world, dana)
    body = "a" * 2**20 if "1 MiB" in str(vector["body"]) else vector["body"]
    headers = {name: value for name, value in vector["headers"].items() if value != "(our own page)"}
    response = visitor.ask(path, method=vector["method"], data=body, headers=headers,
                           query_string=expected.get("query", ""))
    assert response.status_code in expected["status"]
    assert "Location" not in response.headers
    if state != "erased_subject" and expected["unsubscribed_after"] is not None:
        assert gone(world) is expected["unsubscribed_after"]


def erase(world: World, point_id: int) -> None:
    with world.unit() as ctx:
        ctx.db.execute(delete(Person).where(Person.id == select(ContactPoint.person_id).where(
            ContactPoint.id == point_id).scalar_subquery()))


def test_with_the_scope_of_a_list_one_click_leaves_that_list_alone(
        settings: Settings, services: Services, jobs: object, world: World, news: AList, dana: int) -> None:
    """r32, decision 21."""
    other = world.a_list("Other", ["Concerts"])
    world.a_form(other, "other")
    world.subscribed(DANA, [], "other")
    narrow = replace(services, settings=replace(settings, one_click_scope="list"))
    app = create_app(narrow.settings, jobs=jobs, services=narrow)  # type: ignore[arg-type] # The tests' own queue.
    path = world.link(Link.ONE_CLICK, dana, claims.OF_LIST + other.id)
    assert Visitor(app).post(path, ONE_CLICK).status_code == 200
    assert world.stopped(DANA) == {(Reason.UNSUBSCRIBED, other.id)}
    states = world.stands(DANA)
    assert states[other.topics["Concerts"], "own_offers"] == "ended"
    assert states[news.topics["Sheet music"], "own_offers"] == "live"


def test_two_hundred_one_clicks_a_minute_from_one_network_are_all_taken(
        world: World, visitor: Visitor, dana: int) -> None:
    """r37, standards 1.1.10."""
    assert {visitor.post(world.link(Link.ONE_CLICK, dana, n), ONE_CLICK).status_code for n in range(200)} == {200}


def test_one_click_is_never_answered_well_when_it_was_not_stored(
        world: World, visitor: Visitor, dana: int, database_url: str, template_url: str) -> None:
    """r40, decision 21: stored before answered, or 503."""
    path = world.link(Link.ONE_CLICK, dana)
    name = database_url.rpartition("/")[2].partition("?")[0]
    world.services.engine.dispose()
    administer(template_url, f"DROP DATABASE {name} WITH (FORCE)")
    assert visitor.post(path, ONE_CLICK).status_code == 503


def test_one_click_needs_the_exits_file_on_the_disk(
        world: World, visitor: Visitor, dana: int, settings: Settings) -> None:
    """Decision 19: committed, then written to the disk, then answered."""
    folder = settings.data_dir / "exits"
    kept = folder.with_name("aside")
    if folder.exists():
        folder.rename(kept)
    folder.write_text("in the way")
    assert visitor.post(world.link(Link.ONE_CLICK, dana), ONE_CLICK).status_code == 503


def test_the_leave_page_has_its_buttons_and_the_first_stops_everything(
        world: World, visitor: Visitor, news: AList, dana: int) -> None:
    """M17, M26, T19: no login, no cookie, no script."""
    path = world.link(Link.LEAVE, dana, claims.OF_LIST + news.id)
    page = visitor.get(path)
    assert heading(page) == "Stop emails from Cadenza?"
    assert "d•••@example.org" in words(page) and DANA not in page.text
    assert "Stop only Cadenza news" in words(page)
    done = visitor.post(path, {"act": "all"})
    assert heading(done) == "Done at 15:00."
    assert gone(world)
    undo, reason = actions(done)
    assert heading(visitor.post(reason, {"reason": "too_many"})) == "Done at 15:00."
    assert heading(visitor.post(undo)) == "Undone at 15:00."
    assert heading(visitor.post(undo)) == "Undone at 15:00."
    assert not gone(world)
    with world.unit() as ctx:
        assert [(row.reason, row.n) for row in ctx.db.scalars(select(LeaveReason))] == [("too_many", 1)]


def test_leaving_one_list_or_taking_a_break_are_narrower(
        world: World, visitor: Visitor, news: AList, dana: int) -> None:
    """T18."""
    path = world.link(Link.LEAVE, dana, claims.OF_LIST + news.id)
    pause = visitor.post(path, {"act": "break"})
    assert "No emails from us until 1 April 2026." in words(pause)
    assert "live" in world.stands(DANA).values()
    assert "No more emails about Cadenza news" in words(visitor.post(path, {"act": "list"}))
    assert world.stopped(DANA) == {(Reason.UNSUBSCRIBED, news.id)}


def test_an_erased_address_is_answered_like_any_other(world: World, visitor: Visitor, dana: int) -> None:
    path, other = world.link(Link.LEAVE, dana), world.link(Link.ONE_CLICK, dana)
    before = visitor.post(path, {"act": "break"})
    erase(world, dana)
    after = visitor.post(path, {"act": "break"})
    assert [len(actions(each)) for each in (before, after)] == [2, 2]
    assert words(before) == words(after)
    assert visitor.post(other, ONE_CLICK).status_code == 200
    assert visitor.get(path).status_code == 200
    assert visitor.get(world.link(Link.WHY, dana)).status_code == 200


def test_the_get_page_of_one_click_posts_to_the_leave_page(world: World, visitor: Visitor, dana: int) -> None:
    page = visitor.get(world.link(Link.ONE_CLICK, dana))
    assert actions(page)[0].startswith("/u/")
    assert heading(visitor.post(actions(page)[0], {"act": "all"})) == "Done at 15:00."
    assert gone(world)


def test_another_address_can_be_stopped_from_ones_own_page(world: World, visitor: Visitor, dana: int) -> None:
    page = visitor.get(world.link(Link.LEAVE, dana))
    other = next(action for action in actions(page) if action.endswith("/other"))
    assert heading(visitor.post(other, {"email": "else@example.org"})) == "Done at 15:00."
    assert gone(world, "else@example.org") and not gone(world)
    assert visitor.post(other, {"email": "else"}).status_code == 422


def test_the_typed_stop_answers_the_same_for_any_address(world: World, visitor: Visitor, dana: int) -> None:
    """T13."""
    stamp = hidden(visitor.get("/stop-email"), "stamp")
    pages = [visitor.post("/stop-email", {"email": email, "stamp": stamp})
             for email in (DANA, "nobody@example.org", DANA)]
    assert {page.data for page in pages} == {pages[0].data}
    assert heading(pages[0]) == "Done at 15:00."
    assert gone(world) and gone(world, "nobody@example.org")


def test_a_typed_stop_without_a_fresh_stamp_shows_the_address_again(
        world: World, visitor: Visitor, dana: int, clock: FixedClock) -> None:
    old = hidden(visitor.get("/stop-email"), "stamp")
    clock.advance(hours=25)
    for stamp in ("", "x", old, "9" * 40 + ".x", old[::-1]):
        page = visitor.post("/stop-email", {"email": DANA, "stamp": stamp})
        assert page.status_code == 400 and f'value="{DANA}"' in page.text
    assert visitor.post("/stop-email", {"email": DANA, "stamp": hidden(page, "stamp")}).status_code == 200
    assert gone(world)


def test_the_sixth_typed_stop_states_when_it_takes_effect(world: World, visitor: Visitor) -> None:
    stamp = hidden(visitor.get("/stop-email"), "stamp")
    pages = [visitor.post("/stop-email", {"email": f"a{n}@example.org", "stamp": stamp}) for n in range(6)]
    assert {page.status_code for page in pages} == {200}
    assert "we stop at 15:10 on 2 March 2026." in words(pages[5])


def test_several_addresses_are_stopped_in_one_go_and_each_stands_by_itself(
        world: World, visitor: Visitor, dana: int) -> None:
    """T14: the page says that each is independent, and takes several."""
    page = visitor.get("/stop-email")
    assert "Each address stands by itself" in words(page) and 'name="more"' in page.text
    stamp = hidden(page, "stamp")
    more = "two@example.org\r\nnot-one\nthree@example.org, two@example.org"
    done = visitor.post("/stop-email", {"email": "one@example.org", "more": more, "stamp": stamp})
    assert done.status_code == 200 and "If we wrote to these 3 addresses, we have stopped." in words(done)
    assert all(gone(world, f"{each}@example.org") for each in ("one", "two", "three")) and not gone(world)
    assert "not-one" in done.text and "one@example.org" not in done.text
    again = {"more": f"{DANA}\nfour@example.org five@example.org", "stamp": hidden(done, "stamp")}
    later = words(visitor.post(actions(done)[0], again))
    assert "we have stopped 2 and stop the other 1 one after the other, the last at 15:10 on 2 March 2026." in later
    assert gone(world) and gone(world, "four@example.org")


def test_two_addresses_of_one_person_are_two_and_one_stop_leaves_the_other(
        world: World, visitor: Visitor, news: AList, dana: int) -> None:
    """T14: two addresses, one submitted: the other is unaffected."""
    world.subscribed("dana@example.com", list(news.topics.values()))
    visitor.post("/stop-email", {"email": "dana@example.com", "stamp": hidden(visitor.get("/stop-email"), "stamp")})
    assert gone(world, "dana@example.com") and not gone(world)


@pytest.mark.parametrize(("typed", "status", "told"), [
    ({"email": "", "more": "x y"}, 422, "Enter the address to stop"),
    ({"email": ""}, 422, "Enter the address to stop"),
    ({"more": " ".join(f"a{n}@example.org" for n in range(101))}, 422, "Type at most 100 addresses at a time.")])
def test_what_cannot_be_taken_stays_in_the_form(
        world: World, visitor: Visitor, typed: dict[str, str], status: int, told: str) -> None:
    page = visitor.post("/stop-email", typed | {"stamp": hidden(visitor.get("/stop-email"), "stamp")})
    assert page.status_code == status and told in words(page)
    assert typed.get("more", "") in page.text


def test_the_notices_link_shows_a_button_and_works_for_fourteen_days(
        world: World, visitor: Visitor, dana: int, clock: FixedClock) -> None:
    stamp = hidden(visitor.get("/stop-email"), "stamp")
    visitor.post("/stop-email", {"email": DANA, "stamp": stamp})
    path = world.letters("service_notice")[0].detail["undo"].removeprefix("https://news.cadenza.example")
    assert heading(visitor.get(path)) == "Take the stop back?"
    assert gone(world)
    clock.advance(days=13)
    assert heading(visitor.post(path)) == "Undone at 15:00."
    assert not gone(world)
    clock.advance(days=2)
    page = visitor.get(path)
    assert (page.status_code, heading(page)) == (410, "Too late to undo")
