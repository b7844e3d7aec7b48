"""The friend's own page: who gave us their address, "never write to me again", and a report (ux 3.7)."""

from dataclasses import dataclass, replace
from datetime import date

from mailer.audience import show
from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import BadToken
from mailer.core.links import Link
from mailer.core.reasons import Reason
from mailer.core.vault import Opener
from mailer.friends import settings
from mailer.friends.models import FriendMark, FriendRequest, FriendSenderKey
from mailer.friends.words import CHANNEL
from mailer.subscriptions.claims import PICKED_UP
from mailer.suppression import registry


@dataclass(frozen=True, repr=False)
class Page:
    """What the page shows; the sender is empty once we have deleted who it was."""

    first_name: str = ""
    sender: str = ""
    day: date | None = None
    slug: str = ""
    reported: bool = False
    never: bool = False


def read(ctx: Context, token: str) -> tuple[FriendMark, FriendRequest | None]:
    """Whose page it is, and the request while we keep it. Raises: BadToken, also before the message was let go."""
    claim = ctx.signer.read(token.rstrip(PICKED_UP), Link.FRIEND)
    mark = ctx.db.get(FriendMark, claim.second)
    if mark is None:
        raise BadToken()
    return mark, ctx.db.get(FriendRequest, claim.first)


def look(ctx: Context, opener: Opener, token: str) -> Page:
    """What the friend may know. Raises: BadToken."""
    mark, request = read(ctx, token)
    prints = ctx.sealer.with_newer([mark.fingerprint])
    never = any(entry.reason == Reason.NEVER for entry in registry.entries(ctx, CHANNEL, prints))
    offer = settings.offer_of(ctx, request.list_id) if request else next(iter(settings.offers(ctx)), None)
    found = Page(slug=offer.slug if offer else "", never=never)
    key = ctx.db.get(FriendSenderKey, request.id) if request else None
    if request is None or key is None or request.sealed_sender is None or request.sealed_sender_name is None:
        return found
    name, address = show.sender_of_friend(opener, wrapped=key.wrapped, reserved=request.reserved,
                                          name=request.sealed_sender_name, address=request.sealed_sender)
    return replace(found, first_name=name, sender=address, day=request.asked_at.date(), reported=request.reported)


def report(ctx: Context, token: str) -> None:
    """Note that the friend did not know the sender: no message of theirs goes out while we know them. Raises: BadToken.
    """
    _, request = read(ctx, token)
    if request is not None and not request.reported:
        request.reported = True
        trail.record(ctx, "friend_reported_sender", f"list:{request.list_id}")
