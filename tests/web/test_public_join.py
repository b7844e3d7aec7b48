"""Joining, over HTTP."""

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select

from mailer.audience.models import ContactPoint, PendingRequest
from mailer.consent import history
from mailer.core.messages import Purpose
from mailer.core.reasons import Reason
from mailer.lists import forms
from mailer.lists.models import Wording
from mailer.policy import notices
from mailer.services import Services
from mailer.suppression import registry
from mailer.web import waits
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
    world.a_form(made, partner_offers=True, partner_names=("Quay Records",))
    return made


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def typed(news: AList, email: str = DANA, **more: object) -> dict[str, object]:
    return {"email": email, "form_version": "1", "topics": [str(news.topics["Events"])], **more}


def test_the_form_shows_nothing_ticked_and_says_what_it_keeps(visitor: Visitor, news: AList) -> None:
    """M1, M18: default no."""
    page = visitor.get("/join/news")
    assert (page.status_code, heading(page)) == (200, "Get news")
    assert 'type="checkbox"' in page.text
    assert not [part for part in page.text.split("<input")[1:] if "checkbox" in part and " checked" in part]
    assert "How we use it: notice 2.1, 1 March 2026." in words(page)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"


def test_the_words_kept_as_proof_are_the_words_on_the_page(world: World, visitor: Visitor, news: AList) -> None:
    """Section 3, 5; M18: the partner list shown is part of them."""
    page = words(visitor.get("/join/news"))
    world.subscribed(DANA, list(news.topics.values()), partner_offers=True)
    with world.unit() as ctx:
        kept = ctx.db.scalars(select(Wording.text)).all()
    lines = [line for text in kept for line in text.splitlines()]
    assert any("Quay Records" in line for line in lines)
    missing = [line for line in lines if line.replace("(optional). ", "(optional) ") not in page]
    assert missing == []


def test_the_partner_words_shown_kept_with_the_form_and_pointed_at_by_the_consent_are_one_text(
        world: World, visitor: Visitor, news: AList) -> None:
    """M18: a consent to partner offers names the very words."""
    point_id = world.subscribed(DANA, list(news.topics.values()), partner_offers=True)
    page = words(visitor.get("/join/news"))
    with world.unit() as ctx:
        _, version = forms.current(ctx, "news")
        kept = ctx.db.get_one(Wording, version.partner_wording_id)
        point = ctx.db.get_one(ContactPoint, point_id)
        [said] = [each.evidence["wording"] for each in history.timeline(ctx, world.services.opener, point)
                  if each.purpose == Purpose.PARTNER_OFFERS]
    assert said == kept.id
    assert [line for line in kept.text.splitlines() if line not in page] == []
    assert "Cadenza sends them." in kept.text and "At the moment: Quay Records." in kept.text


def test_asking_shows_check_your_email_and_the_mail_leads_to_a_page_with_two_buttons(
        world: World, visitor: Visitor, news: AList) -> None:
    """W1: join and confirm without cookie or script."""
    answer = visitor.post("/join/news", typed(news, first_name="Dana", frequency="weekly"))
    assert (answer.status_code, heading(answer)) == (200, "Now check your email")
    path = world.letters()[0].detail["link"].removeprefix("https://news.cadenza.example")
    page = visitor.get(path)
    assert heading(page) == "Yes, send me this"
    assert "Events, by email, at most once a week." in words(page)
    assert "Partner offers: no." in words(page)
    assert actions(page) == [path, path + "/not-me"]
    assert heading(visitor.post(path)) == "You are in."
    assert heading(visitor.post(path)) == "Already confirmed on 2 March."
    assert heading(visitor.get(path)) == "Already confirmed on 2 March."
    assert heading(visitor.post(path + "/not-me")) == "Already confirmed on 2 March."


def test_reading_pages_changes_nothing(world: World, visitor: Visitor, news: AList) -> None:
    token = world.asked(DANA, list(news.topics.values()))
    for path in (f"/confirm/{token}", "/join/news", "/", "/privacy", "/privacy/2.1", "/stop-email", "/robots.txt"):
        assert visitor.get(path).status_code == 200, path
        assert visitor.ask(path, method="HEAD").status_code == 200, path
        assert visitor.ask(path, method="HEAD").data == b""
    assert world.point(DANA) is None


def test_the_answer_is_byte_identical_for_every_kind_of_address(
        world: World, app: Flask, visitor: Visitor, news: AList) -> None:
    """M19 and standards 7.4: new, known, pending, suppressed in every way, erased."""
    topics = [news.topics["Events"]]
    world.subscribed("known@example.org", topics)
    world.asked("asked@example.org", topics)
    barred = [Reason.UNSUBSCRIBED, Reason.COMPLAINED, Reason.BOUNCED, Reason.NEVER, Reason.NOT_ME, Reason.ERASED,
              Reason.CHILD, Reason.HOLD]
    with world.unit() as ctx:
        for reason in barred:
            registry.suppress(ctx, channel="email", reason=reason, fingerprint=ctx.sealer.fingerprint(
                "email", f"{reason}@example.org"))
    addresses = ["new@example.org", "known@example.org", "asked@example.org",
                 *[f"{reason}@example.org" for reason in barred], "trapped@example.org"]
    answers = set()
    for email in addresses:
        for path in ("/join/news", "/join/news", "/join/news/resend"):
            trap = {"website": "https://spam.example"} if email.startswith("trapped") else {}
            answer = visitor.post(path, typed(news, email, **trap))
            shape = (path, answer.status_code, answer.data.replace(email.encode(), b"[address]"), tuple(
                (name, value) for name, value in answer.headers if name != "Content-Length"))
            answers.add(shape)
        visitor = Visitor(app, f"203.0.{addresses.index(email)}.1")
    assert len(answers) == 2
    with world.unit() as ctx:
        fingerprint = ctx.sealer.fingerprint("email", "not_me@example.org")
        assert ctx.db.scalar(select(func.count()).where(PendingRequest.fingerprint == fingerprint)) == 0


def test_what_is_missing_is_named_and_what_was_typed_stays(visitor: Visitor, news: AList) -> None:
    page = visitor.post("/join/news", {"email": "dana@", "form_version": "1", "first_name": "Zoë", "format": "text"})
    assert page.status_code == 422
    assert "Enter an email address, like name@example.com" in words(page)
    assert "Pick at least one kind of news" in words(page)
    assert 'value="Zoë"' in page.text and 'value="dana@"' in page.text
    assert 'value="text" checked' in page.text


def test_markup_in_a_name_stays_text(visitor: Visitor, news: AList) -> None:
    page = visitor.post("/join/news", {"email": "x", "form_version": "1", "first_name": "<script>alert(1)</script>"})
    assert "<script" not in page.text


def test_a_form_posted_after_its_version_changed_is_shown_again_with_the_new_words(
        world: World, visitor: Visitor, news: AList) -> None:
    """Consent points to the words that were seen."""
    with world.unit() as ctx:
        form, version = forms.current(ctx, "news")
        changed = replace(forms.Definition.from_json(version.definition), title="Get all our news")
        forms.new_version(ctx, form, changed, notices.in_force(ctx))
    page = visitor.post("/join/news", typed(news, first_name="Dana"))
    assert (page.status_code, heading(page)) == (409, "Get all our news")
    assert "This form has changed since you opened it." in words(page)
    assert f'value="{DANA}"' in page.text and 'value="Dana"' in page.text
    assert world.letters() == []
    assert hidden(page, "form_version") == "2"
    assert visitor.post("/join/news", typed(news, form_version="2")).status_code == 200


def test_a_form_on_another_site_may_post_here(visitor: Visitor, news: AList) -> None:
    """Decision 24: embedded forms."""
    elsewhere = {"Origin": "https://band.example", "Sec-Fetch-Site": "cross-site"}
    assert visitor.post("/join/news", typed(news), headers=elsewhere).status_code == 200


@pytest.mark.parametrize("field", ["email", "first_name", "topics", "form_version", "frequency", "website"])
@pytest.mark.parametrize("value", ["\x00", "a\r\nBcc: x@example.org", "9" * 400_000])
def test_no_field_can_break_the_page(visitor: Visitor, news: AList, field: str, value: str) -> None:
    answer = visitor.post("/join/news", typed(news) | {field: value})
    assert answer.status_code in (200, 409, 413, 422)


def test_a_field_of_five_megabytes_is_refused_with_a_page(visitor: Visitor, news: AList) -> None:
    assert visitor.post("/join/news", typed(news, "x" * 5_000_000)).status_code == 413


@pytest.mark.parametrize("path", ["/join/none", "/join/%00", "/join/" + "x" * 5000, "/join/NEWS", "/privacy/9",
                                  "/privacy/%00", "/confirm/%00", "/u/%00", "/p/x", "/why/x", "/undo/x",
                                  "/one-click/x", "/confirm/" + "a" * 26])
def test_what_does_not_exist_is_a_page_that_helps(visitor: Visitor, news: AList, path: str) -> None:
    page = visitor.get(path)
    assert page.status_code == 404
    assert heading(page)
    if not path.startswith(("/join", "/privacy")):
        assert 'href="/stop-email"' in page.text


def test_one_network_asks_twenty_times_an_hour_and_others_go_on(app: Flask, visitor: Visitor, news: AList) -> None:
    """Decision 25."""
    answers = [visitor.post("/join/news", typed(news, f"a{n}@example.org")).status_code for n in range(22)]
    assert answers == [200] * 20 + [429] * 2
    assert Visitor(app, "203.0.113.5").post("/join/news", typed(news, "b@example.org")).status_code == 200


def test_the_page_of_a_limit_says_how_long_it_really_lasts(visitor: Visitor, news: AList) -> None:
    """Decision 26: the page states the real wait, which for the sign-up form is up to an hour."""
    for n in range(20):
        visitor.post("/join/news", typed(news, f"a{n}@example.org"))
    page = visitor.post("/join/news", typed(news, "one-more@example.org"))
    seconds = int(page.headers["Retry-After"])
    assert (page.status_code, heading(page)) == (429, "Too many tries")
    assert 3500 < seconds <= 3601
    assert f"Wait {waits.in_words(seconds)}." in words(page) and "help@cadenza.example" in page.text


@pytest.mark.parametrize(("seconds", "said"), [
    (0, "1 second"), (1, "1 second"), (45, "45 seconds"), (59.2, "1 minute"), (61, "2 minutes"), (3600, "1 hour"),
    (3601, "1 hour 1 minute"), (7500, "2 hours 5 minutes")])
def test_a_wait_is_said_in_words_and_never_too_short(seconds: float, said: str) -> None:
    assert waits.in_words(seconds) == said


def test_a_page_that_is_not_there_leads_to_the_stop_page(visitor: Visitor, news: AList) -> None:
    page = visitor.get("/nowhere")
    assert page.status_code == 404 and 'href="/stop"' in page.text
    stop = visitor.get("/stop")
    assert stop.status_code == 200 and actions(stop) == ["/stop-email"]


def test_old_and_replaced_links_get_a_true_answer(
        world: World, visitor: Visitor, news: AList, clock: FixedClock) -> None:
    """Decision 18."""
    replaced = world.asked(DANA, [news.topics["Events"]])
    old = world.asked(DANA, [news.topics["Sheet music"]])
    page = visitor.post(f"/confirm/{replaced}")
    assert (page.status_code, heading(page)) == (410, "This link no longer works")
    clock.advance(days=7)
    page = visitor.post(f"/confirm/{old}")
    assert (page.status_code, heading(page)) == (410, "This link is over 7 days old")
    assert 'href="/join/news"' in page.text
    assert world.point(DANA) is None


def test_not_me_answers_and_the_next_sign_up_looks_the_same_and_sends_nothing(
        world: World, visitor: Visitor, news: AList) -> None:
    before = visitor.post("/join/news", typed(news)).data
    token = world.letters()[0].detail["link"].rpartition("/")[2]
    for _ in range(2):
        assert heading(visitor.post(f"/confirm/{token}/not-me")) == "Deleted. We will not write to you."
    assert visitor.post("/join/news", typed(news)).data == before
    assert world.letters() == []


def test_confirming_from_another_sites_page_is_refused(world: World, visitor: Visitor, news: AList) -> None:
    token = world.asked(DANA, list(news.topics.values()))
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert visitor.post(f"/confirm/{token}", headers=headers).status_code == 400
    assert world.point(DANA) is None
    assert visitor.post(f"/confirm/{token}", headers={"Origin": "null", "Sec-Fetch-Site": "same-origin"}
                        ).status_code == 200


def test_the_front_page_and_the_notice_say_who_this_is(visitor: Visitor, news: AList) -> None:
    """M30, A11: help address and the notice's day on every page."""
    home = visitor.get("/")
    assert 'href="/join/news"' in home.text
    for text in ("Cadenza", "1 Quay Street", "help@cadenza.example", "Privacy notice 2.1"):
        assert text in words(home)
    privacy = visitor.get("/privacy")
    assert "<h2>What we do</h2>" in privacy.text and "<em>keep</em>" in privacy.text
    assert "noindex" not in privacy.text + str(privacy.headers)
    assert words(privacy).count("Version 2.1") == 2
