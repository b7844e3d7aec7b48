"""How a campaign goes, read from its counters by the database's clock."""

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, text

from mailer.bench.errors import BenchFailed

LOOK_EVERY, LOOK_SELDOM = 0.02, 0.2
"""Seconds between two looks: often at the beginning and near the end, seldom in between so as not to be in the way."""

FEW = 5_000

LOOK = text("""
    SELECT extract(epoch FROM clock_timestamp())::float8 AS at, c.state,
           extract(epoch FROM c.send_at)::float8 AS launched, extract(epoch FROM c.started_at)::float8 AS started,
           c.planning_done,
           coalesce(sum(k.n) FILTER (WHERE k.state = 'planned'), 0)::bigint AS planned,
           coalesce(sum(k.n) FILTER (WHERE k.state = 'accepted'), 0)::bigint AS accepted,
           coalesce(sum(k.n) FILTER (WHERE k.state IN ('accepted', 'refused', 'failed', 'expired', 'uncertain')), 0)
               ::bigint AS ended
    FROM campaign c LEFT JOIN campaign_count k ON k.campaign_id = c.id WHERE c.id = :id GROUP BY c.id
""")
FIRST_CLAIM = text("SELECT extract(epoch FROM min(at))::float8 FROM decision WHERE campaign_id = :id")


@dataclass
class Course:
    """Moments of one campaign in seconds of the database's clock, and its sums at the end."""

    launched: float = 0.0
    started: float = 0.0
    planned_by: float = 0.0
    first_claim: float = 0.0
    first_accepted: float = 0.0
    last_recorded: float = 0.0
    planned: int = 0
    accepted: int = 0
    ended: int = 0

    def take(self, row: Any) -> bool:
        """Learn from one look; whether everybody's message has ended."""
        self.launched, self.started = row.launched or 0.0, row.started or 0.0
        self.planned, self.accepted, self.ended = row.planned, row.accepted, row.ended
        if row.planning_done and not self.planned_by:
            self.planned_by = row.at
        if row.accepted and not self.first_accepted:
            self.first_accepted = row.at
        if row.planning_done and row.ended >= row.planned:
            self.last_recorded = row.at
            return True
        return False

    @property
    def matters(self) -> bool:
        """Whether a moment is about to come that is told to the hundredth."""
        return not self.first_accepted or not self.planned_by or self.planned - self.ended < FEW


def follow(engine: Engine, number: int, patience: float) -> Course:
    """Watch until the last message is recorded. Raises: BenchFailed when nothing moves for `patience` seconds."""
    course, moved, seen = Course(), time.monotonic(), -1
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not course.take(row := connection.execute(LOOK, {"id": number}).one()):
            if row.planned + row.ended != seen:
                seen, moved = row.planned + row.ended, time.monotonic()
            elif time.monotonic() - moved > patience:
                raise BenchFailed(step=f"campaign {number}", why=f"{row.state}, {row.ended} of {row.planned} ended")
            time.sleep(LOOK_EVERY if course.matters else LOOK_SELDOM)
        course.first_claim = connection.execute(FIRST_CLAIM, {"id": number}).scalar_one()
    return course


def workers_ready(engine: Engine, wanted: int, patience: float) -> None:
    """Wait until so many worker processes have given a sign of life."""
    ends = time.monotonic() + patience
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while time.monotonic() < ends:
            if (connection.scalar(text("SELECT count(*) FROM worker")) or 0) >= wanted:
                return
            time.sleep(0.1)
    raise BenchFailed(step="workers", why=f"fewer than {wanted} gave a sign of life")
