"""Coming in: by e-mail and password, then by the second factor, or by a one-time link."""

from dataclasses import dataclass, replace

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import InvalidAddress, NotFound
from mailer.core.vault import Opener
from mailer.staff import accounts, links, passwords, sessions, tries, two_factor
from mailer.staff.models import Staff
from mailer.staff.sessions import SignedIn


@dataclass(frozen=True)
class Entry:
    """How one try ended: a session's token, or how long to wait, or neither (then it was wrong)."""

    token: str = ""
    wait: int = 0


def by_password(ctx: Context, *, email: str, password: str, network: str, user_agent: str) -> Entry:
    """Try an e-mail address and a password; the answer and the time it takes are alike for an unknown address.

    Never raises for a wrong try, since the try itself must be kept.
    """
    member, wait = _tried(ctx, email, password, network)
    return Entry(wait=wait) if member is None else Entry(_begin(ctx, member, user_agent, "password"))


def agrees(ctx: Context, *, email: str, password: str, network: str) -> int:
    """A colleague types their own password to agree to what somebody else does; their number, or 0 for a wrong try.

    Never raises for a wrong try, since the try itself must be kept.
    """
    member, _ = _tried(ctx, email, password, network)
    return member.id if member is not None else 0


def by_link(ctx: Context, token: str, *, user_agent: str) -> Entry:
    """Use up a link of `mailer staff link`. Raises: NotFound."""
    staff_id = links.use(ctx, token, "sign_in")
    member = ctx.db.get(Staff, staff_id)
    if member is None or member.state != "active":
        raise NotFound(what="staff")
    return Entry(_begin(ctx, member, user_agent, "link"))


def second_step(ctx: Context, opener: Opener, signed_in: SignedIn, code: str, *, network: str, user_agent: str
                ) -> Entry:
    """Show the code of the app, or a recovery code; a new token follows."""
    account = f"second factor {signed_in.staff_id}"
    wait = tries.wait_before(ctx, account, network)
    if wait:
        return Entry(wait=wait)
    if not two_factor.passes(ctx, opener, signed_in.staff_id, code):
        ctx.db.get_one(Staff, signed_in.staff_id).failed_tries += 1
        return Entry()
    tries.it_was_right(ctx, account, network)
    return Entry(sessions.renew(ctx, signed_in, user_agent=user_agent))


def _tried(ctx: Context, email: str, password: str, network: str) -> tuple[Staff | None, int]:
    """Whose password it is, or the wait before the next try."""
    account = _account(ctx, email)
    wait = tries.wait_before(ctx, account, network)
    if wait:
        return None, wait
    member = accounts.find(ctx, account)
    kept = member.password_hash if member is not None and member.state == "active" else None
    if not passwords.fits(kept, password) or member is None or kept is None:
        if member is not None:
            member.failed_tries += 1
        return None, 0
    if passwords.is_outdated(kept):
        member.password_hash = passwords.hashed(ctx.tokens, password)
    tries.it_was_right(ctx, account, network)
    return member, 0


def _account(ctx: Context, typed: str) -> str:
    try:
        return ctx.channels["email"].parse_address(typed).normalised.lower()
    except InvalidAddress:
        return "no address"


def _begin(ctx: Context, member: Staff, user_agent: str, how: str) -> str:
    """The session; it can do nothing but show the second factor, where the account has one."""
    token = sessions.begin(ctx, member.id, user_agent=user_agent, second_factor=False)
    trail.record(replace(ctx, actor=f"staff:{member.id}"), "signed_in", f"staff:{member.id}", how=how)
    return token
