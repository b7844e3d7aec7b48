"""How many people a list has, for screens and the command line."""

from dataclasses import dataclass

from sqlalchemy import text

from mailer.context import Context


@dataclass(frozen=True)
class Counts:
    """People of one list: confirmed, asked and not confirmed, and of the confirmed those who take a break."""

    confirmed: int = 0
    waiting: int = 0
    paused: int = 0


CONFIRMED = text("""
    SELECT list_id, count(*), count(*) FILTER (WHERE paused_until > :now)
    FROM (SELECT DISTINCT list_id, contact_point_id FROM standing
          WHERE state = 'live' AND purpose = 'own_offers') AS member
    JOIN preference USING (contact_point_id) GROUP BY list_id
""")
WAITING = text("SELECT list_id, count(*) FROM pending_request WHERE expires_at > :now GROUP BY list_id")


def counts(ctx: Context) -> dict[int, Counts]:
    """The counts of every list that has anybody, by the list's id."""
    now = {"now": ctx.clock.now()}
    waiting: dict[int, int] = {list_id: count for list_id, count in ctx.db.execute(WAITING, now)}
    confirmed = {list_id: (people, paused) for list_id, people, paused in ctx.db.execute(CONFIRMED, now)}
    return {list_id: _counts(confirmed.get(list_id, (0, 0)), waiting.get(list_id, 0))
            for list_id in confirmed.keys() | waiting.keys()}


def _counts(confirmed: tuple[int, int], waiting: int) -> Counts:
    return Counts(confirmed=confirmed[0], waiting=waiting, paused=confirmed[1])
