"""The first account and what must stand beside it, from the one-time link."""

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.organisation import profile as organisation
from mailer.organisation import senders
from mailer.policy import notices, starter
from mailer.staff import accounts, links
from mailer.staff.roles import FIRST_ACCOUNT

NEWS = "news"


def open_house(ctx: Context, code: str, *, organisation_name: str, name: str, email: str, password: str) -> int:
    """Make the first account from the start link, with organisation, sender and starter notice; returns its id.

    Raises: NotFound when the link was used, is unknown, or there is an Admin already; Conflict for an address that
    has an account.
    """
    ctx.db.execute(accounts.ONE_AT_A_TIME)
    if links.has_admin(ctx):
        raise NotFound(what="link")
    links.use(ctx, code, "start")
    organisation.ensure_instance(ctx)
    row = organisation.ensure_row(ctx)
    row.name = organisation_name
    ctx.db.flush()
    member = accounts.add(ctx, email=email, name=name, roles=FIRST_ACCOUNT, password=password)
    if senders.default(ctx) is None:
        senders.add(ctx, name=organisation_name, address=f"{NEWS}@{email.rpartition('@')[2]}")
    if notices.in_force(ctx) is None:
        brand = organisation.brand(organisation.current(ctx), starter.VERSION)
        notices.publish(ctx, starter.VERSION, starter.text(brand), ctx.clock.now(), starter=True)
    trail.record(ctx, "first_run", "instance")
    return member.id
