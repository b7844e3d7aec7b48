"""Whether sending is allowed at all, asked before anything is claimed."""

from mailer.context import Context
from mailer.core.errors import BehindExits, CannotSend
from mailer.core.modes import Mode
from mailer.exits import fence
from mailer.organisation import key_state, live
from mailer.organisation import profile as organisation
from mailer.outbox.seat import Seat

BEGIN_WITHIN = 0.8
"""Seconds after the reading taken before a slice's transaction within which a hand-over may begin (decision 7)."""


def may_send(seat: Seat, ctx: Context, channel: str) -> Mode:
    """The mode in force, in which a way out stands open. Raises: BehindExits, CannotSend."""
    services = seat.services
    state = fence.check(ctx.db.connection(), services.settings.data_dir / "exits", services.exits_log.host)
    if state.refuses:
        raise BehindExits(behind=state.behind, missing_hosts=len(state.missing_hosts))
    if wrong := key_state.misfit(ctx):
        raise CannotSend(lacks=wrong)
    mode = organisation.current(ctx).mode
    if mode is Mode.LIVE and (lacks := live.lacking(ctx)):
        raise CannotSend(lacks=",".join(lacks))
    # Opened before anything is claimed: a row that no way stands open for is not decided over and over.
    seat.ways.out(channel, mode)
    services.mail_signers.ready()
    return mode
