"""Stops of one topic, a list and everything: what each ends, what takes it back, and what a restore knows of it."""

import json

import pytest

from mailer.audience.models import ContactPoint
from mailer.core.exits import ExitKind
from mailer.core.reasons import Reason
from mailer.exits.file import read
from mailer.rights.erase import erase_again
from mailer.services import Services
from mailer.subscriptions import confirm, leave, undo
from mailer.subscriptions.reapply import apply_exits
from mailer.suppression import registry
from tests.builders import AList, World
from tests.people.test_exits import folder_of, lines_of, path_of

DANA = "dana@example.org"


@pytest.fixture
def world(services: Services) -> World:
    return World(services)


@pytest.fixture
def news(world: World) -> AList:
    made = world.a_list()
    world.a_form(made)
    world.subscribed(DANA, list(made.topics.values()))
    return made


def scopes(world: World) -> set[tuple[str, int, int]]:
    with world.unit() as ctx:
        found = registry.entries(ctx, "email", ctx.sealer.fingerprints("email", DANA))
        return {(each.reason, each.list_id, each.topic_id) for each in found}


def live(world: World) -> set[int]:
    return {topic for (topic, _), state in world.stands(DANA).items() if state == "live"}


def left(world: World, **scope: int | None) -> int:
    point = world.point(DANA)
    assert point
    with world.unit() as ctx:
        return leave.leave(ctx, ctx.db.get_one(ContactPoint, point.id), how="preferences", **scope).id  # type: ignore[arg-type] # Scopes alone.


def taken_back(world: World, goodbye: int) -> bool:
    point = world.point(DANA)
    assert point
    with world.unit() as ctx:
        return undo.undo(ctx, goodbye, point.id).at is not None


def test_leaving_one_topic_ends_it_alone_and_its_undo_grants_it_alone(world: World, news: AList) -> None:
    """M13, T13: per topic; a stop ends the consents that it covers."""
    events = news.topics["Events"]
    first = left(world, list_id=news.id, topic_id=events)
    assert left(world, list_id=news.id, topic_id=events) == first
    assert scopes(world) == {("unsubscribed", news.id, events)} and live(world) == {*news.topics.values()} - {events}
    assert taken_back(world, first)
    assert scopes(world) == set() and live(world) == {*news.topics.values()}


def test_who_left_the_list_since_gets_no_topic_of_it_back(world: World, news: AList) -> None:
    events = news.topics["Events"]
    topic = left(world, list_id=news.id, topic_id=events)
    left(world, list_id=news.id)
    taken_back(world, topic)
    assert live(world) == set() and ("unsubscribed", news.id, 0) in scopes(world)


def test_confirming_one_topic_lifts_its_own_stop_and_no_other_topics(world: World, news: AList) -> None:
    """Decision 2: confirming lifts what it may lift and revives no other consent."""
    events, sheet = news.topics["Events"], news.topics["Sheet music"]
    for topic in (events, sheet):
        left(world, list_id=news.id, topic_id=topic)
    token = world.asked(DANA, [events])
    assert token
    with world.unit() as ctx:
        confirm.confirm(ctx, token)
    assert scopes(world) == {("unsubscribed", news.id, sheet)}
    assert live(world) == {*news.topics.values()} - {sheet}


def test_a_database_put_back_learns_the_topic_again_from_the_exits_file(
        services: Services, world: World, news: AList) -> None:
    """Items 4 and 20; lines from before there were topics are of whole lists."""
    events = news.topics["Events"]
    with world.unit() as ctx:
        hashed = ctx.sealer.fingerprint("email", DANA)
        registry.suppress(ctx, channel="email", fingerprint=hashed, reason=Reason.STAFF_STOP, list_id=news.id,
                          topic_id=events)
        registry.suppress(ctx, channel="email", fingerprint=hashed, reason=Reason.BOUNCED, list_id=news.id + 7)
    newest, older = lines_of(services)[-2:]
    assert (newest.detail["topic_id"], older.detail["topic_id"]) == (events, 0)
    path = path_of(services)
    kept = [json.loads(raw) for raw in path.read_text().splitlines()]
    del kept[-1]["detail"]["topic_id"]
    path.write_text("".join(json.dumps(each) + "\n" for each in kept))
    assert [each.kind for each in read(path).lines[-2:]] == [ExitKind.EXIT, ExitKind.EXIT]

    with world.unit() as ctx:
        for table in ("suppression", "exit_mark"):
            ctx.db.connection().exec_driver_sql(f"DELETE FROM {table}")
    with world.unit() as ctx:
        apply_exits(ctx, folder_of(services), forget=erase_again)

    assert scopes(world) == {("staff_stop", news.id, events), ("bounced", news.id + 7, 0)}
    assert live(world) == {*news.topics.values()} - {events}


def test_a_topic_is_not_stopped_without_its_list(world: World, news: AList) -> None:
    with world.unit() as ctx, pytest.raises(ValueError, match="a topic without its list"):
        registry.suppress(ctx, channel="email", fingerprint=bytes(32), reason=Reason.LAW, topic_id=1)
