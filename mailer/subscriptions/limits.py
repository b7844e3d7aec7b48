"""How often one may ask: counted under keyed hashes, forgotten after 31 days (decision 25)."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from mailer.context import Context
from mailer.core.channel import Address
from mailer.organisation import profile
from mailer.subscriptions.models import Limit

KEPT = timedelta(days=31)
MONTH = timedelta(days=30)


@dataclass(frozen=True)
class Allowance:
    """So many a day, and so many in thirty days, so far apart."""

    kind: str
    day: int
    month: int
    apart: timedelta = timedelta()


REQUESTS = Allowance("request", 2, 3)
"""One confirmation request a day and one more of it, three such mails a month for an address."""
FRESH = Allowance("fresh", 5, 150, timedelta(minutes=15))
"""One fresh or manage link in 15 minutes, five a day, for a contact point."""
STOP_NOTICES = Allowance("stop_notice", 1, 1)
"""One notice of a typed stop in 30 days (decision 22)."""


def bucket(ctx: Context, address: Address) -> bytes:
    """Where an address counts: dots and what follows a plus are left out, for limits alone.

    What was asked for in Practice counts towards nothing afterwards (decision 32).
    """
    local, _, domain = address.identity.rpartition("@")
    plain = local.partition("+")[0].replace(".", "") or local
    return ctx.sealer.bucket(f"address/{profile.current(ctx).mode}", f"{plain}@{domain}" if domain else plain)


def point_bucket(ctx: Context, contact_point_id: int) -> bytes:
    """Where notices to one address count."""
    return ctx.sealer.bucket(f"contact_point/{profile.current(ctx).mode}", str(contact_point_id))


def alone(ctx: Context, bucket: bytes) -> None:
    """Wait until nobody else is asking for this bucket; held until the end of the transaction."""
    ctx.db.execute(text("SELECT pg_advisory_xact_lock(:key)"),
                   {"key": int.from_bytes(bucket[:8], "big", signed=True)})


def left(ctx: Context, bucket: bytes, allowance: Allowance) -> bool:
    """Whether one more fits; ask under `alone`, so that it still does when it is spent."""
    now = ctx.clock.now()
    rows = ctx.db.execute(select(Limit.day, Limit.n, Limit.last_at).where(
        Limit.bucket == bucket, Limit.kind == allowance.kind, Limit.day > now.date() - MONTH)).all()
    today = sum(row.n for row in rows if row.day == now.date())
    return (today < allowance.day and sum(row.n for row in rows) < allowance.month
            and all(row.last_at + allowance.apart <= now for row in rows))


def spend(ctx: Context, bucket: bytes, kind: str) -> int:
    """Count one; how many that makes today."""
    now = ctx.clock.now()
    return ctx.db.execute(insert(Limit).values(
        bucket=bucket, kind=kind, day=now.date(), n=1, last_at=now).on_conflict_do_update(
            index_elements=["bucket", "kind", "day"], set_={"n": Limit.n + 1, "last_at": now}).returning(
                Limit.n)).scalar_one()


def forget(ctx: Context, bucket: bytes, kind: str) -> None:
    """Begin anew."""
    ctx.db.execute(delete(Limit).where(Limit.bucket == bucket, Limit.kind == kind))


def sweep(ctx: Context) -> int:
    """Delete what is older than 31 days; how many rows."""
    gone = delete(Limit).where(Limit.day < ctx.clock.now().date() - KEPT).returning(Limit.day)
    return len(ctx.db.execute(gone).all())
