"""Age: asked only where the policy asks it, looked at and dropped; who is too young leaves no trace (decision 41)."""

import logging
import re
from dataclasses import replace

import pytest
import redis
from flask import Flask
from sqlalchemy import text

from mailer.app import create_app
from mailer.core.errors import InvalidInput
from mailer.lists import forms
from mailer.policy import packs
from mailer.services import Services
from mailer.settings import Settings
from mailer.subscriptions import join
from mailer.subscriptions.age import UnderAge
from mailer.subscriptions.answers import Answers
from mailer.subscriptions.collection import Given, collect
from tests.builders import AList, World
from tests.web.public_pages import Visitor, heading, words

CANARY = "zanzibarowl@canary-quill.example"
EVERYTHING = text("""
    SELECT table_schema, table_name FROM information_schema.tables
    WHERE table_schema IN ('public', 'vault') AND table_type = 'BASE TABLE' ORDER BY 1, 2
""")


@pytest.fixture
def world(services: Services) -> World:
    return World(services)


@pytest.fixture
def news(world: World) -> AList:
    made = world.a_list()
    world.a_form(made)
    return made


def follow(world: World, pack: str) -> None:
    with world.unit() as ctx:
        packs.choose(ctx, pack)


def typed(news: AList, age: str | None, email: str = CANARY) -> dict[str, object]:
    said: dict[str, object] = {"email": email, "form_version": "1", "topics": str(news.topics["Events"]),
                               "first_name": "Zanzibarowl"}
    return said if age is None else said | {"age": age}


def contents(world: World) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    with world.unit() as ctx:
        return {f"{schema}.{table}": sorted(row for (row,) in ctx.db.execute(text(
            f'SELECT t::text FROM "{schema}"."{table}" AS t'))) for schema, table in ctx.db.execute(EVERYTHING).all()}


def test_the_default_policy_states_its_floor_and_asks_nothing(app: Flask, news: AList) -> None:
    page = Visitor(app).get("/join/news")
    assert 'name="age"' not in page.text and "For people aged 16 or over." in words(page)


@pytest.mark.parametrize(("pack", "age"), [("asks_age", "12"), ("asks_age", "15"), ("adults", "17"), ("adults", "0")])
def test_who_is_too_young_leaves_nothing_in_database_redis_or_logs(
        settings: Settings, services: Services, jobs: object, redis_url: str, world: World, news: AList,
        caplog: pytest.LogCaptureFixture, pack: str, age: str) -> None:
    """M27, A10, S26; section 3, item 17: a pack with 18 rejects 17; no row anywhere."""
    follow(world, pack)
    app = create_app(replace(settings, redis_url=redis_url), jobs=jobs, services=services)  # type: ignore[arg-type]
    caplog.set_level(logging.DEBUG)
    before = contents(world)
    answer = Visitor(app).post("/join/news", typed(news, age))
    assert (answer.status_code, heading(answer)) == (200, "We cannot take this")
    main = answer.text.split("<main")[1].split("</main>")[0]
    assert not re.search(r"\b(age|aged|old|older|young|child|16|18|years?)\b", main)
    assert contents(world) == before
    store = redis.Redis.from_url(redis_url)
    kept = b" ".join(key + repr(store.dump(key)).encode() for key in store.scan_iter())
    assert b"zanzibarowl" not in kept.lower() and CANARY not in caplog.text and "Zanzibarowl" not in caplog.text
    assert world.letters() == [] and not getattr(jobs, "sent", [])


@pytest.mark.parametrize("age", ["16", "18", " 44 ", "130"])
def test_who_is_old_enough_joins_and_the_answer_is_kept_nowhere(
        app: Flask, world: World, news: AList, age: str) -> None:
    """Decision 41: looked at and dropped."""
    follow(world, "asks_age")
    before = {table: len(rows) for table, rows in contents(world).items()}
    answer = Visitor(app).post("/join/news", typed(news, age))
    assert heading(answer) == "Now check your email"
    after = contents(world)
    assert len(after["public.pending_request"]) == before["public.pending_request"] + 1
    with world.unit() as ctx:
        columns = ctx.db.scalars(text("SELECT column_name FROM information_schema.columns "
                                      "WHERE table_schema IN ('public', 'vault')")).all()
    assert not {"age", "birth_date", "birthday", "year_of_birth"} & set(columns)


@pytest.mark.parametrize("age", [None, "", "soon", "-3", "17.5", "1e2", "٤٤", "999", "131", "4" * 50])
def test_a_blank_or_odd_answer_is_asked_again_and_never_shown_again(
        app: Flask, world: World, news: AList, age: str | None) -> None:
    follow(world, "adults")
    answer = Visitor(app).post("/join/news", typed(news, age))
    assert answer.status_code == 422 and "Say how old you are, in whole years" in words(answer)
    field = answer.text.split('id="age"')[1].split(">")[0]
    assert 'value=""' in field and "required" in field
    assert f'value="{CANARY}"' in answer.text and world.letters() == []


def test_the_form_asks_it_as_text_in_words_and_the_proof_says_so(app: Flask, world: World, news: AList) -> None:
    follow(world, "asks_age")
    page = Visitor(app).get("/join/news")
    assert "How old are you?" in words(page) and "We look at it and keep it nowhere." in words(page)
    world.subscribed("dana@example.org", [news.topics["Events"]], age="30")
    with world.unit() as ctx:
        said = ctx.db.scalars(text("SELECT text FROM wording WHERE text LIKE '%How old are you?%'")).all()
    assert len(said) == 1 and "In whole years. We look at it and keep it nowhere." in said[0]


def test_the_verbs_themselves_refuse_whichever_page_asks_them(world: World, news: AList) -> None:
    """A10: the floor of the purpose counts: 18 to order, where a pack says so."""
    follow(world, "adults")
    with pytest.raises(UnderAge), world.unit() as ctx:
        said = Answers("email", CANARY, frozenset(news.topics.values()), age="17")
        join.ask(ctx, forms.current(ctx, "news")[1], said)
    with pytest.raises(UnderAge), world.unit() as ctx:
        collect(ctx, Given("email", CANARY, "order", "shop", age="17"))
    with pytest.raises(InvalidInput), world.unit() as ctx:
        collect(ctx, Given("email", CANARY, "order", "shop"))
    assert world.point(CANARY) is None
