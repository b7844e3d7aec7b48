"""How often a list was passed on lately: sums alone, never who wrote to whom."""

from dataclasses import dataclass

from sqlalchemy import func, select

from mailer.context import Context
from mailer.friends.models import FriendRequest


@dataclass(frozen=True)
class Totals:
    """Of the last 30 days: asked for, handed over, and reported by a friend."""

    asked: int
    handed: int
    reported: int


def of(ctx: Context, list_id: int) -> Totals:
    """The sums of one list, as long as its requests are kept."""
    row = ctx.db.execute(select(
        func.count(), func.count().filter(FriendRequest.state == "handed"),
        func.count().filter(FriendRequest.reported)).where(FriendRequest.list_id == list_id)).one()
    return Totals(*row)
