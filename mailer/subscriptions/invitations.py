"""Asking an address that staff, or a file, brought: one message, paced, and nothing before its own press."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from mailer.audience import pending
from mailer.audience.models import PendingRequest
from mailer.context import Context
from mailer.core.channel import Address
from mailer.core.messages import MessageClass
from mailer.core.reasons import Reason
from mailer.lists.models import Topic
from mailer.organisation import profile
from mailer.outbox import singles
from mailer.outbox.models import SingleMessage
from mailer.policy import notices
from mailer.subscriptions import limits, links, words
from mailer.suppression.models import DomainRule

AN_HOUR = 1_000
"""Invitations of one import: mailbox providers slow down who suddenly writes to many."""


@dataclass(frozen=True, repr=False)
class Invited:
    """Whom to ask for what; `collector` and `policy` say who took the address where that was not us."""

    channel: str
    address: Address
    list_id: int
    topic_ids: tuple[int, ...]
    first_name: str = ""
    source: str = "staff"
    collector: str = ""
    policy: str = ""


def waits(ctx: Context, channel: str, address: Address, list_id: int) -> bool:
    """Whether the address has asked for this list, or was asked, and has not confirmed yet."""
    return ctx.db.scalar(select(PendingRequest.id).where(
        PendingRequest.channel == channel, PendingRequest.list_id == list_id,
        PendingRequest.fingerprint.in_(ctx.sealer.fingerprints(channel, address.identity)),
        PendingRequest.expires_at > ctx.clock.now())) is not None


def other_bars(ctx: Context, address: Address) -> frozenset[Reason]:
    """Reasons besides entries of the stop list why nobody may bring this address in."""
    ruled = ctx.db.get(DomainRule, ctx.sealer.domain_hash(address.domain))
    return frozenset({Reason.DOMAIN_RULE}) if ruled is not None else frozenset()


def invite(ctx: Context, invited: Invited, *, bucket: bytes, place: int = 0) -> bool:
    """Keep a request and mail its link, `place` messages after the first; False where the address had its share.

    The caller holds the bucket's lock and knows that nothing bars the address. Raises: NotFound without a notice.
    """
    if not limits.left(ctx, bucket, limits.REQUESTS):
        return False
    wait = timedelta(hours=place / AN_HOUR)
    now = ctx.clock.now()
    expires_at = now + wait + links.LASTS["confirm"]
    request = pending.add(
        ctx, channel=invited.channel, address=invited.address, list_id=invited.list_id,
        topic_ids=invited.topic_ids, form_version_id=None, notice_id=notices.required(ctx).id,
        first_name=invited.first_name or None, partner_offers=None, format="html", every_days=0, language="en",
        source=invited.source, mode=profile.current(ctx).mode, expires_at=expires_at, collector=invited.collector,
        policy=invited.policy)
    raw = links.issue(ctx, links.Purpose.CONFIRM, pending_request_id=request.id, expires_at=expires_at)
    limits.spend(ctx, bucket, limits.REQUESTS.kind)
    names = ctx.db.scalars(select(Topic.name).where(Topic.id.in_(invited.topic_ids)).order_by(
        Topic.position, Topic.id)).all()
    single_id = singles.enqueue(
        ctx, MessageClass.STAFF_INVITATION, subject=f"request:{request.id}", occasion=now.isoformat(),
        channel=invited.channel, pending_request_id=request.id, not_after=expires_at,
        detail={"template": "invitation_to_list", "topic": names[0], "topics": words.listed(names),
                "link": f"{profile.current(ctx).public_url}/confirm/{raw}"})
    if single_id is not None and wait:
        ctx.db.get_one(SingleMessage, single_id).until = func.clock_timestamp() + wait
    return True
