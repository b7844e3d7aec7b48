"""Signed-in browsers: a token of 256 bits in the cookie, its hash here, two hours of rest and twelve in all."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, select, update

from mailer.context import Context
from mailer.staff.models import Staff, StaffRole, StaffSession
from mailer.staff.roles import Permission, Role, permissions

IDLE = timedelta(hours=2)
ABSOLUTE = timedelta(hours=12)
NOTED_EVERY = timedelta(minutes=1)

BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (("Android", "Android"), ("iPhone|iPad", "iOS"), ("Windows", "Windows"), ("Mac OS", "macOS"),
           ("Linux|X11", "Linux"))


@dataclass(frozen=True)
class SignedIn:
    """Who asks, in which session, and what they may do."""

    staff_id: int
    session_id: int
    roles: frozenset[Role]
    passed_second_factor: bool
    has_second_factor: bool

    @property
    def permissions(self) -> frozenset[Permission]:
        return permissions(self.roles)

    def may(self, permission: str) -> bool:
        """Whether one of the roles permits it."""
        return permission in self.permissions


def begin(ctx: Context, staff_id: int, *, user_agent: str, second_factor: bool) -> str:
    """Start a session and return its token, which is nowhere else. Which browser it is we keep coarsely, no IP."""
    token = ctx.tokens.random_bytes(32).hex()
    now = ctx.clock.now()
    ctx.db.execute(delete(StaffSession).where(
        StaffSession.staff_id == staff_id,
        (StaffSession.expires_at <= now) | (StaffSession.seen_at <= now - IDLE)))
    ctx.db.execute(update(Staff).where(Staff.id == staff_id).values(last_seen_at=now))
    ctx.db.add(StaffSession(hash=_hash(token), staff_id=staff_id, browser=browser(user_agent),
                            second_factor=second_factor, created_at=now, seen_at=now, expires_at=now + ABSOLUTE))
    ctx.db.flush()
    return token


def find(ctx: Context, token: str | None) -> SignedIn | None:
    """Who a token speaks for, when its session still lives; notes that it was seen."""
    if not token:
        return None
    now = ctx.clock.now()
    row = ctx.db.execute(select(StaffSession, Staff).join(Staff, Staff.id == StaffSession.staff_id).where(
        StaffSession.hash == _hash(token), StaffSession.expires_at > now, StaffSession.seen_at > now - IDLE,
        Staff.state == "active")).one_or_none()
    if row is None:
        return None
    session, member = row
    if now - session.seen_at >= NOTED_EVERY:
        session.seen_at = now
        member.last_seen_at = now
    roles = frozenset(Role(role) for role in ctx.db.scalars(
        select(StaffRole.role).where(StaffRole.staff_id == member.id)))
    return SignedIn(member.id, session.id, roles, session.second_factor, member.totp_confirmed)


def renew(ctx: Context, signed_in: SignedIn, *, user_agent: str) -> str:
    """A new token for somebody whose rights have just grown; the one before is worth nothing any more."""
    end(ctx, signed_in.staff_id, signed_in.session_id)
    return begin(ctx, signed_in.staff_id, user_agent=user_agent, second_factor=True)


def end(ctx: Context, staff_id: int, session_id: int) -> None:
    """Sign one browser out; only its owner's."""
    ctx.db.execute(delete(StaffSession).where(StaffSession.id == session_id, StaffSession.staff_id == staff_id))


def end_all(ctx: Context, staff_id: int, *, but: int | None = None) -> None:
    """Sign out everywhere, but for the session named."""
    ctx.db.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id, StaffSession.id != (but or 0)))


def living(ctx: Context, staff_id: int) -> list[StaffSession]:
    """The browsers signed in now, the one last used first."""
    now: datetime = ctx.clock.now()
    return list(ctx.db.scalars(select(StaffSession).where(
        StaffSession.staff_id == staff_id, StaffSession.expires_at > now, StaffSession.seen_at > now - IDLE)
        .order_by(StaffSession.seen_at.desc(), StaffSession.id.desc())))


def browser(user_agent: str) -> str:
    """A browser as its owner would name it, and no more: `Firefox on Linux`."""
    name = next((word for mark, word in BROWSERS if re.search(mark, user_agent)), "A browser")
    system = next((word for mark, word in SYSTEMS if re.search(mark, user_agent)), "")
    return f"{name} on {system}" if system else name


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
