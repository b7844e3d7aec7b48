"""One-time links for staff: the start link, an invitation, and a way in from the command line."""

from base64 import b32encode
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import delete, exists, select, update

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.staff.models import Staff, StaffLink, StaffRole
from mailer.staff.roles import Role

LIVES = {"start": timedelta(days=30), "invitation": timedelta(days=7), "sign_in": timedelta(minutes=15)}
START_BYTES = 10
"""80 bits: sixteen letters and digits that can be read from a terminal and typed."""

RFC4648, CROCKFORD = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TO_CROCKFORD = str.maketrans(RFC4648, CROCKFORD)
MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def has_admin(ctx: Context) -> bool:
    """Whether anybody who works here is Admin: then there is no start link any more."""
    return bool(ctx.db.scalar(select(exists().where(
        Staff.id == StaffRole.staff_id, Staff.state == "active", StaffRole.role == Role.ADMIN))))


def issue_start(ctx: Context) -> str | None:
    """The code of a new start link, such as `4H7K-92QD-0WMX-71TB`, which replaces the last; None with an Admin."""
    if has_admin(ctx):
        return None
    ctx.db.execute(delete(StaffLink).where(StaffLink.purpose == "start"))
    code = readable(ctx, START_BYTES)
    _keep(ctx, code, "start", None)
    return code


def issue(ctx: Context, purpose: str, staff_id: int) -> str:
    """A new `invitation` or `sign_in` link's token; earlier open ones of that purpose and person end."""
    ctx.db.execute(delete(StaffLink).where(
        StaffLink.purpose == purpose, StaffLink.staff_id == staff_id, StaffLink.used_at.is_(None)))
    token = b32encode(ctx.tokens.random_bytes(16)).decode().rstrip("=").lower()
    _keep(ctx, token, purpose, staff_id)
    return token


def look(ctx: Context, token: str, purpose: str) -> StaffLink:
    """The link, when it can still be used; changes nothing. Raises: NotFound."""
    link = ctx.db.scalar(select(StaffLink).where(
        StaffLink.hash == _hash(token), StaffLink.purpose == purpose, StaffLink.used_at.is_(None),
        StaffLink.expires_at > ctx.clock.now()))
    if link is None:
        raise NotFound(what="link")
    return link


def use(ctx: Context, token: str, purpose: str) -> int | None:
    """Use the link up and return whose it is (nobody's for the start link). Raises: NotFound the second time."""
    now = ctx.clock.now()
    used = ctx.db.execute(update(StaffLink).where(
        StaffLink.hash == _hash(token), StaffLink.purpose == purpose, StaffLink.used_at.is_(None),
        StaffLink.expires_at > now).values(used_at=now).returning(StaffLink.staff_id)).one_or_none()
    if used is None:
        raise NotFound(what="link")
    trail.record(ctx, "link_used", f"staff:{used.staff_id}" if used.staff_id else "instance", purpose=purpose)
    owner: int | None = used.staff_id
    return owner


def readable(ctx: Context, size: int) -> str:
    """`size` random octets (a multiple of five) in groups of four, in the letters of Crockford's base 32."""
    code = b32encode(ctx.tokens.random_bytes(size)).decode().translate(TO_CROCKFORD)
    return "-".join(code[at:at + 4] for at in range(0, len(code), 4))


def plain(code: str) -> str:
    """A code that was typed, as it was printed but for its hyphens: O is 0, I and L are 1."""
    return code.upper().translate(MISREAD)


def _keep(ctx: Context, token: str, purpose: str, staff_id: int | None) -> None:
    ctx.db.add(StaffLink(hash=_hash(token), purpose=purpose, staff_id=staff_id,
                         expires_at=ctx.clock.now() + LIVES[purpose]))
    ctx.db.flush()


def _hash(token: str) -> bytes:
    return sha256(plain(token).encode()).digest()
