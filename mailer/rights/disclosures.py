"""The register of disclosures: no personal data leaves without an entry, and none for a reason that policy forbids."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import insert, or_, select

from mailer.audit import alarms, trail
from mailer.context import Context
from mailer.core.errors import InvalidInput, NotFound
from mailer.policy import packs
from mailer.rights.models import DISCLOSED, Disclosure, DisclosureSubject

PAGE = 50
NEEDS_REFERENCE = frozenset({"legal_process", "government_request", "illegal_or_terms", "rights_or_safety", "fraud"})
"""Reasons that name the order, the case or where the evidence lies (promises S13 and T16)."""
NEEDS_SECOND = frozenset({"illegal_or_terms"})
"""Reasons that two people agree to (promise T16)."""


def record(ctx: Context, kind: str, *, reason: str, recipient: str, categories: Sequence[str],
           subjects: Iterable[UUID] = (), people: int | None = None, ground: str = "", by: str | None = None,
           automatic: bool = True, sealed_until: date | None = None, second: str = "", legal_reference: str = ""
           ) -> Disclosure:
    """Enter that personal data leaves: what kinds, of how many, to whom and why, never the data.

    Written in the transaction of the export itself, before it is made, so that an export whose entry cannot be
    written does not happen. `subjects` are the ledger's names. Raises: InvalidInput naming the field that the policy
    or the entry itself does not allow.
    """
    whom = list(dict.fromkeys(subjects))
    by = ctx.actor if by is None else by
    _check(ctx, kind, reason, recipient, categories, by, second, legal_reference)
    entry = Disclosure(
        at=ctx.clock.now(), kind=kind, reason=reason, recipient=recipient.strip(), categories=list(categories),
        people=len(whom) if people is None else people, ground=ground.strip(), legal_reference=legal_reference.strip(),
        by=by, second=second, automatic=automatic, sealed_until=sealed_until)
    ctx.db.add(entry)
    ctx.db.flush()
    if whom:
        ctx.db.execute(insert(DisclosureSubject), [{"disclosure_id": entry.id, "subject": each} for each in whom])
    trail.record(ctx, "disclosure", f"disclosure:{entry.id}", kind=kind, reason=reason, people=entry.people)
    alarms.exported(ctx, f"disclosure:{entry.id}", entry.people)
    return entry


def listed(ctx: Context, *, before: int | None = None, size: int = PAGE) -> list[Disclosure]:
    """The register, newest first, or what stands before an entry."""
    wanted = select(Disclosure).order_by(Disclosure.id.desc()).limit(size)
    return list(ctx.db.scalars(wanted if before is None else wanted.where(Disclosure.id < before)))


def get(ctx: Context, entry_id: int) -> Disclosure:
    """One entry. Raises: NotFound."""
    entry = ctx.db.get(Disclosure, entry_id) if 0 < entry_id < 1 << 63 else None
    if entry is None:
        raise NotFound(disclosure=entry_id)
    return entry


def about(ctx: Context, subject: UUID) -> list[Disclosure]:
    """What a person sees: disclosures about them, but those that are sealed until a later day."""
    return list(ctx.db.scalars(select(Disclosure).join(
        DisclosureSubject, DisclosureSubject.disclosure_id == Disclosure.id).where(
            DisclosureSubject.subject == subject,
            or_(Disclosure.sealed_until.is_(None), Disclosure.sealed_until <= ctx.clock.now().date())
        ).order_by(Disclosure.id)))


def _check(ctx: Context, kind: str, reason: str, recipient: str, categories: Sequence[str], by: str, second: str,
           legal_reference: str) -> None:
    """Raises: InvalidInput."""
    if kind not in DISCLOSED:
        raise InvalidInput(field="kind", why="Choose what left from the list.")
    if reason not in packs.current(ctx).disclosure_reasons:
        raise InvalidInput(field="reason", why="Your policy does not allow data to leave for this reason.")
    if not recipient.strip():
        raise InvalidInput(field="recipient", why="Say who received it.")
    if not [each for each in categories if each.strip()]:
        raise InvalidInput(field="categories", why="Choose what kinds of data left.")
    if reason in NEEDS_REFERENCE and not legal_reference.strip():
        raise InvalidInput(field="legal_reference", why="Name the order, the law or where the evidence lies.")
    if reason in NEEDS_SECOND and (not second or second == by):
        raise InvalidInput(field="second", why="This reason needs a second member of staff who agrees.")
