"""The second factor: codes from an app (TOTP, RFC 6238) and ten recovery codes."""

import hmac
import io
from base64 import b32encode

import pyotp
import segno
from sqlalchemy import delete, func, select, update

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import InvalidInput, NotFound
from mailer.core.vault import Opener, Use
from mailer.staff import links
from mailer.staff.models import RecoveryCode, Staff

STEP_SECONDS = 30
DRIFT = (0, -1, 1)
"""Steps that are taken beside the present one: clocks differ (RFC 6238 §5.2)."""
RECOVERY_CODES = 10
WRONG = "This code does not fit. Codes change every 30 seconds; each works once."


def prepare(ctx: Context, staff_id: int) -> None:
    """Make a fresh secret; it counts for nothing until `confirm`."""
    member = ctx.db.get_one(Staff, staff_id)
    if member.totp_confirmed:
        return
    secret = ctx.tokens.random_bytes(20)
    member.sealed_totp = ctx.sealer.seal_shared(Use.STAFF, secret, table="staff", row=staff_id, field="totp")
    member.totp_last_step = 0


def secret_of(opener: Opener, member: Staff) -> str:
    """The secret as an app takes it. Raises: NotFound when none was prepared, or when it is in use already."""
    if member.sealed_totp is None or member.totp_confirmed:
        raise NotFound(what="second_factor")
    return _secret(opener, member)


def picture(opener: Opener, member: Staff, *, account: str, organisation: str) -> bytes:
    """The secret as a QR code, an SVG document of its own."""
    uri = pyotp.TOTP(secret_of(opener, member)).provisioning_uri(name=account, issuer_name=organisation)
    drawn = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(drawn, kind="svg", scale=5, border=4, dark="#000", light="#fff")
    return drawn.getvalue()


def confirm(ctx: Context, opener: Opener, staff_id: int, code: str) -> list[str]:
    """Switch the second factor on, since the app shows the right code. Returns the recovery codes, shown once.

    Raises: InvalidInput naming the field `code`; NotFound when nothing was prepared.
    """
    member = ctx.db.get_one(Staff, staff_id)
    secret_of(opener, member)
    if not _takes(ctx, opener, member, code):
        raise InvalidInput(field="code", why=WRONG)
    member.totp_confirmed = True
    trail.record(ctx, "second_factor_on", f"staff:{staff_id}")
    return new_codes(ctx, staff_id)


def new_codes(ctx: Context, staff_id: int) -> list[str]:
    """Ten new recovery codes in place of those before; kept as keyed hashes."""
    ctx.db.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    codes = [links.readable(ctx, 10) for _ in range(RECOVERY_CODES)]
    ctx.db.add_all(RecoveryCode(staff_id=staff_id, hash=_code_hash(ctx, staff_id, code)) for code in codes)
    trail.record(ctx, "recovery_codes_made", f"staff:{staff_id}")
    return codes


def passes(ctx: Context, opener: Opener, staff_id: int, code: str) -> bool:
    """Whether a code of the app, or a recovery code, fits; either works once."""
    member = ctx.db.get_one(Staff, staff_id)
    if member.totp_confirmed and _takes(ctx, opener, member, code):
        return True
    spent = ctx.db.scalar(update(RecoveryCode).where(
        RecoveryCode.staff_id == staff_id, RecoveryCode.hash == _code_hash(ctx, staff_id, code),
        RecoveryCode.used_at.is_(None)).values(used_at=ctx.clock.now()).returning(RecoveryCode.staff_id))
    if spent is not None:
        trail.record(ctx, "recovery_code_used", f"staff:{staff_id}")
    return spent is not None


def switch_off(ctx: Context, staff_id: int) -> None:
    """Forget secret and recovery codes: to set up another device, or because an Admin resets it."""
    ctx.db.execute(update(Staff).where(Staff.id == staff_id).values(sealed_totp=None, totp_confirmed=False))
    ctx.db.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    trail.record(ctx, "second_factor_off", f"staff:{staff_id}")


def codes_left(ctx: Context, staff_id: int) -> int:
    """How many recovery codes are unused."""
    return ctx.db.scalar(select(func.count()).select_from(RecoveryCode).where(
        RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None))) or 0


def without_it(ctx: Context) -> list[int]:
    """Those who work here and have no second factor yet: Practice cannot be left before they do."""
    return list(ctx.db.scalars(select(Staff.id).where(
        Staff.state == "active", Staff.totp_confirmed.is_(False)).order_by(Staff.id)))


def _takes(ctx: Context, opener: Opener, member: Staff, code: str) -> bool:
    """A step is taken at most once, also by two requests at a time: the row decides."""
    given = "".join(code.split()).encode()
    app = pyotp.TOTP(_secret(opener, member))
    present = int(ctx.clock.now().timestamp()) // STEP_SECONDS
    for step in (present + each for each in DRIFT):
        if hmac.compare_digest(app.generate_otp(step).encode(), given):
            return ctx.db.scalar(update(Staff).where(Staff.id == member.id, Staff.totp_last_step < step)
                                 .values(totp_last_step=step).returning(Staff.id)) is not None
    return False


def _secret(opener: Opener, member: Staff) -> str:
    sealed = member.sealed_totp
    if sealed is None:
        raise NotFound(what="second_factor")
    return b32encode(opener.open_shared(Use.STAFF, sealed, table="staff", row=member.id, field="totp")).decode()


def _code_hash(ctx: Context, staff_id: int, code: str) -> bytes:
    return ctx.sealer.bucket("recovery code", f"{staff_id}\x00{links.plain(code)}")
