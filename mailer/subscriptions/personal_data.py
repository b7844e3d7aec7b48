"""What joining, leaving and changing hold of a person, for their copy and for their erasure."""

from typing import Any

from sqlalchemy import delete, or_, select, update

from mailer.audience.personal_data import opened
from mailer.context import Context
from mailer.core.personal import Whom
from mailer.core.vault import Opener
from mailer.subscriptions import fresh
from mailer.subscriptions.links import NOBODY, Outcome
from mailer.subscriptions.models import AddressChange, FreshAccess, Goodbye, SingleUseLink

COVERS = frozenset({
    *(("single_use_link", name) for name in NOBODY), ("fresh_access", "contact_point_id"),
    *(("address_change", name) for name in (
        "contact_point_id", "sealed_new", "sealed_old", "new_fingerprint", "old_fingerprint", "new_domain_hash",
        "old_domain_hash")),
    ("merged_point", "gone_id"), ("merged_point", "into_id"), ("limit_count", "bucket"),
    ("goodbye", "contact_point_id"), ("delayed_stop", "fingerprint"),
})
"""Limits are keyed hashes that end by themselves, and a stop that was typed still takes effect."""


def export(ctx: Context, opener: Opener, whom: Whom) -> dict[str, Any]:
    """Changes of address that wait or may be undone, goodbyes that may be, and pages open now.

    Raises: NotFound once erased; KeyProblem.
    """
    now = ctx.clock.now()
    changes = ctx.db.scalars(select(AddressChange).where(
        AddressChange.contact_point_id.in_(whom.point_ids)).order_by(AddressChange.id))
    goodbyes = ctx.db.scalars(select(Goodbye).where(
        Goodbye.contact_point_id.in_(whom.point_ids)).order_by(Goodbye.id))
    pages = ctx.db.scalars(select(FreshAccess).where(
        FreshAccess.contact_point_id.in_(whom.point_ids), FreshAccess.expires_at > now))
    return {
        "address_changes": [{
            "state": row.state, "asked_at": row.asked_at.isoformat(), "source": row.source,
            "until": row.expires_at.isoformat(), "new": _address(ctx, opener, whom, row.sealed_new),
            "old": _address(ctx, opener, whom, row.sealed_old)} for row in changes],
        "goodbyes": [{"at": row.at.isoformat(), "how": row.ended["how"], "undo_until": row.undo_until.isoformat(),
                      "undone": row.undone_at is not None} for row in goodbyes],
        "open_pages": [{"channel": row.channel, "until": row.expires_at.isoformat()} for row in pages],
    }


def erase(ctx: Context, whom: Whom) -> None:
    """Open pages, links and wishes end; also what others wished for with one of these addresses."""
    fresh.end_all(ctx, whom.point_ids)
    prints = ctx.sealer.with_newer(whom.fingerprints)
    theirs = select(AddressChange.id).where(or_(
        AddressChange.contact_point_id.in_(whom.point_ids), AddressChange.new_fingerprint.in_(prints),
        AddressChange.old_fingerprint.in_(prints)))
    ids = list(ctx.db.scalars(theirs))
    ctx.db.execute(update(SingleUseLink).where(
        or_(SingleUseLink.address_change_id.in_(ids), SingleUseLink.contact_point_id.in_(whom.point_ids)),
        SingleUseLink.outcome == Outcome.OPEN).values(
            outcome=Outcome.WITHDRAWN, day=ctx.clock.now().date(), **NOBODY))
    ctx.db.execute(delete(AddressChange).where(AddressChange.id.in_(ids)))
    ctx.db.execute(delete(Goodbye).where(Goodbye.contact_point_id.in_(whom.point_ids)))


def _address(ctx: Context, opener: Opener, whom: Whom, sealed: bytes | None) -> str:
    return opened(ctx, opener, whom.person_id, sealed, table="contact_point", row=whom.person_id,
                  field="address") if sealed else ""
