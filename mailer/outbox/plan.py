"""Planning: one message row for everybody the audience rule names, set-wise, in chunks that commit (decision 4).

A domain with many rows in a chunk, or with a limit, has a lane to itself; the others share a few. Rows are numbered
in blocks of about 50 of one lane, and every lane's blocks are spread evenly over the chunk, so that none is all at
its end (decision 10).
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from mailer.context import Context
from mailer.core.lanes import OWN, SHARED
from mailer.gate.terms import leaf

BLOCK = 50
FIRST_CHUNK = 2_000
CHUNK = 25_000
"""Rows a transaction: small first, so that the first message leaves at once."""

# Whatever statistics say or lack, a chunk costs its own size.
ALONG_INDEXES = text("SELECT set_config(name, 'off', true) FROM unnest(ARRAY["
                     "'enable_seqscan', 'enable_bitmapscan']) AS name")

OWN_LANE = f"(('x' || encode(domain_hash, 'hex'))::bit(64)::bigint & {OWN - 1}) | {OWN}"
"""`core.lanes.lane_of` in SQL."""

PLAN = f"""
    WITH audience AS MATERIALIZED (
        SELECT DISTINCT found.contact_point_id
        FROM unnest(CAST(:topic_ids AS bigint[])) AS topic (id)
        CROSS JOIN LATERAL (
            SELECT contact_point_id FROM standing
            WHERE list_id = :list_id AND topic_id = topic.id AND contact_point_id > :after
            GROUP BY contact_point_id ORDER BY contact_point_id LIMIT :size) AS found
        ORDER BY found.contact_point_id LIMIT :size
    ), reached AS MATERIALIZED (
        SELECT a.contact_point_id AS id, c.domain_hash FROM audience a CROSS JOIN LATERAL (
            SELECT domain_hash FROM contact_point WHERE id = a.contact_point_id AND channel = :channel LIMIT 1) AS c
    ), domains AS MATERIALIZED (
        SELECT domain_hash, {OWN_LANE} AS own, count(*) AS n FROM reached GROUP BY domain_hash
    ), laned AS MATERIALIZED (
        SELECT domain_hash, CASE WHEN n >= {BLOCK} OR own IN (SELECT lane FROM lane_limit WHERE scope = 'domain')
                                 THEN own ELSE get_byte(domain_hash, 0) % {SHARED} END AS lane, n FROM domains
    ), lanes AS MATERIALIZED (
        SELECT lane, sum(n)::bigint AS n, (sum(n)::bigint + {BLOCK - 1}) / {BLOCK} AS parts FROM laned GROUP BY lane
    ), rounds AS MATERIALIZED (
        SELECT lane, part, :next_block - 1 + row_number() OVER (ORDER BY (part + 0.5::float8) / parts, lane) AS block
        FROM lanes CROSS JOIN LATERAL generate_series(0, parts - 1) AS part
    ), placed AS (
        SELECT r.id, l.lane, (row_number() OVER (PARTITION BY l.lane ORDER BY r.id) - 1) * n.parts / n.n AS part
        FROM reached r JOIN laned l USING (domain_hash) JOIN lanes n ON n.lane = l.lane
    ), blocks AS (
        INSERT INTO message_block (campaign_id, block, lane, open) SELECT :campaign_id, block, lane, true FROM rounds
    ), messages AS (
        INSERT INTO {{message}} (campaign_id, contact_point_id, month, block)
        SELECT :campaign_id, p.id, :month, b.block FROM placed p JOIN rounds b ON b.lane = p.lane AND b.part = p.part
        ORDER BY b.block, p.id
    )
    SELECT (SELECT coalesce(sum(n), 0)::bigint FROM domains), (SELECT count(*) FROM rounds),
           (SELECT count(*) FROM audience), (SELECT max(contact_point_id) FROM audience)
"""

COUNT = text("""
    INSERT INTO campaign_count (campaign_id, worker, state, detail, n) VALUES (:id, 'planner', 'planned', '', :n)
    ON CONFLICT (campaign_id, worker, state, detail) DO UPDATE SET n = campaign_count.n + excluded.n""")


@dataclass(frozen=True)
class Chunk:
    """How far planning came: contact points looked at, the last of them, the next block's number."""

    rows: int
    through: int
    next_block: int


def plan_chunk(ctx: Context, *, campaign_id: int, month: date, channel: str, list_id: int, topic_ids: list[int],
               after: int, next_block: int) -> Chunk:
    """Add the next chunk of rows and their blocks. Fewer rows than asked for means that everybody is planned.

    The caller holds the campaign's row.
    """
    ctx.db.execute(ALONG_INDEXES)
    rows, blocks, seen, through = ctx.db.execute(text(PLAN.format(message=leaf("message", month))), {
        "list_id": list_id, "topic_ids": topic_ids, "after": after, "size": _size(after), "channel": channel,
        "next_block": next_block, "campaign_id": campaign_id, "month": month}).one()
    if rows:
        ctx.db.execute(COUNT, {"id": campaign_id, "n": rows})
    return Chunk(rows=seen, through=through or after, next_block=next_block + blocks)


def is_last(chunk: Chunk, after: int) -> bool:
    """Whether that chunk was the last one."""
    return chunk.rows < _size(after)


def _size(after: int) -> int:
    return CHUNK if after else FIRST_CHUNK
