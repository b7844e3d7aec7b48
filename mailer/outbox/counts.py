"""The sums of a campaign: one row a worker, touched last, added up on reading (decisions 3 and 13)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
from sqlalchemy import text

from mailer.context import Context
from mailer.core.messages import State

PLANNED = "planned"
LEFT = "left"
"""Counted beside the messages, by the hour: people who left by a link of this campaign; no sum holds it."""
LEAVING_PLACES = 32
"""Rows that they are spread over."""
RECEIPT = "receipt"
"""Counted beside the messages once they are kept no more: what came back for them, by kind."""
TERMINAL = (State.ACCEPTED, State.REFUSED, State.FAILED, State.EXPIRED, State.UNCERTAIN)

ADD = """
    INSERT INTO campaign_count (campaign_id, worker, state, detail, n)
    SELECT %(campaign)s, %(worker)s, * FROM unnest(%(states)s::text[], %(details)s::text[], %(ns)s::bigint[])
    ON CONFLICT (campaign_id, worker, state, detail) DO UPDATE SET n = campaign_count.n + excluded.n
"""

Deltas = Counter[tuple[str, str]]
"""(state, detail) to a difference; detail is a reason, a failure code or empty."""


@dataclass(frozen=True)
class Sums:
    """What became of a campaign's messages; waiting = planned less everything that has ended."""

    planned: int
    ended: Mapping[State, int]
    reasons: Mapping[str, int] = field(default_factory=dict)
    codes: Mapping[str, int] = field(default_factory=dict)
    handed: int = 0
    deferred: int = 0

    @property
    def waiting(self) -> int:
        return self.planned - sum(self.ended.values())

    @property
    def ready(self) -> int:
        return self.waiting - self.handed - self.deferred


def add(cursor: psycopg.Cursor[tuple[object, ...]], campaign_id: int, worker: str, deltas: Deltas) -> None:
    """Add the differences to this worker's rows; call it last in a transaction."""
    keys = sorted(key for key, n in deltas.items() if n)
    if keys:
        cursor.execute(ADD, {
            "campaign": campaign_id, "worker": worker, "states": [key[0] for key in keys],
            "details": [key[1] for key in keys], "ns": [deltas[key] for key in keys]})


def sums(ctx: Context, campaign_id: int) -> Sums:
    """The sums as they stand, from the counters alone."""
    rows = ctx.db.execute(text("SELECT state, detail, sum(n)::bigint FROM campaign_count WHERE campaign_id = :id "
                               "GROUP BY state, detail"), {"id": campaign_id}).all()
    return _sums([(state, detail, int(n)) for state, detail, n in rows])


def recount(ctx: Context, campaign_id: int, leaf: str) -> Sums:
    """The sums as the rows themselves say, written over the counters: done once, when a campaign closes."""
    rows = ctx.db.execute(text(f"""
        SELECT state, CASE WHEN state IN ('refused', 'failed') THEN coalesce(code, '') ELSE '' END, count(*)
        FROM {leaf} WHERE campaign_id = :id GROUP BY 1, 2"""), {"id": campaign_id}).all()
    counted = [(state, detail, int(n)) for state, detail, n in rows]
    counted.append((PLANNED, "", sum(n for _, _, n in counted)))
    ctx.db.execute(text("DELETE FROM campaign_count WHERE campaign_id = :id AND state <> ALL(:beside)"),
                   {"id": campaign_id, "beside": [LEFT, RECEIPT]})
    for state, detail, n in counted:
        ctx.db.execute(text("INSERT INTO campaign_count (campaign_id, worker, state, detail, n) "
                            "VALUES (:id, 'closed', :state, :detail, :n)"),
                       {"id": campaign_id, "state": state, "detail": detail, "n": n})
    return _sums(counted)


def count_left(ctx: Context, campaign_id: int) -> None:
    """Count somebody who left by a link of this campaign; nothing tells who (promise T10)."""
    # On one row all who leave at the same time would wait for each other's commit. By chance, which tells nothing.
    place = ctx.tokens.random_bytes(1)[0] % LEAVING_PLACES
    ctx.db.execute(text("""
        INSERT INTO campaign_count (campaign_id, worker, state, detail, n)
        SELECT id, :place, :left, :hour, 1 FROM campaign WHERE id = :id
        ON CONFLICT (campaign_id, worker, state, detail) DO UPDATE SET n = campaign_count.n + 1"""),
        {"id": campaign_id, "left": LEFT, "hour": _hour(ctx.clock.now()), "place": f"leaving-{place}"})


def left(ctx: Context, campaign_id: int, *, before: datetime) -> int:
    """How many left by a link of this campaign in the hours before."""
    return int(ctx.db.scalar(text("SELECT coalesce(sum(n), 0) FROM campaign_count "
                                  "WHERE campaign_id = :id AND state = :left AND detail < :hour"),
                             {"id": campaign_id, "left": LEFT, "hour": _hour(before)}) or 0)


def _hour(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H}"


def _sums(rows: list[tuple[str, str, int]]) -> Sums:
    total: Counter[str] = Counter()
    for state, _, n in rows:
        total[state] += n
    return Sums(
        planned=total[PLANNED],
        ended={state: total[state] for state in TERMINAL},
        reasons={detail: n for state, detail, n in rows if state == State.REFUSED and n},
        codes={detail: n for state, detail, n in rows if state == State.FAILED and n},
        handed=total[State.HANDED],
        deferred=total[State.DEFERRED],
    )
