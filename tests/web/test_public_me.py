"""The page behind a fresh link, over HTTP: everything to see and to change."""

import pytest
from flask import Flask

from mailer.core.links import Link
from mailer.rights import requests
from mailer.services import Services
from mailer.subscriptions import claims
from tests.builders import AList, World
from tests.conftest import FixedClock
from tests.web.public_pages import Visitor, actions, heading, hidden, words

DANA = "dana@example.org"


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
    return world.subscribed(DANA, list(news.topics.values())[:2], first_name="Dana")


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def newest(world: World, kind: str = "fresh_link", key: str = "link") -> str:
    """The path of the link in the newest letter of a class."""
    return str(world.letters(kind)[-1].detail[key]).removeprefix("https://news.cadenza.example")


def light(world: World, dana: int) -> str:
    return world.link(Link.PREFERENCES, dana, claims.OF_DAY + world.services.clock.now().date().toordinal())


def opened(world: World, visitor: Visitor, dana: int) -> str:
    """From the light page by mail to the whole page; its path."""
    visitor.post(light(world, dana) + "/fresh")
    return str(visitor.post(newest(world)).headers["Location"])


def form(page_text: str, **more: object) -> dict[str, object]:
    return {"frequency": "as_it_happens", "format": "html", "pause": "no"} | more


def test_the_light_page_mails_a_fresh_link_which_opens_everything(
        world: World, visitor: Visitor, news: AList, dana: int) -> None:
    """M14, decision 23: what is off and what is personal stands behind a link mailed now."""
    before = visitor.get(light(world, dana))
    assert "Dana" not in before.text and "Send me a link to see and change these" in words(before)
    sent = visitor.post(light(world, dana) + "/fresh")
    assert heading(sent) == "Now check your email"
    link = newest(world)
    assert heading(visitor.get(link)) == "See and change what we hold"
    for _ in range(3):
        visitor.ask(link, method="HEAD")
    answer = visitor.post(link)
    assert answer.status_code == 303
    page = visitor.get(answer.headers["Location"])
    assert heading(page) == "What Cadenza sends you"
    assert 'value="Dana"' in page.text and "Events by Email" in words(page)
    assert page.text.count('type="checkbox" id="topic-') == 3
    for again in (visitor.get(link), visitor.post(link)):
        assert (again.status_code, heading(again)) == (410, "This link was used")
        assert "Send a new one" in words(again)


def test_choices_widen_and_narrow_and_every_change_is_listed(
        world: World, visitor: Visitor, news: AList, dana: int) -> None:
    """M15, M16, T18."""
    path = opened(world, visitor, dana)
    page = visitor.get(path)
    saved = visitor.post(path, form(page.text, **{
        "topics-email": [str(news.topics["New releases"]), str(news.topics["Events"])], "frequency": "monthly",
        "format": "text", "pause": "90", "partner_offers": "yes"}))
    for line in ("Sheet music by email: stopped. From now.", "Events by email: on. From now.",
                 "Partner offers by email: on. From now.", "How often: at most once a month. From now.",
                 "Look: text only. From now.", "A break until 31 May 2026."):
        assert line in words(saved)
    assert not [action for action in actions(saved) if action.startswith("/undo/")]
    assert world.stands(DANA)[news.topics["Events"], "own_offers"] == "live"
    assert heading(visitor.post(path, form("", **{
        "topics-email": [str(news.topics["New releases"]), str(news.topics["Events"])], "frequency": "monthly",
        "format": "text", "pause": "until", "pause_until": "2026-05-31", "partner_offers": "yes"}))) == \
        "Nothing was changed"


def test_what_only_narrowed_can_be_taken_back_at_once(world: World, visitor: Visitor, news: AList, dana: int) -> None:
    path = opened(world, visitor, dana)
    saved = visitor.post(path, form("", **{"topics-email": [str(news.topics["New releases"])]}))
    visitor.post(next(action for action in actions(saved) if action.startswith("/undo/")))
    assert world.stands(DANA)[news.topics["Sheet music"], "own_offers"] == "live"


def test_a_wrong_date_keeps_what_was_chosen(world: World, visitor: Visitor, news: AList, dana: int) -> None:
    path = opened(world, visitor, dana)
    page = visitor.post(path, form("", **{"topics-email": [str(news.topics["Events"])], "pause": "until",
                                          "pause_until": "soon"}))
    assert page.status_code == 422 and "Choose a date such as 2026-04-01" in words(page)
    assert f'value="{news.topics["Events"]}" checked' in page.text
    assert (news.topics["Events"], "own_offers") not in world.stands(DANA)


def test_a_name_is_changed_removed_and_refused(world: World, visitor: Visitor, dana: int) -> None:
    """M11, C7."""
    path = opened(world, visitor, dana)
    assert "First name: changed." in words(visitor.post(path + "/name", {"first_name": "Daniela"}))
    assert 'value="Daniela"' in visitor.get(path).text
    bad = visitor.post(path + "/name", {"first_name": "4111 1111 1111 1111"})
    assert bad.status_code == 422 and "looks like a card number" in words(bad)
    assert "First name: removed." in words(visitor.post(path + "/name", {"first_name": "Daniela", "act": "remove"}))
    assert "Daniela" not in visitor.get(path).text


def test_a_press_does_not_own_up_to_a_request_that_another_wrote(world: World, visitor: Visitor, dana: int) -> None:
    """The press proves the mailbox, and not who wrote what came with its address."""
    with world.unit() as ctx:
        forged, own = (requests.open_request(ctx, kind, source="public", contact=DANA).id
                       for kind in ("erasure", "access"))
        foreign = requests.open_request(ctx, "access", source="public", contact="other@example.org").id
    page = opened(world, visitor, dana)
    shown = words(visitor.get(page))
    assert "Somebody asked this of us on 2 March, with this address: Erase me. Was it you?" in shown
    assert "it was not you" in words(visitor.post(f"{page}/request", {"number": forged, "answer": "no"}))
    assert "it was you" in words(visitor.post(f"{page}/request", {"number": own, "answer": "yes"}))
    for number, answer in ((foreign, "yes"), (forged, "yes"), ("x", "no"), (own, "perhaps")):
        assert visitor.post(f"{page}/request", {"number": number, "answer": answer}).status_code == 404
    assert "Was it you?" not in words(visitor.get(page))
    with world.unit() as ctx:
        rows = [requests.get(ctx, number) for number in (forged, own, foreign)]
        assert [(row.identity, row.outcome) for row in rows] == [
            ("unchecked", "not theirs"), ("fresh_link", ""), ("unchecked", "")]


def test_a_link_that_came_by_text_changes_no_details(world: World, visitor: Visitor, dana: int) -> None:
    """Decision 23: the page hides these forms there, and their posts are refused too."""
    page = opened(world, visitor, dana)
    with world.unit() as ctx:
        made = requests.open_request(ctx, "erasure", source="public", contact=DANA).id
        ctx.db.connection().exec_driver_sql("UPDATE fresh_access SET whole = false, channel = 'sms'")
    before = len(world.letters())
    assert visitor.post(f"{page}/name", {"first_name": "Eve"}).status_code == 404
    assert visitor.post(f"{page}/email", {"email": "eve@example.org"}).status_code == 404
    assert visitor.post(f"{page}/request", {"number": made, "answer": "yes"}).status_code == 404
    assert len(world.letters()) == before and "Was it you?" not in words(visitor.get(page))


def test_a_new_address_counts_once_its_mailbox_confirmed_and_the_old_one_can_undo(
        world: World, visitor: Visitor, news: AList, dana: int) -> None:
    """M11: without the press the old one stays; the old one is told, and has 7 days."""
    path = opened(world, visitor, dana)
    old_link = light(world, dana)
    asked = visitor.post(path + "/email", {"email": "new@example.org"})
    assert heading(asked) == "Now check the new mailbox"
    link = newest(world, "confirmation")
    assert heading(visitor.get(link)) == "Get messages from Cadenza here"
    assert DANA not in visitor.get(link).text and world.point(DANA)
    assert heading(visitor.post(link)) == "This is your address now"
    assert world.point(DANA) is None and world.point("new@example.org").id == dana  # type: ignore[union-attr] # It is.
    assert set(world.stands("new@example.org").values()) == {"live"}
    assert heading(visitor.get(old_link)) == "What Cadenza sends you"
    assert heading(visitor.post(link)) == "Already confirmed"
    undo = newest(world, "service_notice", "undo")
    assert heading(visitor.get(undo)) == "Get messages at the old address again"
    assert world.point(DANA) is None
    assert heading(visitor.post(undo)) == "Taken back"
    assert world.point(DANA) and world.point("new@example.org") is None
    assert heading(visitor.post(undo)) == "Already taken back"
    assert visitor.get(path).status_code == 404


@pytest.mark.parametrize("typed", ["", "no address", "dana@example.org"])
def test_an_address_that_cannot_be_meant_is_asked_for_again(
        world: World, visitor: Visitor, dana: int, typed: str) -> None:
    path = opened(world, visitor, dana)
    page = visitor.post(path + "/email", {"email": typed})
    assert page.status_code == 422 and 'id="email-error"' in page.text
    assert not [letter for letter in world.letters("confirmation") if "address" in str(letter.detail["link"])]


def test_stop_everything_and_done(world: World, visitor: Visitor, dana: int) -> None:
    path = opened(world, visitor, dana)
    assert heading(visitor.post(path + "/stop")) == "Done at 15:00."
    assert set(world.stands(DANA).values()) == {"ended"}
    assert heading(visitor.post(path + "/done")) == "This page is closed"
    assert heading(visitor.post(path + "/done")) == "This page is closed"
    assert visitor.get(path).status_code == 404


def test_mail_me_my_link_answers_alike_for_known_and_unknown_addresses(
        world: World, visitor: Visitor, dana: int) -> None:
    """M19: the page reveals nothing."""
    page = visitor.get("/manage")
    answers = []
    for typed in (DANA, "stranger@example.org", DANA):
        answer = visitor.post("/manage", {"email": typed, "stamp": hidden(page, "stamp")})
        answers.append((answer.status_code, answer.text.replace(typed, "x")))
    assert len(set(answers)) == 1
    assert len(world.letters("fresh_link")) == 1
    assert visitor.post("/manage", {"email": DANA}).status_code == 400
    assert visitor.post("/manage", {"email": "no", "stamp": hidden(page, "stamp")}).status_code == 422


def test_a_page_of_half_an_hour_ago_and_one_with_a_letter_changed_open_nothing(
        world: World, visitor: Visitor, dana: int, clock: FixedClock) -> None:
    path = opened(world, visitor, dana)
    changed = path[:-1] + ("a" if path[-1] != "a" else "b")
    assert visitor.get(changed).status_code == visitor.post(changed).status_code == 404
    clock.advance(minutes=30)
    assert visitor.get(path).status_code == visitor.post(path + "/name", {"first_name": "Eve"}).status_code == 404
