"""Why did I get this? The consent, its words, and where each detail came from (section 3, item 6; S8)."""

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import text

from mailer.audience.models import ContactPoint
from mailer.consent.models import LedgerEntry
from mailer.core.links import Link
from mailer.lists import embed
from mailer.lists.forms import Definition
from mailer.lists.models import Topic
from mailer.policy import partners
from mailer.services import Services
from mailer.subscriptions import leave
from mailer.subscriptions.imports import Approval, Basis, ImportRow, import_people
from tests.builders import AList, World
from tests.web.public_pages import Visitor, heading, words

DANA = "dana@example.org"


@pytest.fixture
def world(services: Services) -> World:
    return World(services)


@pytest.fixture
def news(world: World) -> AList:
    made = world.a_list()
    with world.unit() as ctx:
        partners.publish(ctx, ["Quay Records"])
    world.a_form(made, partner_offers=True)
    return made


def test_it_shows_purpose_list_notice_ledger_row_and_the_answer_about_partners(
        world: World, app: Flask, news: AList) -> None:
    """Item 6, M18."""
    point = world.subscribed(DANA, [news.topics["Events"]], partner_offers=True, first_name="Quillonwick")
    page = Visitor(app).get(world.link(Link.WHY, point))
    said = words(page)
    with world.unit() as ctx:
        row = ctx.db.scalar(text("SELECT seq FROM ledger_entry WHERE purpose = 'own_offers'"))
    assert heading(page) == "Why you got this"
    for part in ("News and offers of our own, for which you asked", "Cadenza news", "Notice 2.1", "Form news",
                 f"Row of our ledger {row}", "list of partners 1", "You pressed the button", "Events"):
        assert part in said, part
    assert DANA not in page.text and "Quillonwick" not in page.text


def test_it_says_where_each_detail_came_from_and_shows_none_of_them(world: World, app: Flask, news: AList) -> None:
    """M28, S8: source, day, notice; messages get forwarded."""
    point = world.subscribed(DANA, [news.topics["Events"]], first_name="Quillonwick")
    page = Visitor(app).get(world.link(Link.WHY, point))
    assert "Where did you get this from?" in words(page)
    assert "Email address Our form “Form news”, 2 March 2026 under notice 2.1" in words(page)
    assert "First name Our form “Form news”" in words(page) and "Quillonwick" not in page.text


def test_what_others_collected_names_them_and_their_policy(world: World, app: Flask, news: AList) -> None:
    """S8: data collected elsewhere carries its collector and their policy."""
    basis = Basis("Old shop", date(2025, 5, 1), "Yes, send me your news.", "Old Shop Ltd", "https://oldshop.example/p")
    with world.unit() as ctx:
        import_people(ctx, [ImportRow(1, DANA, basis)], list_id=news.id, approval=Approval("staff:4", "file 12"))
    point = world.point(DANA)
    assert point
    page = Visitor(app).get(world.link(Link.WHY, point.id))
    said = words(page)
    assert "You agreed to it at Old shop on 1 May 2025." in said.replace("import: ", "")
    for part in ("Yes, send me your news.", "Old Shop Ltd", "Old shop, brought here by us"):
        assert part in said, part
    assert 'href="https://oldshop.example/p"' in page.text and "(another site)" in said
    assert "staff:4" not in page.text and "file 12" not in page.text


def test_a_policy_that_is_no_web_address_is_no_link(world: World, app: Flask, news: AList) -> None:
    basis = Basis("Old shop", date(2025, 5, 1), "Yes.", "Old Shop Ltd", "javascript:alert(1)")
    with world.unit() as ctx:
        import_people(ctx, [ImportRow(1, DANA, basis)], list_id=news.id, approval=Approval("staff:4", "file 12"))
    point = world.point(DANA)
    assert point
    assert "javascript:" not in Visitor(app).get(world.link(Link.WHY, point.id)).text


def test_for_a_hundred_people_the_page_matches_the_ledger(world: World, app: Flask, news: AList) -> None:
    """Item 6, at a tenth: each link resolves to that person's own row."""
    topics = list(news.topics.values())
    points = [world.subscribed(f"person{n}@example.org", [topics[n % 3]]) for n in range(100)]
    visitor = Visitor(app)
    with world.unit() as ctx:
        subjects = {point: ctx.db.scalar(text(
            "SELECT subject FROM person WHERE id = :id"), {"id": ctx.db.get_one(ContactPoint, point).person_id})
            for point in points}
        rows = {entry.subject: entry.seq for entry in ctx.db.query(LedgerEntry)}
    for point in points:
        page = visitor.get(world.link(Link.WHY, point))
        assert f"Row of our ledger {rows[subjects[point]]} " in words(page) + " ", point


def test_what_ended_says_so(world: World, app: Flask, news: AList) -> None:
    point = world.subscribed(DANA, [news.topics["Events"]], partner_offers=True)
    with world.unit() as ctx:
        leave.leave(ctx, ctx.db.get_one(ContactPoint, point), how="one_click")
    said = words(Visitor(app).get(world.link(Link.WHY, point)))
    assert "You ended it on 2 March 2026" in said and "Offers of partners No longer" in said


def test_an_embedded_form_names_who_answers_for_it_and_loads_nothing() -> None:
    """S25."""
    code = embed.html(Definition(title="News", topics=(4,)), [Topic(id=4, name="Events", public_text="")], slug="x",
                      version=3, public_url="https://news.example", brand="Cadenza & Sons",
                      contact="1 Quay Street, help@cadenza.example")
    assert "This form is from Cadenza &amp; Sons, 1 Quay Street, help@cadenza.example." in code
    assert "not the site that shows it" in code
    assert not any(tag in code for tag in ("<script", "<img", "<link", "<iframe", "<style", "@import", "url("))
    assert [part.split('"')[0] for part in code.split('="https://')[1:]] == ["news.example/join/x",
                                                                              "news.example/privacy"]
