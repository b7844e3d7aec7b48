"""Preferences and why, over HTTP, by the link of a message."""

import pytest
from flask import Flask

from mailer.core.links import Link
from mailer.core.reasons import Reason
from mailer.services import Services
from mailer.subscriptions import claims
from tests.builders import AList, World
from tests.conftest import FixedClock
from tests.web.public_pages import Visitor, actions, heading, words

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
    return world.subscribed(DANA, list(news.topics.values())[:2])


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def gone(world: World, address: str = DANA) -> bool:
    return (Reason.UNSUBSCRIBED, 0) in world.stopped(address) and "live" not in world.stands(address).values()


def test_preferences_are_saved_listed_and_undone(world: World, visitor: Visitor, news: AList, dana: int) -> None:
    """M15, M16, ux 3.4."""
    path = world.link(Link.PREFERENCES, dana, claims.OF_DAY + world.services.clock.now().date().toordinal())
    page = visitor.get(path)
    assert heading(page) == "What Cadenza sends you" and DANA not in page.text
    chosen = {"topics": [str(news.topics["New releases"])], "frequency": "weekly", "format": "text", "pause": "30"}
    saved = visitor.post(path, chosen)
    for line in ("Sheet music by email: stopped. From now.", "How often: at most once a week. From now.",
                 "Look: text only. From now.", "A break until 1 April 2026."):
        assert line in words(saved)
    undo = next(action for action in actions(saved) if action.startswith("/undo/"))
    visitor.post(undo)
    assert world.stands(DANA)[news.topics["Sheet music"], "own_offers"] == "live"
    assert heading(visitor.post(path, {"topics": [str(each) for each in news.topics.values()], "pause": "no"})) == \
        "Nothing was changed"


def test_a_wrong_date_keeps_what_was_chosen(world: World, visitor: Visitor, news: AList, dana: int) -> None:
    path = world.link(Link.PREFERENCES, dana, claims.OF_DAY + world.services.clock.now().date().toordinal())
    page = visitor.post(path, {"topics": [str(news.topics["New releases"])], "format": "text", "pause": "until",
                               "pause_until": "soon"})
    assert page.status_code == 422
    assert "Choose a date such as 2026-04-01" in words(page)
    assert 'value="text" checked' in page.text
    assert "ended" not in world.stands(DANA).values()


def test_stop_everything_works_on_an_old_preferences_link(
        world: World, visitor: Visitor, dana: int, clock: FixedClock) -> None:
    path = world.link(Link.PREFERENCES, dana, claims.OF_DAY + world.services.clock.now().date().toordinal())
    clock.advance(days=90)
    page = visitor.get(path)
    assert (page.status_code, heading(page)) == (410, "This link was for 90 days")
    assert visitor.post(path, {"topics": []}).status_code == 410
    assert heading(visitor.post(path + "/stop")) == "Done at 15:00."
    assert gone(world)


def test_why_shows_the_words_agreed_to(world: World, visitor: Visitor, news: AList, dana: int) -> None:
    """Section 3, 6."""
    page = visitor.get(world.link(Link.WHY, dana, claims.OF_LIST + news.id))
    text_shown = words(page)
    assert "You asked for it on 2 March 2026 and confirmed it on 2 March 2026." in text_shown
    assert "Pick what you like." in text_shown and "New releases and Sheet music" in text_shown
    assert "Notice 2.1" in text_shown and DANA not in page.text


def test_a_link_of_one_purpose_does_not_pass_for_another(world: World, visitor: Visitor, dana: int) -> None:
    token = world.services.signer.sign(Link.LEAVE, dana)
    for prefix in ("p", "why", "one-click", "undo"):
        assert visitor.get(f"/{prefix}/{token}").status_code == 404
    assert visitor.get(f"/u/{token}.").status_code == 200
