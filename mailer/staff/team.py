"""Inviting colleagues, and what must be told when somebody may see more than before."""

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import Conflict, NotFound
from mailer.staff import accounts, links, post, two_factor
from mailer.staff.models import Staff
from mailer.staff.roles import OPENS_ADDRESSES, Role


def invite(ctx: Context, *, email: str, roles: frozenset[Role]) -> str:
    """Invite somebody, again or for the first time; returns the address of the invitation.

    Raises: Conflict when the person works here already.
    """
    member = accounts.find(ctx, email)
    if member is None:
        member = accounts.add(ctx, email=email, name="", roles=roles, state="invited")
    elif member.state == "active":
        raise Conflict(what="staff")
    else:
        member.state = "invited"
        ctx.db.flush()
        accounts.set_roles(ctx, member.id, roles)
    return post.invite(ctx, member.id, roles)


def accept(ctx: Context, token: str, *, name: str, password: str) -> int:
    """The colleague has come: the link is used up, the account works. Raises: NotFound."""
    staff_id = links.use(ctx, token, "invitation")
    member = ctx.db.get(Staff, staff_id)
    if member is None or member.state != "invited":
        raise NotFound(what="link")
    accounts.rename(ctx, member.id, name)
    accounts.set_password(ctx, member.id, password)
    member.state = "active"
    trail.record(ctx, "joined_team", f"staff:{member.id}")
    return member.id


def change_roles(ctx: Context, staff_id: int, roles: frozenset[Role], *, by: int) -> None:
    """Give exactly these roles. Whoever gives the sight of addresses to themselves: the privacy officers are told.

    Raises: NotFound; InvalidInput for the last Admin.
    """
    given = accounts.set_roles(ctx, staff_id, roles)
    if staff_id != by or not given & OPENS_ADDRESSES:
        return
    for officer in accounts.holders(ctx, Role.PRIVACY_OFFICER):
        if officer != by:
            post.tell(ctx, officer, title="An Admin may now see people's addresses",
                      text="An Admin has given themselves a role that can look at people's addresses. "
                           "The audit log says who and when.")


def reset_second_factor(ctx: Context, staff_id: int) -> None:
    """For somebody who lost their device: they set up another at their next visit. Raises: NotFound."""
    member = ctx.db.get(Staff, staff_id)
    if member is None or member.state != "active":
        raise NotFound(what="staff")
    two_factor.switch_off(ctx, staff_id)
