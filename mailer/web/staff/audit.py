"""The audit log: who did what, when; the whole of it for the privacy officer and the Auditor."""

from dataclasses import dataclass
from datetime import datetime

from flask import g, request
from sqlalchemy import ColumnElement, or_, select
from werkzeug.wrappers import Response

from mailer.audit.models import AuditEntry
from mailer.context import Context
from mailer.staff import accounts
from mailer.staff.models import Staff
from mailer.staff.roles import Permission
from mailer.web.numbers import place
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, opener, unit

audit = blueprint("staff_audit", "/staff/audit")

A_PAGE = 100
SYSTEM = ("system", "operator", "first run")
SYSTEM_ABOUT = ("organisation%", "sender:%", "staff:%", "instance%", "notice:%")


@dataclass(frozen=True)
class Line:
    """One entry as it is shown; details hold ids and codes only."""

    at: datetime
    who: str
    act: str
    about: str
    detail: str


@audit.get("")
@staff_only("audit")
def page() -> Response:
    """The newest entries, or those before a number."""
    before = place(request.args, "before")
    query = select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(A_PAGE + 1)
    if before:
        query = query.where(AuditEntry.seq < before)
    if not here().may(Permission.AUDIT_ALL):
        query = query.where(_system())
    with unit() as ctx:
        entries = list(ctx.db.scalars(query))
        names: dict[str, str] = {}
        lines = [_line(ctx, entry, names) for entry in entries[:A_PAGE]]
    older = entries[A_PAGE - 1].seq if len(entries) > A_PAGE else None
    return staff_page("staff/audit.html", lines=lines, older=older, everything=here().may(Permission.AUDIT_ALL))


def _system() -> ColumnElement[bool]:
    """What an Admin sees: settings, team and machine, and their own acts."""
    return or_(AuditEntry.actor.in_(SYSTEM), AuditEntry.actor == g.actor,
               *(AuditEntry.about.like(pattern) for pattern in SYSTEM_ABOUT))


def _line(ctx: Context, entry: AuditEntry, names: dict[str, str]) -> Line:
    detail = ", ".join(f"{key}: {_plain(value)}" for key, value in sorted(entry.detail.items()) if value != "")
    return Line(entry.at, _who(ctx, entry.actor, names), entry.act.replace("_", " "), entry.about, detail)


def _who(ctx: Context, actor: str, names: dict[str, str]) -> str:
    if actor not in names:
        kind, _, number = actor.partition(":")
        member = ctx.db.get(Staff, int(number)) if kind == "staff" and number.isdigit() else None
        names[actor] = (accounts.name_of(opener(), member) or actor) if member else actor
    return names[actor]


def _plain(value: object) -> str:
    return " ".join(str(each) for each in value) if isinstance(value, list) else str(value)
