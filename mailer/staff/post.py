"""Mail to the people who work here: invitations, a proof of their mailbox, and news that they must not miss."""

from base64 import b32encode
from datetime import date, timedelta
from hmac import compare_digest

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.core.messages import MessageClass
from mailer.core.modes import Mode
from mailer.organisation import profile as organisation
from mailer.outbox import singles
from mailer.staff import links, tries
from mailer.staff.models import Staff
from mailer.staff.roles import Role, in_words

CHANNEL = "email"
A_DAY = timedelta(days=1)


def invite(ctx: Context, staff_id: int, roles: frozenset[Role]) -> str:
    """Send an invitation that lives seven days; returns its address, for the Admin to hand over as well."""
    profile = organisation.current(ctx)
    token = links.issue(ctx, "invitation", staff_id)
    address = f"{profile.public_url}/staff/invitation/{token}"
    singles.enqueue(
        ctx, MessageClass.STAFF_INVITATION, subject=f"staff:{staff_id}", occasion=_occasion(ctx), channel=CHANNEL,
        staff_id=staff_id, detail={"link": address, "roles": in_words(roles)},
        not_after=ctx.clock.now() + links.LIVES["invitation"])
    trail.record(ctx, "invited", f"staff:{staff_id}", roles=sorted(roles))
    return address


def tell(ctx: Context, staff_id: int, *, title: str, text: str) -> None:
    """Tell a colleague something by mail; the words hold no person's data."""
    singles.enqueue(ctx, MessageClass.STAFF, subject=f"staff:{staff_id}", occasion=_occasion(ctx), channel=CHANNEL,
                    staff_id=staff_id, detail={"title": title, "text": text}, not_after=ctx.clock.now() + A_DAY)


def send_test(ctx: Context, staff_id: int) -> None:
    """A message with a code; typing the code proves the mail server and this mailbox. Raises: InvalidInput."""
    if organisation.current(ctx).mode is Mode.PRACTICE:
        raise InvalidInput(field="mailbox_code", why="In Practice nothing leaves this computer. Switch to Trial first.")
    code = _code(ctx, ctx.db.get_one(Staff, staff_id), ctx.clock.now().date())
    tell(ctx, staff_id, title="A test message", text=f"This message has left and arrived. Your code is {code}.")
    trail.record(ctx, "test_message_asked", f"staff:{staff_id}")


def prove(ctx: Context, staff_id: int, typed: str) -> str:
    """Take the code of a test message: the mailbox counts as the team's from now on. Returns what is wrong, or nothing.

    Never raises for a wrong code, since the try itself must be kept.
    """
    if organisation.current(ctx).mode is Mode.PRACTICE:
        return "In Practice nothing leaves this computer. Switch to Trial first."
    if tries.wait_before(ctx, f"mailbox {staff_id}", ""):
        return "Too many tries. Wait a minute, then try again."
    member = ctx.db.get_one(Staff, staff_id)
    today = ctx.clock.now().date()
    given = links.plain(typed).encode()
    if not any(compare_digest(links.plain(_code(ctx, member, day)).encode(), given) for day in (today, today - A_DAY)):
        return "This code does not fit. Type the one of the newest test message."
    tries.it_was_right(ctx, f"mailbox {staff_id}", "")
    member.email_verified = True
    organisation.ensure_row(ctx).last_test_at = ctx.clock.now()
    trail.record(ctx, "mailbox_proven", f"staff:{staff_id}")
    return ""


def _code(ctx: Context, member: Staff, day: date) -> str:
    mark = ctx.sealer.bucket("staff mailbox", f"{member.id}\x00{member.email_fingerprint.hex()}\x00{day}")
    code = b32encode(mark[:5]).decode().translate(links.TO_CROCKFORD)
    return f"{code[:4]}-{code[4:]}"


def _occasion(ctx: Context) -> str:
    return ctx.tokens.new_id().hex
