"""Planning: everybody once, in blocks of one lane each, with no lane all at the end (decisions 4 and 10)."""

from collections import defaultdict
from datetime import date

import pytest
from sqlalchemy import text

from mailer.campaigns import compose
from mailer.consent.ledger import Evidence
from mailer.context import Context
from mailer.core.lanes import OWN, SHARED, lane_of
from mailer.lists import catalogue
from mailer.outbox import partitions, plan
from mailer.services import Services, unit_of_work
from mailer.subscriptions import seed
from mailer.subscriptions.seed import MadeUp

MONTH = date(2026, 3, 1)
LARGE, MIDDLE, SMALL = 700, 60, 240


class Audience:
    """A list whose people live at one large domain, one middling one and many small ones."""

    def __init__(self, services: Services) -> None:
        self.services = services
        with unit_of_work(services) as ctx:
            seed.ensure_house(ctx)
            made = seed.ensure_list(ctx, "everybody")
            self.list_id, self.topics = made.id, [topic.id for topic in catalogue.topics_of(ctx, made.id)]
            people = [MadeUp(f"somebody{n}@large.example", "Somebody") for n in range(LARGE)]
            people += [MadeUp(f"somebody{n}@middle.example", "Somebody") for n in range(MIDDLE)]
            people += [MadeUp(f"somebody{n}@small{n % 40}.example", "Somebody") for n in range(SMALL)]
            seed.add_people(ctx, people, made.id, self.topics, evidence=Evidence(how="seed"))
            self.campaign = compose.create(ctx, list_id=made.id, words=compose.Words("A subject", "Words")).id
            partitions.ensure_month(ctx, MONTH)

    def lane(self, domain: str) -> int:
        return lane_of(self.services.sealer.domain_hash(domain))

    def plan_all(self) -> int:
        """Everybody; how many chunks it took."""
        after, block, chunks, more = 0, 1, 0, True
        while more:
            with unit_of_work(self.services) as ctx:
                chunk = self._chunk(ctx, after, block)
            more, after, block, chunks = not plan.is_last(chunk, after), chunk.through, chunk.next_block, chunks + 1
        return chunks

    def _chunk(self, ctx: Context, after: int, block: int) -> plan.Chunk:
        return plan.plan_chunk(ctx, campaign_id=self.campaign, month=MONTH, channel="email", list_id=self.list_id,
                               topic_ids=self.topics, after=after, next_block=block)

    def rows(self) -> list[tuple[int, int, int]]:
        """Contact point, block and lane of every row."""
        with unit_of_work(self.services) as ctx:
            return [(point, block, lane) for point, block, lane in ctx.db.execute(text("""
                SELECT m.contact_point_id, m.block, b.lane FROM message m
                JOIN message_block b ON b.campaign_id = m.campaign_id AND b.block = m.block
                WHERE m.campaign_id = :id ORDER BY m.block"""), {"id": self.campaign})]


@pytest.fixture
def audience(services: Services) -> Audience:
    return Audience(services)


def test_everybody_is_planned_once_and_counted(audience: Audience) -> None:
    """The sum begins right: rows, blocks and the counter say the same."""
    audience.plan_all()
    points = [point for point, _, _ in audience.rows()]
    assert len(points) == len(set(points)) == LARGE + MIDDLE + SMALL
    with unit_of_work(audience.services) as ctx:
        assert ctx.db.scalar(text("SELECT sum(n) FROM campaign_count WHERE state = 'planned'")) == len(points)
        assert ctx.db.scalar(text("SELECT count(*) FROM message_block")) == len({row[1] for row in audience.rows()})


def test_who_left_or_said_no_is_planned_too_for_the_gate_alone_narrows(audience: Audience) -> None:
    """Decision 4: every contact point with a standing row, in any state."""
    with unit_of_work(audience.services) as ctx:
        ctx.db.execute(text("UPDATE standing SET state = 'ended' WHERE contact_point_id % 3 = 0"))
        ctx.db.execute(text("UPDATE standing SET state = 'refused' WHERE contact_point_id % 3 = 1"))
    audience.plan_all()
    assert len(audience.rows()) == LARGE + MIDDLE + SMALL


def test_a_domain_with_many_people_has_a_lane_to_itself_and_small_ones_share(audience: Audience) -> None:
    """Engine guarantee 5: whoever is slow holds up their own lane alone."""
    audience.plan_all()
    lanes: dict[int, int] = defaultdict(int)
    for _, _, lane in audience.rows():
        lanes[lane] += 1
    assert lanes.pop(audience.lane("large.example")) == LARGE
    assert lanes.pop(audience.lane("middle.example")) == MIDDLE
    assert set(lanes) <= set(range(SHARED)) and sum(lanes.values()) == SMALL


def test_a_small_domain_with_a_limit_has_a_lane_to_itself(audience: Audience) -> None:
    """Otherwise its limit would be that of everybody who shares the lane."""
    lane = audience.lane("small7.example")
    with unit_of_work(audience.services) as ctx:
        ctx.db.execute(text("""
            INSERT INTO lane_limit (scope, name, lane, per_second, burst, updated_at)
            VALUES ('domain', 'small7.example', :lane, 1, 1, now())"""), {"lane": lane})
    audience.plan_all()
    assert sum(row[2] == lane for row in audience.rows()) == SMALL / 40


def test_a_block_holds_at_most_fifty_rows_of_one_lane(audience: Audience) -> None:
    audience.plan_all()
    sizes: dict[int, int] = defaultdict(int)
    lanes: dict[int, set[int]] = defaultdict(set)
    for _, block, lane in audience.rows():
        sizes[block] += 1
        lanes[block].add(lane)
    assert max(sizes.values()) <= plan.BLOCK and all(len(each) == 1 for each in lanes.values())
    assert sorted(sizes) == list(range(1, len(sizes) + 1))


def test_a_large_lane_is_spread_over_the_whole_of_its_chunk(audience: Audience) -> None:
    """Lanes take turns: a slow domain's rows neither come all first nor wait all at the end."""
    audience.plan_all()
    order = {block: lane for _, block, lane in audience.rows()}
    places = [block for block, lane in order.items() if lane == audience.lane("large.example")]
    half = max(order) / 2
    assert len(places) == LARGE / plan.BLOCK
    assert sum(block <= half for block in places) == pytest.approx(len(places) / 2, abs=1)


def test_the_lane_that_sql_makes_is_the_one_that_python_makes(services: Services) -> None:
    hashes = [bytes(range(8)), b"\xff" * 8, b"\x80" + bytes(7), bytes(8)]
    with unit_of_work(services) as ctx:
        made = [ctx.db.scalar(text(f"SELECT {plan.OWN_LANE} FROM (SELECT CAST(:hash AS bytea) AS domain_hash) AS d"),
                              {"hash": each}) for each in hashes]
    assert made == [lane_of(each) for each in hashes] and all(each & OWN for each in made)


def test_an_audience_larger_than_a_chunk_is_planned_in_several(services: Services) -> None:
    with unit_of_work(services) as ctx:
        for _ in seed.seed(ctx, plan.FIRST_CHUNK + 10, "everybody"):
            continue
    audience = Audience(services)
    assert audience.plan_all() == 2
    points = [point for point, _, _ in audience.rows()]
    assert len(points) == len(set(points)) == plan.FIRST_CHUNK + 10 + LARGE + MIDDLE + SMALL
