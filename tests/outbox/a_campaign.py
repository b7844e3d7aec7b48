"""A campaign whose rows a test moves by hand, with the statements of the road but without a provider."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, cast

import psycopg
from sqlalchemy import text

from mailer.campaigns import close, compose, launch, schedule, status
from mailer.campaigns.status import Status
from mailer.context import Context
from mailer.core.channel import Fate, Outcome
from mailer.gate.terms import leaf
from mailer.outbox import claim, counts, record
from mailer.services import Services, unit_of_work
from mailer.subscriptions import seed


class ACampaign:
    """Launched and planned, to so many made-up people."""

    def __init__(self, services: Services, people: int, *, list_name: str = "everybody") -> None:
        self.services = services
        with self.unit() as ctx:
            for _ in seed.seed(ctx, people, list_name):
                continue
            listed = seed.ensure_list(ctx, list_name)
            self.id = compose.create(ctx, list_id=listed.id, words=compose.Words("A subject", "Words")).id
            schedule.send(ctx, self.id, undo=False)
        more = True
        while more:
            with self.unit() as ctx:
                more = launch.step(ctx, self.id, services.settings.data_dir / "exits")
        with self.unit() as ctx:
            self.month = cast(date, compose.find(ctx, self.id).month)

    @contextmanager
    def unit(self) -> Iterator[Context]:
        with unit_of_work(self.services) as ctx:
            yield ctx

    @contextmanager
    def cursor(self) -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
        with self.unit() as ctx:
            driver = cast(psycopg.Connection[tuple[Any, ...]], ctx.db.connection().connection.driver_connection)
            with driver.cursor() as cursor:
                yield cursor

    def hand(self, number: int) -> tuple[int, list[int]]:
        """Clear so many waiting rows: the slice, and whose rows they are."""
        message, decision = leaf("message", self.month), leaf("decision", self.month)
        with self.cursor() as cursor:
            slice_id = claim.open_slice(cursor, "worker1", self.id, self.month)
            cursor.execute(f"""
                WITH next AS (SELECT contact_point_id, attempt + 1 AS attempt FROM {message}
                              WHERE campaign_id = %(id)s AND state = 'ready' ORDER BY contact_point_id LIMIT %(n)s)
                INSERT INTO {decision} (campaign_id, contact_point_id, month, attempt, cleared, at)
                SELECT %(id)s, contact_point_id, %(month)s, attempt, true, now() FROM next
                RETURNING contact_point_id, attempt""", {"id": self.id, "n": number, "month": self.month})
            points = [point for point, _ in cursor.fetchall()]
            cursor.execute(f"""
                UPDATE {message} SET state = 'handed', slice = %s, attempt = attempt + 1, decided = attempt + 1,
                cleared = true WHERE campaign_id = %s AND contact_point_id = ANY(%s)""", (slice_id, self.id, points))
            counts.add(cursor, self.id, "worker1", counts.Deltas({("handed", ""): len(points)}))
        return slice_id, points

    def end(self, slice_id: int, points: Sequence[int], fate: Fate, *, closes: bool = True) -> None:
        """Write down how they ended, as a worker does, or a journal that turns up."""
        with self.cursor() as cursor:
            record.record(cursor, record.Place(self.id, self.month, slice_id, "worker1"),
                          [Outcome(point, fate) for point in points], closes=closes)

    def close(self) -> bool:
        with self.unit() as ctx:
            return close.close_if_done(ctx, self.id)

    def status(self) -> Status:
        """The status; the sum holds and the counters say what the rows say."""
        with self.unit() as ctx:
            seen = status.status(ctx, compose.find(ctx, self.id))
        states = self.states()
        assert {name: n for name in ("accepted", "refused", "failed", "expired", "uncertain")
                if (n := getattr(seen, name))} == {name: n for name, n in states.items()
                                                   if name not in ("ready", "handed", "deferred")}
        assert seen.planned == sum(states.values())
        return seen

    def states(self) -> dict[str, int]:
        return dict(self.sql("SELECT state, count(*) FROM message WHERE campaign_id = :id GROUP BY state", id=self.id))

    def sql(self, statement: str, **values: object) -> list[Any]:
        with self.services.engine.begin() as connection:
            answer = connection.execute(text(statement), values)
            return [tuple(row) for row in answer] if answer.returns_rows else []
