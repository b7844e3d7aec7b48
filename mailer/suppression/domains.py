"""Mail domains that nobody is written to, by the organisation's own rule; taking a rule back ends nobody's consent."""

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from mailer.audience import contact_points
from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import InvalidAddress, InvalidInput
from mailer.suppression.models import DomainRule

CHANNEL = "email"
SOMEBODY = "somebody"
"""The local part under which a domain is read as an address, so that both are read alike."""


def add(ctx: Context, name: str) -> DomainRule:
    """Write to nobody at this domain from now on, its subdomains apart; a second rule for it is the first.

    Raises: InvalidInput naming `domain`.
    """
    found = read(ctx, name)
    hash = ctx.sealer.domain_hash(found)
    new = ctx.db.execute(insert(DomainRule).values(
        domain_hash=hash, name=found, day=ctx.clock.now().date(), by=ctx.actor).on_conflict_do_nothing().returning(
            DomainRule.domain_hash)).first()
    if new is not None:
        trail.record(ctx, "domain_rule_added", "stop_list", domain=found)
    return ctx.db.get_one(DomainRule, hash)


def remove(ctx: Context, name: str) -> bool:
    """Take a rule back; whether there was one. Raises: InvalidInput naming `domain`."""
    found = read(ctx, name)
    gone = ctx.db.execute(delete(DomainRule).where(
        DomainRule.domain_hash == ctx.sealer.domain_hash(found)).returning(DomainRule.domain_hash)).first()
    if gone is not None:
        trail.record(ctx, "domain_rule_removed", "stop_list", domain=found)
    return gone is not None


def listed(ctx: Context) -> list[DomainRule]:
    """Every rule, by name."""
    return list(ctx.db.scalars(select(DomainRule).order_by(DomainRule.name)))


def covers(ctx: Context, domain: str) -> bool:
    """Whether a rule holds for the domain of an address."""
    return ctx.db.get(DomainRule, ctx.sealer.domain_hash(domain)) is not None


def read(ctx: Context, name: str) -> str:
    """The domain as addresses carry it (A-labels, lower case). Raises: InvalidInput naming `domain`."""
    typed = name.strip().removeprefix("@").removesuffix(".")
    try:
        return contact_points.parse(ctx, CHANNEL, f"{SOMEBODY}@{typed}").domain
    except InvalidAddress as error:
        raise InvalidInput(field="domain", why="Type a domain, such as example.org") from error
