""""Never write to me again", and the code that takes it back (ux 3.7, decision 26)."""

from sqlalchemy import delete, select

from mailer.audience import pending
from mailer.audience.models import ContactPoint, PendingRequest
from mailer.context import Context
from mailer.core import codes
from mailer.core.errors import InvalidInput
from mailer.core.reasons import Reason
from mailer.friends import page
from mailer.friends.models import NeverCode
from mailer.friends.words import CHANNEL
from mailer.subscriptions import links
from mailer.subscriptions.leave import NO_UNDO, leave
from mailer.suppression import alone, registry


def say(ctx: Context, token: str) -> str:
    """Shut the address for good; the code, three by three, which takes the place of any before. Raises: BadToken."""
    mark, _ = page.read(ctx, token)
    alone.hold(ctx, mark.fingerprint)
    prints = ctx.sealer.with_newer([mark.fingerprint])
    point = ctx.db.scalars(select(ContactPoint).where(
        ContactPoint.channel == CHANNEL, ContactPoint.fingerprint.in_(prints))).first()
    if point is not None:
        leave(ctx, point, how="friend_never", undo_lasts=NO_UNDO)
    for request in ctx.db.scalars(select(PendingRequest).where(
            PendingRequest.channel == CHANNEL, PendingRequest.fingerprint.in_(prints))).all():
        links.close_for_request(ctx, request.id, links.Outcome.WITHDRAWN)
        pending.discard(ctx, request)
    registry.suppress(ctx, channel=CHANNEL, fingerprint=mark.fingerprint, reason=Reason.NEVER,
                      version=mark.fingerprint_version)
    code = codes.new(ctx.tokens)
    ctx.db.execute(delete(NeverCode).where(NeverCode.fingerprint.in_(prints)))
    ctx.db.add(NeverCode(
        hash=ctx.sealer.code_hashes(code)[0], channel=CHANNEL, fingerprint=mark.fingerprint,
        fingerprint_version=mark.fingerprint_version, day=ctx.clock.now().date()))
    ctx.db.flush()
    return codes.shown(code)


def take_back(ctx: Context, raw: str) -> None:
    """Lift "never" by its code; the code is used up, and nothing else is lifted.

    Raises: InvalidInput naming `code` for one that we do not know, or know no more.
    """
    hashes = ctx.sealer.code_hashes(codes.read(raw))
    known = ctx.db.scalars(delete(NeverCode).where(NeverCode.hash.in_(hashes)).returning(NeverCode)).first()
    if known is None:
        raise InvalidInput(field="code", why=codes.UNKNOWN)
    registry.lift(ctx, channel=known.channel, fingerprints=ctx.sealer.with_newer([known.fingerprint]),
                  reasons=[Reason.NEVER])
