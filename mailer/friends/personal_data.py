"""What tell-a-friend holds of a person, for their copy and their erasure; a friend is "a friend" to whoever asked."""

from typing import Any

from sqlalchemy import delete, or_, select

from mailer.context import Context
from mailer.core.personal import Whom
from mailer.friends.models import FriendRequest

COVERS = frozenset({
    ("friend_request", "sealed_friend"), ("friend_request", "sealed_sender"), ("friend_request", "sealed_sender_name"),
    ("friend_request", "sealed_words"), ("friend_request", "friend_fingerprint"),
    ("friend_request", "sender_fingerprint"), ("friend_request", "domain_hash"), ("vault.friend_key", "wrapped"),
    ("vault.friend_sender_key", "wrapped"), ("friend_mark", "fingerprint"), ("never_code", "fingerprint"),
})


def export(ctx: Context, whom: Whom) -> list[dict[str, Any]]:
    """Each message that they asked us to pass on in the last 30 days; to whom is not said, as we forget it."""
    rows = ctx.db.scalars(select(FriendRequest).where(
        FriendRequest.sender_fingerprint.in_(ctx.sealer.with_newer(whom.fingerprints))).order_by(FriendRequest.id))
    return [{"at": row.asked_at.isoformat(), "to": "a friend", "list": row.list_id,
             "pressed": row.pressed_at.isoformat() if row.pressed_at else None} for row in rows]


def erase(ctx: Context, whom: Whom) -> None:
    """What they asked for, and what waits to be passed on to them, goes with its keys; marks and codes stay."""
    ctx.db.execute(delete(FriendRequest).where(or_(
        FriendRequest.sender_fingerprint.in_(ctx.sealer.with_newer(whom.fingerprints)),
        FriendRequest.friend_fingerprint.in_(ctx.sealer.with_newer(whom.fingerprints)))))
