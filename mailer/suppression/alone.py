"""One at a time for an address: who spends its one message, and who becomes a subscriber with it."""

from sqlalchemy import text

from mailer.context import Context


def hold(ctx: Context, fingerprint: bytes) -> None:
    """Wait until nobody else holds this address; held until the end of the transaction."""
    ctx.db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _key(fingerprint)})


def may_hold(ctx: Context, fingerprint: bytes) -> bool:
    """The same without waiting: whether it is held now."""
    return bool(ctx.db.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _key(fingerprint)}))


def _key(fingerprint: bytes) -> int:
    return int.from_bytes(fingerprint[:8], "big", signed=True)
