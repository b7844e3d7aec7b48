"""Telling a friend, over HTTP: the sender's pages, the friend's page, the code, and the switches of a list."""

import pytest
from flask import Flask
from sqlalchemy import text

from mailer.core.modes import Mode
from mailer.core.reasons import Reason
from mailer.friends import settings
from mailer.policy import packs
from mailer.services import Services
from mailer.staff.roles import Role
from mailer.suppression import registry
from tests.builders import AList, World
from tests.web.public_pages import Visitor, actions, heading, hidden, words
from tests.web.staff_world import Team

FERN, FAY = "fern@example.org", "fay@example.org"
THANKS = "If we may write to that address, your message is on its way."


@pytest.fixture
def world(services: Services) -> World:
    return World(services)


@pytest.fixture
def news(world: World) -> AList:
    made = world.a_list()
    world.a_form(made)
    return made


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def offer(world: World, news: AList, *, by_mail: bool) -> None:
    with world.unit() as ctx:
        if by_mail:
            packs.choose(ctx, "friends_by_mail")
        settings.change(ctx, news.id, shares=True, by_mail=by_mail)


def asks(visitor: Visitor, friend: str = FAY, **more: str) -> tuple[int, str]:
    """Fill the form in and send it."""
    page = visitor.get("/friend")
    answer = visitor.post("/friend", {"first_name": "Fern", "sender": FERN, "friend": friend, "words": "Hello you",
                                      "stamp": hidden(page, "stamp"), "about": "news", **more})
    return answer.status_code, answer.text


def requests(world: World) -> int:
    with world.unit() as ctx:
        return int(ctx.db.scalar(text("SELECT count(*) FROM friend_request")) or 0)


def test_there_is_no_page_until_a_list_offers_one(visitor: Visitor, world: World, news: AList) -> None:
    assert visitor.get("/friend").status_code == 404
    assert "Tell a friend" not in visitor.get("/").text
    offer(world, news, by_mail=False)
    assert "Tell a friend" in visitor.get("/").text
    assert visitor.get("/friend?about=other").status_code == 404


def test_the_default_is_a_text_to_share_and_nothing_is_sent(visitor: Visitor, world: World, news: AList) -> None:
    """Decision 27, S4: the page sends nothing, whatever is posted to it."""
    offer(world, news, by_mail=False)
    page = visitor.get("/friend")
    assert heading(page) == "Tell a friend about Cadenza news"
    assert "https://news.cadenza.example/join/news" in page.text and "mailto:?subject=" in page.text
    assert 'name="friend"' not in page.text
    assert visitor.post("/friend", {"first_name": "Fern", "sender": FERN, "friend": FAY}).status_code == 200
    assert (requests(world), world.letters()) == (0, [])


def test_the_answer_is_the_same_for_any_friend_and_sender(visitor: Visitor, world: World, news: AList) -> None:
    """T7, ux 3.6: sent, limited or blocked reads alike."""
    offer(world, news, by_mail=True)
    world.subscribed("known@example.org", [news.topics["Events"]])
    with world.unit() as ctx:
        identity = ctx.channels["email"].parse_address("blocked@example.org").identity
        registry.suppress(ctx, channel="email", fingerprint=ctx.sealer.fingerprint("email", identity),
                          reason=Reason.NEVER)
    answers = {asks(visitor, each) for each in ("new@example.org", "known@example.org", "blocked@example.org", FERN,
                                                "fourth@example.org", "fifth@example.org", "new@example.org")}
    answers.add(asks(visitor, website="https://spam.example"))
    ((status, page),) = answers
    assert status == 200 and THANKS in page and "example.org" not in page.replace("cadenza.example", "")
    assert requests(world) == 3
    assert [letter.kind for letter in world.letters() if letter.subject.startswith("friend")] == ["press"] * 3


def test_what_does_not_fit_is_said_beside_its_field_and_nothing_typed_is_lost(
        visitor: Visitor, world: World, news: AList) -> None:
    offer(world, news, by_mail=True)
    status, page = asks(visitor, "nobody", words="see example.org", first_name="F3rn")
    assert status == 422
    for sentence in ("Enter an email address, like name@example.com", "Leave out links and addresses",
                     "Use letters only"):
        assert sentence in page
    assert 'value="nobody"' in page and "see example.org" in page and f'value="{FERN}"' in page
    assert asks(visitor, stamp="1.x")[0] == 400
    assert requests(world) == 0


def test_the_senders_link_shows_a_button_and_only_its_press_passes_the_message_on(
        visitor: Visitor, world: World, news: AList) -> None:
    offer(world, news, by_mail=True)
    asks(visitor)
    (letter,) = world.letters("press")
    path = str(letter.detail["link"]).removeprefix("https://news.cadenza.example")
    for _ in range(3):
        page = visitor.get(path)
        visitor.ask(path, method="HEAD")
    assert (page.status_code, heading(page), actions(page)) == (200, "Pass your message on?", [path])
    assert FAY not in page.text and "Hello you" not in page.text
    assert world.letters("invitation") == []
    for _ in range(2):
        pressed = visitor.post(path)
        assert (pressed.status_code, heading(pressed)) == (200, "Thank you.") and THANKS in pressed.text
    assert len(world.letters("invitation")) == 1
    assert visitor.get(path).status_code == 410
    assert visitor.get(path[:-1] + ("a" if path[-1] != "a" else "q")).status_code == 404
    assert visitor.post(path, headers={"Origin": "https://elsewhere.example"}).status_code == 400


def test_the_friends_page_says_who_and_shuts_the_address_for_good(
        visitor: Visitor, world: World, news: AList, services: Services) -> None:
    """Ux 3.7."""
    offer(world, news, by_mail=True)
    asks(visitor)
    visitor.post(str(world.letters("press")[0].detail["link"]).removeprefix("https://news.cadenza.example"))
    path = str(world.letters("invitation")[0].detail["page"]).removeprefix("https://news.cadenza.example")
    assert visitor.get(path).status_code == 404
    with world.unit() as ctx:
        ctx.db.execute(text("INSERT INTO friend_mark SELECT mark, friend_fingerprint, fingerprint_version "
                            "FROM friend_request"))
    page = visitor.get(path)
    assert heading(page) == "Who gave you my address?"
    assert f"Fern, {FERN}, on 2 March, through our “tell a friend” page." in words(page)
    assert actions(page) == [f"{path}/never", f"{path}/report"] and "/join/news" in page.text
    thanked = visitor.post(f"{path}/report")
    assert "We pass nothing more on for this sender" in thanked.text and actions(thanked) == [f"{path}/never"]

    done = visitor.post(f"{path}/never")
    assert heading(done) == "We will never write to this address."
    code = words(done).split("Keep this code: ")[1].split()[0]
    assert world.stopped(FAY) == {("never", 0)}
    lift = visitor.get("/lift")
    wrong = visitor.post("/lift", {"code": "K7M-29Q-XDA", "stamp": hidden(lift, "stamp")})
    assert wrong.status_code == 422 and "We do not know this code. It is 9 characters." in wrong.text
    right = visitor.post("/lift", {"code": code.lower(), "stamp": hidden(lift, "stamp")})
    assert heading(right) == "The block is lifted." and world.stopped(FAY) == set()


def test_codes_are_tried_ten_times_an_hour_and_the_page_says_how_long_to_wait(
        visitor: Visitor, world: World, news: AList) -> None:
    """Decision 26."""
    stamp = hidden(visitor.get("/lift"), "stamp")
    tried = [visitor.post("/lift", {"code": "K7M29QXDR", "stamp": stamp}) for _ in range(11)]
    assert [each.status_code for each in tried] == [422] * 10 + [429]
    assert "Wait" in words(tried[-1]) and "minute" in words(tried[-1])


def test_the_block_can_be_lifted_from_the_inbox_page_and_from_the_stop_page(
        visitor: Visitor, world: World, news: AList) -> None:
    """Ux 3.2."""
    joined = visitor.post("/join/news", {"email": FAY, "form_version": "1", "topics": str(news.topics["Events"])})
    assert 'href="/lift"' in joined.text and 'href="/lift"' in visitor.get("/stop").text


def test_the_list_manager_and_the_officer_turn_the_switch_and_others_only_look(
        team: Team, world: World, news: AList, services: Services) -> None:
    """Ux 2.15: off with the promise it must keep; mail only where the pack allows it, S4."""
    team.mode(Mode.PRACTICE)
    path = f"/staff/lists/{news.id}/friends"
    lou, cem = team.browser("lou@example.org", Role.LIST_MANAGER), team.browser("cem@example.org", Role.COMPOSER)
    pia = team.browser("pia@example.org", Role.PRIVACY_OFFICER)
    page = lou.get(path).get_data(as_text=True)
    assert "Tell a friend is off" in page and "The policy pack in force does not allow it." in page
    assert "Save" not in cem.get(path).get_data(as_text=True)
    assert cem.post(path, path, shares="yes").status_code == 404
    refused = lou.post(path, path, shares="yes", by_mail="yes")
    assert refused.status_code == 422 and "does not allow mail by our server" in refused.get_data(as_text=True)
    with world.unit() as ctx:
        packs.choose(ctx, "friends_by_mail")
    assert lou.post(path, path, by_mail="yes").status_code == 422
    assert pia.post(path, path, shares="yes", by_mail="yes").status_code == 303
    page = lou.get(path).get_data(as_text=True)
    assert "/friend?about=news" in page and "asked us to pass this on" in page
    assert page.count("fewer than 10") == 3
    with world.unit() as ctx:
        packs.choose(ctx, "strictest")
        assert [each.by_mail for each in settings.offers(ctx)] == [False]


def test_no_staff_page_shows_a_friend(team: Team, visitor: Visitor, world: World, news: AList) -> None:
    """T7: nobody here, Admins included."""
    offer(world, news, by_mail=True)
    asks(visitor, "fayreceives@example.net")
    visitor.post(str(world.letters("press")[0].detail["link"]).removeprefix("https://news.cadenza.example"))
    team.mode(Mode.PRACTICE)
    boss = team.browser("ana@example.org", *Role)
    for path in ("/staff", "/staff/people", "/staff/audit", f"/staff/lists/{news.id}/friends", "/staff/lists"):
        answer = boss.get(path)
        page = answer.get_data(as_text=True)
        assert answer.status_code == 200 and "fayreceives" not in page and "•••@example.net" not in page, path
    found = boss.post("/staff/people", "/staff/people", email="fayreceives@example.net").get_data(as_text=True)
    assert "•••@example.net" not in found
