"""What staff start in somebody's name and only that person finishes: an invitation to a list, a corrected address."""

from collections.abc import Sequence
from enum import StrEnum

from mailer.audience import contact_points, queries
from mailer.audience.models import ContactPoint
from mailer.audit import trail
from mailer.consent import standing
from mailer.context import Context
from mailer.core.channel import Address
from mailer.core.errors import InvalidInput
from mailer.core.messages import Purpose
from mailer.lists import catalogue
from mailer.lists.models import MailingList
from mailer.subscriptions import address as changing
from mailer.subscriptions import details, fresh, invitations, limits
from mailer.subscriptions.imports import barred
from mailer.subscriptions.invitations import Invited

STAFF = "staff"


class Fate(StrEnum):
    """What became of it; a mail goes out for the first alone."""

    ASKED = "asked"
    LEFT_OUT = "left_out"
    HERE = "here"
    SAID_NO = "said_no"
    WAITS = "waits"
    LIMIT = "limit"


def invite(ctx: Context, channel: str, raw: str, *, list_id: int, topic_ids: Sequence[int] = ()) -> Fate:
    """Ask an address whether it wants topics of a list (all, where none is named); always double opt-in.

    Whoever is on the stop list is left out, and whoever ended a topic is not asked for it again. Raises:
    InvalidAddress, UnknownChannel; InvalidInput naming `list` or `topics`; NotFound without a notice.
    """
    wanted = _topics(ctx, list_id, topic_ids)
    address = contact_points.parse(ctx, channel, raw)
    bucket = limits.bucket(ctx, address)
    limits.alone(ctx, bucket)
    fate = _invite(ctx, channel, address, list_id, wanted, bucket)
    trail.record(ctx, "invited_to_list", f"list:{list_id}", answer=fate)
    return fate


def send_fresh_link(ctx: Context, point: ContactPoint) -> None:
    """Mail the person a link to their own page, within its limits."""
    fresh.ask(ctx, point)
    trail.record(ctx, "fresh_link_sent", f"contact_point:{point.id}")


def correct_name(ctx: Context, point: ContactPoint, raw: str) -> None:
    """Correct a first name, or remove it with an empty one. Raises: InvalidInput; NotFound once erased."""
    details.set_first_name(ctx, point, raw, source=STAFF)
    trail.record(ctx, "detail_corrected", f"contact_point:{point.id}", field=details.FIRST_NAME)


def correct_address(ctx: Context, point: ContactPoint, raw: str) -> Fate:
    """Ask the new mailbox to confirm; the old address stands until it does, and is told then.

    Raises: InvalidAddress; InvalidInput where it is the address we have; NotFound once erased.
    """
    address = contact_points.parse(ctx, point.channel, raw)
    if barred(ctx, address, 0, ()) is not None:
        fate = Fate.LEFT_OUT
    else:
        changing.ask(ctx, point, raw, source=STAFF)
        fate = Fate.ASKED
    trail.record(ctx, "detail_corrected", f"contact_point:{point.id}", field="email", answer=fate)
    return fate


def _topics(ctx: Context, list_id: int, topic_ids: Sequence[int]) -> tuple[int, ...]:
    mailing_list = ctx.db.get(MailingList, list_id) if 0 < list_id < queries.LARGEST_ID else None
    if mailing_list is None or mailing_list.archived:
        raise InvalidInput(field="list", why="Choose a list.")
    offered = [topic.id for topic in catalogue.topics_of(ctx, list_id)]
    if not offered or not set(topic_ids) <= set(offered):
        raise InvalidInput(field="topics", why="Choose topics of that list.")
    return tuple(topic_ids or offered)


def _invite(ctx: Context, channel: str, address: Address, list_id: int, wanted: Sequence[int], bucket: bytes) -> Fate:
    if barred(ctx, address, list_id, wanted) is not None:
        return Fate.LEFT_OUT
    point = contact_points.find(ctx, channel, address)
    answers = {row.topic_id: row.state for row in standing.of(ctx, point.id)
               if row.list_id == list_id and row.purpose == Purpose.OWN_OFFERS} if point else {}
    free = tuple(topic_id for topic_id in wanted if topic_id not in answers)
    if not free:
        return Fate.HERE if "live" in {answers[topic_id] for topic_id in wanted} else Fate.SAID_NO
    if invitations.waits(ctx, channel, address, list_id):
        return Fate.WAITS
    asked = invitations.invite(ctx, Invited(channel, address, list_id, free, source=STAFF), bucket=bucket)
    return Fate.ASKED if asked else Fate.LIMIT
