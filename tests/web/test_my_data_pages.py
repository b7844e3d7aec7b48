"""Under a fresh link: the copy and the erasure; the contact form; and the report of a child."""

import json
import re
from collections.abc import Callable
from threading import Thread
from time import monotonic, sleep

import pytest
from flask import Flask
from sqlalchemy import text

from mailer.audience.models import ContactPoint
from mailer.rights import requests
from mailer.rights.erase import erase, hold
from mailer.services import Services
from mailer.subscriptions import fresh
from tests.builders import World
from tests.conftest import FixedClock
from tests.web.public_pages import Visitor, heading, hidden, words


@pytest.fixture
def house(services: Services) -> World:
    made = World(services)
    made.a_form(made.a_list())
    return made


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def joined(house: World, address: str) -> ContactPoint:
    with house.unit() as ctx:
        topics = [row[0] for row in ctx.db.connection().exec_driver_sql("SELECT id FROM topic")]
    house.subscribed(address, topics)
    point = house.point(address)
    assert point
    return point


def page_of(house: World, point: ContactPoint) -> str:
    """The path of a page that a fresh link opened."""
    with house.unit() as ctx:
        raw = fresh.link_for(ctx, point.id).rpartition("/")[2]
        return f"/me/{fresh.press(ctx, raw)}"


def waiting(house: World) -> int:
    """How many of the database's sessions wait for another's lock."""
    with house.unit() as ctx:
        return int(ctx.db.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                                      "AND datname = current_database()")) or 0)


def until(done: Callable[[], bool]) -> None:
    give_up = monotonic() + 20
    while not done():
        assert monotonic() < give_up
        sleep(0.05)


def test_a_copy_is_made_read_and_taken_along(house: World, visitor: Visitor) -> None:
    """M11."""
    page = page_of(house, joined(house, "known@example.org"))
    assert heading(visitor.get(f"{page}/copy")) == "Get a copy of your data"
    assert heading(visitor.post(f"{page}/copy")) == "Your copy is ready"
    read = visitor.get(f"{page}/copy/read")
    assert "known@example.org" in read.text and read.headers["Cache-Control"] == "no-store"
    assert "script-src" not in read.headers["Content-Security-Policy"]
    kept = visitor.get(f"{page}/copy/json")
    assert kept.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert json.loads(kept.text)["document"]["schema"] == "mailer/access-copy"
    with house.unit() as ctx:
        load = requests.load(ctx)
        assert (load.open, load.closed, load.in_time) == (0, 1, 1)


def test_before_a_copy_is_made_there_is_none_to_fetch(house: World, visitor: Visitor) -> None:
    page = page_of(house, joined(house, "known@example.org"))
    assert visitor.get(f"{page}/copy/html").status_code == 410
    assert visitor.get("/me/aaaaaaaaaaaaaaaaaaaaaaaaaa/copy").status_code == 404


def test_erasing_shows_a_receipt_and_the_page_is_over(house: World, visitor: Visitor) -> None:
    """M11 and S29: the receipt says when backups forget and whom to turn to."""
    page = page_of(house, joined(house, "known@example.org"))
    assert "We keep one scrambled fingerprint" in words(visitor.get(f"{page}/erase"))
    before = len(house.letters())
    done = visitor.post(f"{page}/erase")
    assert heading(done) == "You are erased."
    assert "Backups forget by 3 March 2026, 15:00" in words(done) and "data protection authority" in words(done)
    assert house.point("known@example.org") is None and house.stopped("known@example.org") == {("erased", 0)}
    assert len(house.letters()) <= before
    assert visitor.get(page).status_code == 404 and visitor.post(f"{page}/erase").status_code == 404


@pytest.mark.parametrize(("path", "says"), [
    ("erase", ["This is erased already.", "You are erased."]), ("copy", ["Your copy is ready", "Your copy is ready"])])
def test_two_presses_at_once_queue_up_and_the_second_is_told_how_it_stands(
        app: Flask, house: World, path: str, says: list[str]) -> None:
    """M11: neither presses the other into an error."""
    point = joined(house, "known@example.org")
    page, told = page_of(house, point), []
    both = [Thread(target=lambda: told.append(heading(Visitor(app).post(f"{page}/{path}")))) for _ in range(2)]
    with house.unit() as ctx:
        hold(ctx, point.person_id)
        for each in both:
            each.start()
        until(lambda: waiting(house) == 2)
    for each in both:
        each.join()
    assert sorted(told) == says


def test_a_copy_asked_for_while_all_is_erased_is_told_so(app: Flask, house: World) -> None:
    point = joined(house, "known@example.org")
    page, told = page_of(house, point), []
    late = Thread(target=lambda: told.append(heading(Visitor(app).post(f"{page}/copy"))))
    with house.unit() as ctx:
        hold(ctx, point.person_id)
        late.start()
        until(lambda: waiting(house) == 1)
        erase(ctx, point.person_id, by="self")
    late.join()
    assert told == ["This is erased already."]


def test_a_link_that_came_by_text_neither_copies_nor_erases(house: World, visitor: Visitor) -> None:
    """Decision 23."""
    page = page_of(house, joined(house, "known@example.org"))
    with house.unit() as ctx:
        ctx.db.connection().exec_driver_sql("UPDATE fresh_access SET whole = false, channel = 'sms'")
    for path in ("copy", "erase"):
        assert "opens texts only" in words(visitor.get(f"{page}/{path}"))
        visitor.post(f"{page}/{path}")
    assert house.point("known@example.org") is not None
    with house.unit() as ctx:
        assert requests.load(ctx).closed == 0


def test_the_contact_form_opens_a_request_with_a_number_and_a_day(house: World, visitor: Visitor) -> None:
    """M30, A13 and S29."""
    page = visitor.get("/contact")
    said = {"kind": "complaint", "email": "asker@example.org", "note": "You wrote.", "stamp": hidden(page, "stamp")}
    done = visitor.post("/contact", said)
    assert heading(done) == "We have it." and "2 April 2026" in words(done)
    assert "data protection authority" in words(done)
    assert [each.kind for each in house.letters()] == ["acknowledgement"]


@pytest.mark.parametrize(("fault", "says"), [
    ({"kind": ""}, "Choose what this is about"), ({"email": "nonsense"}, "Enter the address to answer to"),
    ({"note": ""}, "Write a line"), ({"note": "x" * 4001}, "at most 4,000"), ({"stamp": "forged"}, "press once more"),
    ({"note": "My card is 4111 1111 1111 1111"}, "card number")])
def test_a_form_with_a_fault_keeps_what_was_typed_and_opens_nothing(
        house: World, visitor: Visitor, fault: dict[str, str], says: str) -> None:
    """C7: a card number is refused here too."""
    stamp = hidden(visitor.get("/contact"), "stamp")
    said = {"kind": "question", "email": "asker@example.org", "note": "Why?", "stamp": stamp} | fault
    answer = visitor.post("/contact", said)
    assert answer.status_code == 422 and says in words(answer)
    with house.unit() as ctx:
        assert requests.load(ctx).open == 0


def test_a_network_that_asks_too_often_waits(house: World, visitor: Visitor) -> None:
    codes = {visitor.post("/contact", {}).status_code for _ in range(12)}
    assert codes == {422, 429}


def test_reporting_a_child_answers_alike_for_any_address(house: World, visitor: Visitor) -> None:
    """S26."""
    joined(house, "kid@example.org")
    pages = []
    for address in ("kid@example.org", "nobody@example.org"):
        stamp = hidden(visitor.get("/report-child"), "stamp")
        pages.append(re.sub(r"\s+", " ", visitor.post("/report-child", {"email": address, "stamp": stamp}).text))
    assert pages[0] == pages[1] and "We have stopped" in pages[0]
    assert house.stopped("kid@example.org") == house.stopped("nobody@example.org") == {("child", 0)}


def test_a_report_never_tells_of_an_earlier_one(house: World, visitor: Visitor, clock: FixedClock) -> None:
    """S26: the day is the same for an address that was reported two days before."""
    pages = []
    for days, address in ((0, "kid@example.org"), (2, "kid@example.org"), (0, "nobody@example.org")):
        clock.advance(days=days)
        stamp = hidden(visitor.get("/report-child"), "stamp")
        pages.append(words(visitor.post("/report-child", {"email": address, "stamp": stamp})))
    assert pages[1] == pages[2] != pages[0]


@pytest.mark.parametrize(("answer", "says", "left"), [
    ("erase", "Everything is deleted.", False), ("adult", "Thank you. Nothing is deleted.", True)])
def test_the_mailbox_itself_answers_the_report_once(
        house: World, visitor: Visitor, answer: str, says: str, left: bool) -> None:
    """Decision 41."""
    joined(house, "kid@example.org")
    visitor.post("/report-child", {"email": "kid@example.org", "stamp": hidden(visitor.get("/report-child"), "stamp")})
    [letter] = house.letters("rights_answer")
    path = "/child/" + str(letter.detail["link"]).rpartition("/")[2]
    assert heading(visitor.get(path)) == heading(visitor.get(path)) == "Is this a child’s address?"
    assert heading(visitor.post(path, {"answer": answer})) == says
    assert (house.point("kid@example.org") is not None) == left
    assert visitor.get(path).status_code == 410 and visitor.post(path, {"answer": "erase"}).status_code == 410
    assert ("child", 0) in house.stopped("kid@example.org") or left
