"""From Practice to Trial to Live, and back at one press."""

from sqlalchemy import select

from mailer.audit import trail
from mailer.audit.models import AuditEntry
from mailer.context import Context
from mailer.core.errors import CannotSend, Conflict
from mailer.core.modes import Mode
from mailer.organisation import live
from mailer.organisation import profile as organisation
from mailer.practice import box
from mailer.staff import accounts, checklist, post
from mailer.staff.roles import Role

ORDER = (Mode.PRACTICE, Mode.TRIAL, Mode.LIVE)
ASKED, CHANGED, TAKEN_BACK = "live_asked", "mode_changed", "live_not_confirmed"


def lacking(ctx: Context, to: Mode) -> list[str]:
    """What must be done before that mode, in words; empty when it may be switched on."""
    if to is Mode.PRACTICE:
        return []
    todo = [item.text for item in checklist.go_live(ctx) if not item.done and (to is Mode.LIVE or item.before_trial)]
    return todo if to is Mode.TRIAL else todo + [f"Set {what}" for what in live.lacking(ctx)]


def switch(ctx: Context, to: Mode, *, by: int) -> bool:
    """Switch the mode; False when Live now waits for the privacy officer's word.

    Raises: Conflict when the environment sets the mode; CannotSend naming what lacks.
    """
    profile = organisation.current(ctx)
    if "mode" in profile.fixed:
        raise Conflict(why="the environment sets the mode")
    if ORDER.index(to) > ORDER.index(profile.mode):
        lacks = lacking(ctx, to)
        if lacks:
            raise CannotSend(lacks=lacks)
    if to is Mode.LIVE and profile.mode is not Mode.LIVE:
        trail.record(ctx, ASKED, "organisation", by=by)
        for officer in accounts.holders(ctx, Role.PRIVACY_OFFICER):
            post.tell(ctx, officer, title="Going Live waits for you",
                      text="An Admin has asked to go Live. Sign in and confirm it on the Settings page, or leave it.")
        return False
    _set(ctx, to)
    return True


def asked_by(ctx: Context) -> int | None:
    """The Admin whose wish to go Live waits for the officer."""
    last = ctx.db.scalar(select(AuditEntry).where(AuditEntry.act.in_((ASKED, CHANGED, TAKEN_BACK))).order_by(
        AuditEntry.seq.desc()).limit(1))
    return int(last.detail["by"]) if last is not None and last.act == ASKED else None


def confirm_live(ctx: Context, *, by: int) -> None:
    """The officer's word. Raises: Conflict when nobody asked, or the same person did; CannotSend."""
    asked = asked_by(ctx)
    if asked is None or asked == by:
        raise Conflict(why="another person must ask first")
    lacks = lacking(ctx, Mode.LIVE)
    if lacks:
        raise CannotSend(lacks=lacks)
    _set(ctx, Mode.LIVE)


def decline_live(ctx: Context) -> None:
    """Take the wish to go Live back."""
    if asked_by(ctx) is not None:
        trail.record(ctx, TAKEN_BACK, "organisation")


def _set(ctx: Context, to: Mode) -> None:
    row = organisation.ensure_row(ctx)
    before, row.mode = row.mode, to
    trail.record(ctx, CHANGED, "organisation", mode=to, before=before)
    if to is Mode.LIVE:
        trail.record(ctx, "outbox_emptied", "organisation", messages=box.empty(ctx.db))
