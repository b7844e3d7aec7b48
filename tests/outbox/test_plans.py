"""No statement of the sending road reads a table of messages or decisions from end to end (decision 11).

The real road runs over a month that holds 200,000 messages; then the plans that its own connection keeps are read,
and PostgreSQL is asked how often anybody scanned the leaves. The one statement left out is the recount of a campaign
that closes: it reads the whole campaign, once.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from mailer.campaigns import compose, status, watch
from mailer.core.messages import CampaignState
from mailer.gate import history
from mailer.outbox import dispatch, uncertain
from mailer.outbox.record import Place
from mailer.services import Services
from tests.fakes.smtp_server import SmtpServer
from tests.flows.world import Sending

ROWS, PEOPLE, LEAVING = 200_000, 120, 4
OTHERS = 1 << 40
"""Numbers of contact points that stand in messages alone: people of other campaigns, long gone."""

MONTH = date(2026, 3, 1)
LEAVES = ("message_2026_03", "decision_2026_03")
WATCHED = {"message", "decision", "message_block", *LEAVES}
SCANS = """
    SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY(:leaves) ORDER BY relname
"""
LOST = 10


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@pytest.fixture
def world(services: Services, server: SmtpServer) -> Iterator[Sending]:
    made = Sending(services, server)
    yield made
    made.close()


def fill(world: Sending, number: int) -> None:
    """Half of the rows in this campaign and half in another, nobody having gathered figures about them."""
    for campaign in (number, number + 1):
        world.sql("""
            INSERT INTO decision_2026_03 (campaign_id, contact_point_id, month, attempt, cleared, at)
            SELECT :campaign, :others + n, '2026-03-01', 1, true, now() FROM generate_series(1, :rows) AS n""",
                  campaign=campaign, others=OTHERS, rows=ROWS // 2)
        world.sql("""
            INSERT INTO message_2026_03 (campaign_id, contact_point_id, month, block, attempt, decided, cleared, state)
            SELECT :campaign, :others + n, '2026-03-01', 1000000 + n / 50, 1, 1, true, 'accepted'
            FROM generate_series(1, :rows) AS n""", campaign=campaign, others=OTHERS, rows=ROWS // 2)
        world.sql("""
            INSERT INTO message_block (campaign_id, block, lane, open)
            SELECT :campaign, 1000000 + n, n % 32, false FROM generate_series(0, :rows / 50) AS n""",
                  campaign=campaign, rows=ROWS // 2)
    world.sql("INSERT INTO campaign_count (campaign_id, worker, state, detail, n) "
              "SELECT :id, 'filled', unnest(ARRAY['planned', 'accepted']), '', :n", id=number, n=ROWS // 2)


def scans(world: Sending) -> dict[str, int]:
    """How often each leaf was read from end to end; whoever looked has gone, so that all is counted."""
    world.services.engine.dispose()
    with world.services.engine.begin() as connection:
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        return {name: n for name, n in connection.execute(text(SCANS), {"leaves": list(LEAVES)})}


def plans(connection: psycopg.Connection[tuple[object, ...]]) -> dict[str, list[dict[str, Any]]]:
    """Every statement that the connection has prepared, and the nodes of its plan as it is kept: for any value."""
    prepared = connection.execute("""
        SELECT name, statement, coalesce(array_length(parameter_types, 1), 0) FROM pg_prepared_statements
        WHERE statement ~* '^\\s*(select|insert|update|delete|with)'""").fetchall()
    found = {}
    for name, statement, values in prepared:
        nothing = f"({', '.join(['NULL'] * int(str(values)))})" if values else ""
        [(plan,)] = connection.execute(f'EXPLAIN (FORMAT JSON) EXECUTE "{name}"{nothing}', prepare=False).fetchall()
        found[str(statement)] = [node for each in plan for node in nodes(each["Plan"])]  # type: ignore[attr-defined] # JSON.
    return found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def too_wide(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Statements that read a watched table otherwise than by an index and the campaign's number."""
    return [statement for statement, plan in found.items() for node in plan
            if node.get("Relation Name") in WATCHED and "Scan" in node["Node Type"]
            and not ("Index" in node["Node Type"] and "campaign_id" in node.get("Index Cond", ""))]


@pytest.mark.parametrize("analysed", [False, True])
def test_the_road_never_reads_a_leaf_from_end_to_end(world: Sending, server: SmtpServer, analysed: bool) -> None:
    """Whether figures about the tables are old, new or missing."""
    people = world.people(PEOPLE)
    number = world.launched()
    fill(world, number)
    # Of somebody who has had a message lately the gate reads this campaign's own earlier decisions.
    world.sql("UPDATE preference SET every_days = 7, last_campaign_on = '2026-03-01' WHERE contact_point_id = :id",
              id=people[-2])
    if analysed:
        world.sql("ANALYZE")
    server.wrong("rcpt:550 5.1.1 No such user*3")
    before = scans(world)
    with world.seat() as seat:
        for leaver in people[:LEAVING]:
            world.leave(leaver)
        while dispatch.take_turn(seat, number).more:
            continue
        kept = plans(seat.road())
    with world.unit() as ctx:
        assert history.of(ctx, people[-1])
    assert scans(world) == before
    assert too_wide(kept) == []
    assert {node.get("Relation Name") for plan in kept.values() for node in plan} >= {*LEAVES, "message_block"}
    assert world.states(number)["accepted"] == ROWS // 2 + PEOPLE - LEAVING - 1 - 3
    assert world.status(number).state == CampaignState.SENDING


def lose(world: Sending, number: int, points: list[int]) -> None:
    """As if a process had died with these people's messages in its hands, on a host that is gone."""
    [(slice_id,)] = world.sql("INSERT INTO slice (worker, campaign_id, month, opened_at) VALUES "
                              "('lost', :id, :month, clock_timestamp()) RETURNING id", id=number, month=MONTH)
    world.sql("INSERT INTO decision (campaign_id, contact_point_id, month, attempt, cleared, at) "
              "SELECT :id, unnest(CAST(:points AS bigint[])), :month, 1, true, now()",
              id=number, points=points, month=MONTH)
    world.sql("UPDATE message SET state = 'handed', slice = :slice, attempt = 1, decided = 1, cleared = true "
              "WHERE campaign_id = :id AND contact_point_id = ANY(:points)", id=number, points=points, slice=slice_id)
    world.sql("INSERT INTO campaign_count (campaign_id, worker, state, detail, n) "
              "VALUES (:id, 'lost', 'handed', '', :n)", id=number, n=len(points))
    world.lose_host("lost")


@pytest.mark.parametrize("analysed", [False, True])
def test_whoever_mends_or_looks_reads_no_leaf_from_end_to_end_either(world: Sending, analysed: bool) -> None:
    """The reaper, who sends to the uncertain again, and the page of a campaign on its way."""
    people = world.people(PEOPLE)
    number = world.launched()
    fill(world, number)
    lose(world, number, people[:LOST])
    world.leave(people[-1])
    if analysed:
        world.sql("ANALYZE")
    before = scans(world)
    assert world.reap() == 1
    with world.unit() as ctx:
        campaign = compose.find(ctx, number)
        assert status.status(ctx, campaign).uncertain == LOST
        assert watch.kept_back(ctx, campaign) == 1
        assert uncertain.put_back(ctx, Place(number, MONTH, 0, "person")) == LOST
    assert scans(world) == before
    assert world.status(number).waiting == PEOPLE


def test_a_statement_that_reads_a_whole_leaf_is_found(world: Sending) -> None:
    """Else the tests above would show nothing."""
    world.people(1)
    world.launched()
    before = scans(world)
    with world.seat() as seat:
        road = seat.road()
        road.execute("SELECT count(*) FROM message_2026_03 WHERE state = %s", ("ready",))
        road.execute("SELECT code FROM message_2026_03 WHERE contact_point_id = %s", (1,))
        assert len(too_wide(plans(road))) == 2
    assert scans(world)["message_2026_03"] > before["message_2026_03"]
