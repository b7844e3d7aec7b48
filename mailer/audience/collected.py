"""What an address was given for besides news: orders, service, contests, surveys, delivery, applications.

None of it is a consent, so none of it reaches a marketing audience, and none of it may narrow one (promises C5, A7,
M21, M22, S30; section 3, item 7). Somebody may be known for nothing else.
"""

import re
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from mailer.audience import field_sources, people
from mailer.audience.field_sources import Origin
from mailer.audience.models import Collected, ContactPoint
from mailer.context import Context
from mailer.core.channel import Address
from mailer.core.errors import InvalidInput
from mailer.core.messages import ConsentModel, Purpose

PURPOSES = ("order", "service", "survey", "delivery", "recruitment")
CONTEST = re.compile(r"contest:[a-z0-9][a-z0-9-]{0,39}")
"""Each contest is a purpose by itself, so that its entrants can be forgotten when the prize is awarded (M21)."""
BY_CUSTOMERS = ("order",)
"""Given by customers: the only ones to whom post may go until they say no, where a pack says so (promise A3)."""
SERVES = {"order": frozenset({Purpose.SERVICE}), "service": frozenset({Purpose.SERVICE})}


def check_purpose(purpose: str) -> str:
    """A purpose as it may be kept. Raises: InvalidInput."""
    if purpose not in PURPOSES and not CONTEST.fullmatch(purpose):
        raise InvalidInput(field="purpose", why="is not one that data is collected for")
    return purpose


def permitted(given_for: str, campaign: Purpose, model: ConsentModel) -> bool:
    """Whether what was given for one purpose may choose, or narrow, the audience of a campaign of another.

    `model` is what the policy says of that campaign's purpose on its channel.
    """
    if given_for in set(Purpose):
        return given_for == campaign and model is not ConsentModel.FORBIDDEN
    if given_for in BY_CUSTOMERS and model is ConsentModel.OPT_OUT:
        return True
    return campaign in SERVES.get(given_for, frozenset())


def check_filter(given_for: str, campaign: Purpose, model: ConsentModel) -> None:
    """Raises: InvalidInput where a rule of an audience would read what was given for something else (item 7)."""
    if not permitted(given_for, campaign, model):
        raise InvalidInput(field="filter", why="was given for something else, and may choose nobody for this",
                           given_for=given_for)


def add(ctx: Context, point: ContactPoint, purpose: str, source: str, at: datetime | None = None) -> None:
    """Note that an address was given for a purpose too. Raises: InvalidInput."""
    ctx.db.execute(insert(Collected).values(
        contact_point_id=point.id, purpose=check_purpose(purpose), source=source,
        at=at or ctx.clock.now()).on_conflict_do_nothing())


def take(ctx: Context, channel: str, address: Address, purpose: str, origin: Origin, *, first_name: str = ""
         ) -> ContactPoint:
    """Keep an address that was given for a purpose of these; it may be written to for nothing else.

    Somebody known keeps what they are and have agreed to. Raises: InvalidInput.
    """
    check_purpose(purpose)
    point = people.create(ctx, channel, address, first_name=first_name)
    known = {row.field for row in field_sources.of(ctx, point.person_id)}
    given = {"email", "language", *(("first_name",) if first_name else ())} if channel == "email" else {"language"}
    field_sources.note(ctx, point.person_id, given - known, origin)
    add(ctx, point, purpose, origin.source, origin.at)
    return point


def of(ctx: Context, contact_point_id: int) -> list[Collected]:
    """What an address was given for, oldest first."""
    return list(ctx.db.scalars(select(Collected).where(
        Collected.contact_point_id == contact_point_id).order_by(Collected.at, Collected.purpose)))


def forget(ctx: Context, purpose: str) -> int:
    """Forget a purpose, such as a contest whose prize is awarded; for how many addresses."""
    gone = delete(Collected).where(Collected.purpose == check_purpose(purpose)).returning(Collected.contact_point_id)
    return len(ctx.db.scalars(gone).all())
