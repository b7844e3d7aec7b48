"""Reading an address and finding whose it is, without opening anything."""

from sqlalchemy import select

from mailer.audience.models import ContactPoint
from mailer.context import Context
from mailer.core.channel import Address
from mailer.core.errors import UnknownChannel


def parse(ctx: Context, channel: str, raw: str) -> Address:
    """What a person typed, as an address of that channel. Raises: UnknownChannel, InvalidAddress."""
    if channel not in ctx.channels:
        raise UnknownChannel(channel=channel)
    return ctx.channels[channel].parse_address(raw)


def fingerprint(ctx: Context, channel: str, address: Address) -> bytes:
    """The newest keyed fingerprint of an address: 32 octets."""
    return ctx.sealer.fingerprint(channel, address.identity)


def find(ctx: Context, channel: str, address: Address) -> ContactPoint | None:
    """Whose address this is, found under every version of its fingerprint (decision 17)."""
    versions = ctx.sealer.fingerprints(channel, address.identity)
    return ctx.db.scalars(select(ContactPoint).where(
        ContactPoint.channel == channel, ContactPoint.fingerprint.in_(versions)).limit(1)).first()
