"""What time itself ends: addresses nobody pressed for, and senders after their 30 days."""

from datetime import timedelta

from sqlalchemy import delete, or_, select

from mailer.context import Context
from mailer.friends.invite import SEALED_FOR, forget_pair
from mailer.friends.models import FriendKey, FriendRequest

SENDER_KEPT = timedelta(days=30)
ROUND = 1000


def sweep(ctx: Context) -> None:
    """Empty what has been sealed for 24 hours, and delete requests of 30 days ago; for the ticker."""
    _empty(ctx)
    old = select(FriendRequest.id).where(FriendRequest.asked_at <= ctx.clock.now() - SENDER_KEPT).order_by(
        FriendRequest.asked_at).limit(ROUND).with_for_update(skip_locked=True)
    ctx.db.execute(delete(FriendRequest).where(FriendRequest.id.in_(old)))


def _empty(ctx: Context) -> None:
    """Whatever becomes of the message: one in the air needs nothing of this any more, one that waits is too late."""
    due = ctx.db.scalars(select(FriendRequest).where(
        FriendRequest.asked_at <= ctx.clock.now() - SEALED_FOR,
        or_(FriendRequest.sealed_friend.is_not(None), FriendRequest.mark.is_not(None))).order_by(
            FriendRequest.id).limit(ROUND).with_for_update(skip_locked=True)).all()
    for request in due:
        if request.state == "asked":
            forget_pair(ctx, request)
        request.state = "handed" if request.handed_on else "over"
        request.sealed_friend = request.sealed_words = request.mark = None
        request.friend_fingerprint = request.domain_hash = b""
    ctx.db.flush()
    ctx.db.execute(delete(FriendKey).where(FriendKey.friend_request_id.in_([request.id for request in due])))
