"""Writing the audit trail."""

from typing import Any

from mailer.audit.models import AuditEntry
from mailer.context import Context


def record(ctx: Context, act: str, about: str = "", **detail: Any) -> None:
    """Note that ctx.actor did `act` (a verb in snake case) to `about` (`campaign:12`); details: ids and codes only."""
    ctx.db.add(AuditEntry(at=ctx.clock.now(), actor=ctx.actor, act=act, about=about, detail=detail))
