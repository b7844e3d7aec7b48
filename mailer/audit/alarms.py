"""What the privacy officer is told of when it happens: looks and exports that concern many people (promise M24)."""

from mailer.audit import trail
from mailer.context import Context

MANY = 100
"""People in one export from which on it is told; no day's ordinary work hands out so many."""

BULK_EXPORT, REVEALS_USED_UP = "bulk_export", "reveals_used_up"


def exported(ctx: Context, about: str, people: int | None) -> None:
    """Tell when an export concerns many people; an export whose size is not known counts as one that does."""
    if people is None or people >= MANY:
        trail.record(ctx, BULK_EXPORT, about, people=people if people is not None else "unknown")
