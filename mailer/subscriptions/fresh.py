"""Fresh links: a mailbox proves that it is there now, and a page opens that shows and changes everything.

The link works once and for 30 minutes; pressing it is exchanged for a random token in a path, kept hashed and for 30
minutes too (decision 23). Newsletters get forwarded; this does not outlive whoever forwards it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from types import MappingProxyType

from sqlalchemy import delete, func, select, update

from mailer.audience import contact_points
from mailer.audience.models import ContactPoint
from mailer.audience.people import CLOSER_TO_LIVE
from mailer.context import Context
from mailer.core.channel import Address
from mailer.core.errors import BadToken, MailerError
from mailer.core.jobs import Job
from mailer.core.messages import MessageClass
from mailer.core.modes import Mode
from mailer.organisation import profile
from mailer.outbox import singles
from mailer.subscriptions import limits, links, words
from mailer.subscriptions.links import NOBODY, Outcome, Purpose
from mailer.subscriptions.models import FreshAccess, SingleUseLink

LASTS = timedelta(minutes=30)
WHOLE = frozenset({"email"})
"""Channels whose link opens everything; a text opens texts only, as telephones are lent and numbers reassigned."""
NOTHING: Mapping[str, str] = MappingProxyType({})


class LinkOver(MailerError):
    """A fresh link that was right once; `outcome` says what became of it."""

    code = "link_over"
    status = 410

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome=str(outcome))


@dataclass(frozen=True, repr=False)
class Access:
    """What an open page may do: for one contact point, and `whole` for all that is held of its person."""

    point: ContactPoint
    channel: str
    whole: bool


def ask(ctx: Context, point: ContactPoint) -> None:
    """Mail a fresh link to a contact point, one in 15 minutes and five a day; beyond that nothing happens."""
    bucket = limits.point_bucket(ctx, point.id)
    limits.alone(ctx, bucket)
    if limits.left(ctx, bucket, limits.FRESH):
        mail(ctx, point.id, point.channel)


def ask_for(ctx: Context, channel: str, raw: str) -> None:
    """Mail a fresh link to an address that somebody typed, where it is one of ours; the work is the same for any.

    Raises: InvalidAddress, UnknownChannel.
    """
    address = contact_points.parse(ctx, channel, raw)
    point = contact_points.find(ctx, channel, address)
    bucket = limits.point_bucket(ctx, point.id) if point else _nobodys_bucket(ctx, address)
    limits.alone(ctx, bucket)
    wanted = limits.left(ctx, bucket, limits.FRESH) and point is not None
    # Where nothing may come of it somebody stands in, and all of it is undone again (promise M19).
    stand_in = point.id if point else ctx.db.scalar(select(func.min(ContactPoint.id)))
    if stand_in is not None:
        attempt = ctx.db.begin_nested()
        mail(ctx, stand_in, channel)
        if wanted:
            attempt.commit()
        else:
            attempt.rollback()
    ctx.nudge(Job.SINGLES)


def link_for(ctx: Context, point_id: int) -> str:
    """The address of a new fresh link, for the letter that carries it and nowhere else."""
    raw = links.issue(ctx, Purpose.FRESH, contact_point_id=point_id)
    return f"{profile.current(ctx).public_url}/fresh/{raw}"


def look(ctx: Context, raw: str) -> Outcome:
    """How it stands with a fresh link; changes nothing. Raises: BadToken."""
    return links.look(ctx, Purpose.FRESH, raw).outcome


def press(ctx: Context, raw: str) -> str:
    """Use a fresh link up; the token of the page it opens, for 30 minutes. Raises: BadToken, LinkOver."""
    found = links.take(ctx, Purpose.FRESH, raw)
    point = ctx.db.get(ContactPoint, found.contact_point_id) if found.contact_point_id else None
    if found.outcome is not Outcome.OPEN or point is None or _only_practising(ctx, point):
        raise LinkOver(Outcome.WITHDRAWN if found.outcome is Outcome.OPEN else found.outcome)
    links.use_up(ctx, found)
    secret = ctx.tokens.random_bytes(links.TOKEN_BYTES)
    ctx.db.add(FreshAccess(hash=sha256(secret).digest(), contact_point_id=point.id, channel=point.channel,
                           whole=point.channel in WHOLE, expires_at=ctx.clock.now() + LASTS))
    ctx.db.flush()
    return links.written(secret)


def read(ctx: Context, token: str) -> Access:
    """Whose page this is. Raises: BadToken when it is unknown, over or was ended."""
    row = ctx.db.scalars(select(FreshAccess).where(
        FreshAccess.hash == links.hash_of(token), FreshAccess.expires_at > ctx.clock.now())).one_or_none()
    point = ctx.db.get(ContactPoint, row.contact_point_id) if row else None
    if row is None or point is None:
        raise BadToken()
    return Access(point, row.channel, row.whole)


def end(ctx: Context, token: str) -> None:
    """The person is done: the page does not open again; doing so twice changes nothing. Raises: BadToken when cut."""
    ctx.db.execute(delete(FreshAccess).where(FreshAccess.hash == links.hash_of(token)))


def end_all(ctx: Context, contact_point_ids: Sequence[int]) -> None:
    """End every open page of these contact points, and withdraw every fresh link that was not pressed yet."""
    ctx.db.execute(delete(FreshAccess).where(FreshAccess.contact_point_id.in_(contact_point_ids)))
    ctx.db.execute(update(SingleUseLink).where(
        SingleUseLink.contact_point_id.in_(contact_point_ids), SingleUseLink.purpose == Purpose.FRESH,
        SingleUseLink.outcome == Outcome.OPEN).values(
            outcome=Outcome.WITHDRAWN, day=ctx.clock.now().date(), **NOBODY))


def sweep(ctx: Context) -> None:
    """Forget pages whose time is over."""
    ctx.db.execute(delete(FreshAccess).where(FreshAccess.expires_at <= ctx.clock.now()))


def mail(ctx: Context, point_id: int, channel: str, says: Mapping[str, str] = NOTHING) -> None:
    """Count one link and mail it; the caller has looked at the limits. `says` goes into the letter besides."""
    count = limits.spend(ctx, limits.point_bucket(ctx, point_id), limits.FRESH.kind)
    now = ctx.clock.now()
    singles.enqueue(
        ctx, MessageClass.FRESH_LINK, subject=f"contact_point:{point_id}", occasion=f"fresh/{now.date()}/{count}",
        channel=channel, contact_point_id=point_id, not_after=now + LASTS,
        detail={"link": link_for(ctx, point_id), "until": words.clock(ctx, now + LASTS), **says})


def _only_practising(ctx: Context, point: ContactPoint) -> bool:
    """Whether staff could have opened the link in the Outbox, while the person is a real one."""
    return CLOSER_TO_LIVE[Mode(point.mode)] > CLOSER_TO_LIVE[profile.current(ctx).mode]


def _nobodys_bucket(ctx: Context, address: Address) -> bytes:
    """Where an address of nobody counts, so that the same is looked up and locked."""
    return ctx.sealer.bucket(f"nobody/{profile.current(ctx).mode}", address.identity)
