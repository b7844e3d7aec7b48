"""What the team's tables hold: of the team itself, and of whose address a colleague looked at."""

from typing import Any

from sqlalchemy import select, update

from mailer.audit.models import AuditEntry
from mailer.context import Context
from mailer.core.personal import Whom
from mailer.staff.models import Reveal, StaffRole
from mailer.staff.roles import Role, in_words

COVERS = frozenset({
    ("staff", "email_fingerprint"), ("staff", "sealed_email"), ("staff", "sealed_name"), ("staff", "password_hash"),
    ("staff", "sealed_totp"), ("reveal", "contact_point_id"),
})


def export(ctx: Context, whom: Whom) -> list[dict[str, Any]]:
    """What the team did on their page, by role; people of the team are not named."""
    about = [f"contact_point:{point_id}" for point_id in whom.point_ids]
    entries = ctx.db.scalars(select(AuditEntry).where(AuditEntry.about.in_(about)).order_by(AuditEntry.seq))
    return [{"at": entry.at.isoformat(), "act": entry.act, "by": _roles(ctx, entry.actor),
             "reason": str(entry.detail.get("reason", ""))} for entry in entries]


def _roles(ctx: Context, actor: str) -> str:
    kind, _, number = actor.partition(":")
    if kind != "staff" or not number.isdigit():
        return actor
    held = ctx.db.scalars(select(StaffRole.role).where(StaffRole.staff_id == int(number)))
    return in_words([Role(role) for role in held]) or "a member of our team"


def erase(ctx: Context, whom: Whom) -> None:
    """Looks stay counted and lead to nobody."""
    ctx.db.execute(update(Reveal).where(Reveal.contact_point_id.in_(whom.point_ids)).values(contact_point_id=0))
