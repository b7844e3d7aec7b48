"""No statement of the sending road reads a table of messages or decisions from end to end (decision 11).

The real road runs over a month that holds 200,000 messages; then the plans that its own connection keeps are read,
and PostgreSQL is asked how often anybody scanned the leaves.
"""

import re
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text

from mailer.core.messages import CampaignState
from mailer.gate import history
from mailer.outbox import dispatch
from mailer.services import Services
from tests.fakes.smtp_server import SmtpServer
from tests.flows.world import Sending

ROWS, PEOPLE, LEAVING = 200_000, 120, 4
OTHERS = 1 << 40
"""Numbers of contact points that stand in messages alone: people of other campaigns, long gone."""

LEAVES = ("message_2026_03", "decision_2026_03")
SCANS = """
    SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY(:leaves) ORDER BY relname
"""




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


def plans(connection: psycopg.Connection[tuple[object, ...]]) -> dict[str, str]:
    """The plan of every statement that the connection has prepared, as it keeps it: for any value."""
    prepared = connection.execute("""
        SELECT name, statement, coalesce(array_length(parameter_types, 1), 0) FROM pg_prepared_statements
        WHERE statement ~* '^\\s*(select|insert|update|delete|with)'""").fetchall()
    found = {}
    for name, statement, values in prepared:
        nothing = f"({', '.join(['NULL'] * int(str(values)))})" if values else ""
        rows = connection.execute(f'EXPLAIN EXECUTE "{name}"{nothing}', prepare=False).fetchall()
        found[str(statement)] = "\n".join(str(line) for (line,) in rows)
    return found


@pytest.mark.parametrize("analysed", [False, True])
def test_the_road_never_reads_a_leaf_from_end_to_end(world: Sending, server: SmtpServer, analysed: bool) -> None:
    """Whether figures about the tables are old, new or missing."""
    people = world.people(PEOPLE)
    number = world.launched()
    fill(world, number)
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
    scanned = {statement: plan for statement, plan in kept.items()
               if re.search(r"Seq Scan on (message|decision)(_2026_03|_block)?\b", plan)}
    assert not scanned
    assert any("message_2026_03" in plan for plan in kept.values()), "These are not the road's statements."
    assert world.states(number)["accepted"] == ROWS // 2 + PEOPLE - LEAVING - 3
    assert world.status(number).state == CampaignState.SENDING
