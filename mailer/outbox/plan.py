"""Planning: one message row for everybody the audience rule names, set-wise, in chunks that commit (decision 4)."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from mailer.context import Context
from mailer.gate.terms import leaf

BLOCK = 50
LANES = 32
FIRST_CHUNK = 2_000
CHUNK = 20_000
"""Rows a transaction: small first, so that the first message leaves at once."""


@dataclass(frozen=True)
class Chunk:
    """How far planning came: rows added, the last contact point seen, the next block's number."""

    rows: int
    through: int
    next_block: int


def plan_chunk(ctx: Context, *, campaign_id: int, month: date, channel: str, list_id: int, topic_ids: list[int],
               after: int, next_block: int) -> Chunk:
    """Add the next chunk of rows and their blocks. Fewer rows than asked for means that everybody is planned.

    Blocks of about 50 rows are numbered lane by lane, the lanes taking turns; the caller holds the campaign's row.
    """
    size = CHUNK if after else FIRST_CHUNK
    row = ctx.db.execute(text(f"""
        WITH audience AS (
            SELECT DISTINCT contact_point_id FROM standing
            WHERE list_id = :list_id AND topic_id = ANY(:topic_ids) AND contact_point_id > :after
            ORDER BY contact_point_id LIMIT :size
        ), laned AS (
            SELECT a.contact_point_id, get_byte(c.domain_hash, 0) % {LANES} AS lane
            FROM audience a JOIN contact_point c ON c.id = a.contact_point_id AND c.channel = :channel
        ), parted AS (
            SELECT *, (row_number() OVER (PARTITION BY lane ORDER BY contact_point_id) - 1) / {BLOCK} AS part FROM laned
        ), numbered AS (
            SELECT *, :next_block - 1 + dense_rank() OVER (ORDER BY part, lane) AS block FROM parted
        ), blocks AS (
            INSERT INTO message_block (campaign_id, block, lane, open)
            SELECT DISTINCT :campaign_id, block, lane, true FROM numbered
        ), messages AS (
            INSERT INTO {leaf("message", month)} (campaign_id, contact_point_id, month, block)
            SELECT :campaign_id, contact_point_id, :month, block FROM numbered ORDER BY block, contact_point_id
            RETURNING block
        )
        SELECT (SELECT count(*) FROM messages), (SELECT max(block) FROM messages),
               (SELECT count(*) FROM audience), (SELECT max(contact_point_id) FROM audience)"""), {
        "list_id": list_id, "topic_ids": topic_ids, "after": after, "size": size, "channel": channel,
        "next_block": next_block, "campaign_id": campaign_id, "month": month}).one()
    rows, last_block, seen, through = row
    if rows:
        ctx.db.execute(text("""
            INSERT INTO campaign_count (campaign_id, worker, state, detail, n)
            VALUES (:id, 'planner', 'planned', '', :n)
            ON CONFLICT (campaign_id, worker, state, detail) DO UPDATE SET n = campaign_count.n + :n"""),
            {"id": campaign_id, "n": rows})
    return Chunk(rows=seen, through=through or after, next_block=(last_block or next_block - 1) + 1)


def is_last(chunk: Chunk, after: int) -> bool:
    """Whether that chunk was the last one."""
    return chunk.rows < (CHUNK if after else FIRST_CHUNK)
