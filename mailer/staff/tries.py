"""How often somebody may try a password or a code: a wait that grows, and that shuts nobody else out.

What is counted is the pair of account and network, and the network; so wrong tries from one place never keep the
owner of an account out from another. Counts are kept under keyed hashes alone and forgotten within 31 days.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mailer.context import Context


@dataclass(frozen=True)
class Measure:
    """`free` tries a day, then a wait of `step` seconds that doubles up to `longest`."""

    kind: str
    free: int
    step: int
    longest: int


PAIR = Measure("sign_in_pair", 5, 30, 900)
ACCOUNT = Measure("sign_in_account", 50, 1, 5)
NETWORK = Measure("sign_in_network", 30, 5, 60)

COUNT = text("""
    INSERT INTO limit_count AS kept (bucket, kind, day, n, last_at) VALUES (:bucket, :kind, :day, 1, :now)
    ON CONFLICT (bucket, kind, day) DO UPDATE SET n = kept.n + 1, last_at = :now
    WHERE kept.n < :free
       OR kept.last_at + make_interval(secs => least(:longest, :step * power(2, least(kept.n - :free, 20)))) <= :now
    RETURNING n""")
HELD = text("SELECT n, last_at FROM limit_count WHERE bucket = :bucket AND kind = :kind AND day = :day")
FORGET = text("DELETE FROM limit_count WHERE bucket = :bucket AND kind = :kind AND day = :day")
UNCOUNT = text("UPDATE limit_count SET n = n - 1 WHERE bucket = :bucket AND kind = :kind AND day = :day AND n > 0")


def wait_before(ctx: Context, account: str, network: str) -> int:
    """Count one try. Returns 0 when it may go on, else the seconds left to wait, and then nothing more is checked."""
    now = ctx.clock.now()
    for measure, bucket in _buckets(ctx, account, network):
        values = {"bucket": bucket, "kind": measure.kind, "day": now.date(), "now": now, "free": measure.free,
                  "step": measure.step, "longest": measure.longest}
        if ctx.db.scalar(COUNT, values) is None:
            return max(1, _left(ctx, measure, bucket, now))
    return 0


def it_was_right(ctx: Context, account: str, network: str) -> None:
    """The try was good: this account's count from here is forgotten, and the network's is as before."""
    day = ctx.clock.now().date()
    for measure, bucket in _buckets(ctx, account, network):
        ctx.db.execute(UNCOUNT if measure is NETWORK else FORGET,
                       {"bucket": bucket, "kind": measure.kind, "day": day})


def _left(ctx: Context, measure: Measure, bucket: bytes, now: datetime) -> int:
    row = ctx.db.execute(HELD, {"bucket": bucket, "kind": measure.kind, "day": now.date()}).one()
    wait = min(measure.longest, measure.step * 2 ** min(row.n - measure.free, 20))
    return int(wait - (now - row.last_at).total_seconds())


def _buckets(ctx: Context, account: str, network: str) -> tuple[tuple[Measure, bytes], ...]:
    return ((NETWORK, ctx.sealer.bucket("sign-in network", network)),
            (PAIR, ctx.sealer.bucket("sign-in pair", f"{account}\x00{network}")),
            (ACCOUNT, ctx.sealer.bucket("sign-in account", account)))
