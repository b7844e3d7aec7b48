"""Accounts of the people who work here: made, found, given roles, and removed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import Conflict, InvalidAddress, InvalidInput, NotFound
from mailer.core.vault import Opener, Use
from mailer.staff import passwords, sessions, two_factor
from mailer.staff.models import Staff, StaffLink, StaffRole
from mailer.staff.roles import Role

LONGEST_NAME = 80
RESERVE = text("SELECT nextval(pg_get_serial_sequence('staff', 'id'))")
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('staff_role'))")


@dataclass(frozen=True)
class Member:
    """One row of the Team screen."""

    id: int
    name: str
    email: str
    state: str
    roles: frozenset[Role]
    second_factor: bool
    email_verified: bool
    last_seen_at: datetime | None
    sessions: int


def check_name(raw: str) -> str:
    """Raises: InvalidInput naming `name`."""
    name = " ".join(raw.split())
    if not name:
        raise InvalidInput(field="name", why="Type the name your colleagues know you by.")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput(field="name", why=f"Use one line of at most {LONGEST_NAME} characters.")
    return name


def check_email(ctx: Context, raw: str) -> str:
    """The address as it is kept. Raises: InvalidInput naming `email`."""
    try:
        return ctx.channels["email"].parse_address(raw).normalised
    except InvalidAddress as error:
        raise InvalidInput(field="email", why="Type an address such as ana@example.org.") from error


def check_roles(raw: Iterable[str]) -> frozenset[Role]:
    """Raises: InvalidInput naming `roles`."""
    named = list(raw)
    if not named or any(role not in set(Role) for role in named):
        raise InvalidInput(field="roles", why="Choose at least one role.")
    return frozenset(Role(role) for role in named)


def find(ctx: Context, email: str) -> Staff | None:
    """The account of this address, whatever its state."""
    return ctx.db.scalar(select(Staff).where(
        Staff.email_fingerprint.in_(ctx.sealer.fingerprints("staff", email.lower()))))


def add(ctx: Context, *, email: str, name: str, roles: Iterable[Role], state: str = "active",
        password: str | None = None) -> Staff:
    """A new account. Raises: Conflict when the address has one already."""
    staff_id = int(ctx.db.execute(RESERVE).scalar_one())
    made: Staff | None = ctx.db.scalar(insert(Staff).values(
        id=staff_id, state=state, email_fingerprint=ctx.sealer.fingerprint("staff", email.lower()),
        sealed_email=_seal(ctx, staff_id, "email", email), sealed_name=_seal(ctx, staff_id, "name", name),
        password_hash=passwords.hashed(ctx.tokens, password) if password else None, totp_confirmed=False,
        totp_last_step=0, email_verified=False, created_at=ctx.clock.now(), failed_tries=0,
    ).on_conflict_do_nothing(index_elements=["email_fingerprint"]).returning(Staff))
    if made is None:
        raise Conflict(what="staff")
    ctx.db.add_all(StaffRole(staff_id=staff_id, role=role) for role in sorted(set(roles)))
    ctx.db.flush()
    trail.record(ctx, "account_made", f"staff:{staff_id}", roles=sorted(set(roles)), state=state)
    return made


def rename(ctx: Context, staff_id: int, name: str) -> None:
    """Change the name shown to colleagues."""
    ctx.db.execute(update(Staff).where(Staff.id == staff_id).values(sealed_name=_seal(ctx, staff_id, "name", name)))


def set_password(ctx: Context, staff_id: int, password: str) -> None:
    """Keep a new password, checked before; who else is signed in as this person is signed out by the caller."""
    ctx.db.execute(update(Staff).where(Staff.id == staff_id).values(
        password_hash=passwords.hashed(ctx.tokens, password)))
    trail.record(ctx, "password_changed", f"staff:{staff_id}")


def roles_of(ctx: Context, staff_id: int) -> frozenset[Role]:
    """The roles somebody holds."""
    return frozenset(Role(role) for role in ctx.db.scalars(
        select(StaffRole.role).where(StaffRole.staff_id == staff_id)))


def set_roles(ctx: Context, staff_id: int, roles: frozenset[Role]) -> frozenset[Role]:
    """Give exactly these roles and return those that are new.

    Raises: NotFound; InvalidInput naming `roles` when nobody would be Admin any more.
    """
    ctx.db.execute(ONE_AT_A_TIME)
    member = _present(ctx, staff_id)
    held = roles_of(ctx, staff_id)
    if Role.ADMIN in held - roles:
        _refuse_last_admin(ctx, staff_id, "roles")
    ctx.db.execute(delete(StaffRole).where(StaffRole.staff_id == staff_id, StaffRole.role.in_(held - roles)))
    ctx.db.add_all(StaffRole(staff_id=staff_id, role=role) for role in sorted(roles - held))
    ctx.db.flush()
    if roles != held:
        trail.record(ctx, "roles_changed", f"staff:{member.id}", given=sorted(roles - held), taken=sorted(held - roles))
    return roles - held


def remove(ctx: Context, staff_id: int) -> None:
    """End an account: its sessions, links, password and second factor go at once (OWASP ASVS 7.4.2).

    Raises: NotFound; InvalidInput naming `remove` for the last Admin.
    """
    ctx.db.execute(ONE_AT_A_TIME)
    member = _present(ctx, staff_id)
    _refuse_last_admin(ctx, staff_id, "remove")
    sessions.end_all(ctx, staff_id)
    two_factor.switch_off(ctx, staff_id)
    ctx.db.execute(delete(StaffLink).where(StaffLink.staff_id == staff_id))
    ctx.db.execute(delete(StaffRole).where(StaffRole.staff_id == staff_id))
    member.state, member.password_hash, member.email_verified = "removed", None, False
    ctx.db.flush()
    trail.record(ctx, "account_removed", f"staff:{staff_id}")


def name_of(opener: Opener, member: Staff) -> str:
    """The name as colleagues see it; empty for somebody invited who has not come yet."""
    return _open(opener, member.id, "name", member.sealed_name)


def email_of(opener: Opener, member: Staff) -> str:
    """The address, for the person and for Admins."""
    return _open(opener, member.id, "email", member.sealed_email)


def team(ctx: Context, opener: Opener) -> list[Member]:
    """Everybody who works here or is invited, in the order they came."""
    return [_shown(ctx, opener, each) for each in ctx.db.scalars(
        select(Staff).where(Staff.state != "removed").order_by(Staff.id))]


def look(ctx: Context, opener: Opener, staff_id: int) -> Member:
    """One of them. Raises: NotFound."""
    return _shown(ctx, opener, _present(ctx, staff_id))


def holders(ctx: Context, role: Role) -> list[int]:
    """Those at work who hold the role."""
    return list(ctx.db.scalars(select(Staff.id).join(StaffRole, StaffRole.staff_id == Staff.id).where(
        Staff.state == "active", StaffRole.role == role).order_by(Staff.id)))


def _shown(ctx: Context, opener: Opener, each: Staff) -> Member:
    return Member(each.id, name_of(opener, each), email_of(opener, each), each.state, roles_of(ctx, each.id),
                  each.totp_confirmed, each.email_verified, each.last_seen_at, len(sessions.living(ctx, each.id)))


def _refuse_last_admin(ctx: Context, staff_id: int, field: str) -> None:
    if holders(ctx, Role.ADMIN) == [staff_id]:
        raise InvalidInput(field=field, why="This is the last Admin. Make somebody else Admin first.")


def _present(ctx: Context, staff_id: int) -> Staff:
    member = ctx.db.get(Staff, staff_id)
    if member is None or member.state == "removed":
        raise NotFound(what="staff")
    return member


def _seal(ctx: Context, staff_id: int, field: str, value: str) -> bytes:
    return ctx.sealer.seal_shared(Use.STAFF, value.encode(), table="staff", row=staff_id, field=field)


def _open(opener: Opener, staff_id: int, field: str, sealed: bytes) -> str:
    return opener.open_shared(Use.STAFF, sealed, table="staff", row=staff_id, field=field).decode()
