"""A new e-mail address: its mailbox confirms it before it replaces the old one, which is told and can undo for 7 days.

The contact point stays the same, so links in earlier messages go on working (promise M11).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update

from mailer.audience import contact_points
from mailer.audience.models import ContactPoint
from mailer.consent import ledger
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.core.links import Link
from mailer.core.messages import MessageClass
from mailer.core.reasons import Reason
from mailer.core.vault import Opener
from mailer.organisation import profile
from mailer.outbox import singles
from mailer.subscriptions import fresh, limits, links, move, words
from mailer.subscriptions.claims import PICKED_UP
from mailer.subscriptions.confirm import NOT_ME_LASTS
from mailer.subscriptions.links import NOBODY, Outcome, Purpose
from mailer.subscriptions.models import AddressChange, SingleUseLink
from mailer.suppression import alone, registry
from mailer.suppression.models import DomainRule

UNDO_LASTS = timedelta(days=7)
NOT_CONFIRMED = frozenset({Reason.NEVER, Reason.CHILD, Reason.LAW, Reason.COMPLAINED, Reason.NOT_ME})
"""Stops that let no confirmation through: nothing pressed at that mailbox counts while they hold."""
NOT_UNDONE = frozenset({Reason.NEVER, Reason.CHILD, Reason.LAW, Reason.NOT_ME, Reason.FRIEND_ONLY, Reason.ERASED})
"""Stops under which an address is not gone back to: its owner would have to ask anew."""


class State(StrEnum):
    """How it stands with a change."""

    ASKED = "asked"
    DONE = "done"
    UNDONE = "undone"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Answer:
    """How it stands with a confirm link. `barred` says that the stop list forbids it, `waits_until` that the address
    has come to somebody else so lately that they may still undo that."""

    outcome: Outcome
    day: date
    barred: bool = False
    waits_until: datetime | None = None


@dataclass(frozen=True)
class Undo:
    """How it stands with an undo link: `open_until` while a press would act, `undone_at` once one has."""

    open_until: datetime | None = None
    undone_at: datetime | None = None
    barred: bool = False


def ask(ctx: Context, point: ContactPoint, raw: str, *, source: str) -> None:
    """Mail a link to the new mailbox; until it is pressed nothing changes. The newest wish replaces earlier ones.

    Whoever asks learns nothing of the new address: within its limits a mail goes out if the stop list lets it.
    Raises: InvalidAddress; InvalidInput where it is the address we have; NotFound once erased.
    """
    address = contact_points.parse(ctx, point.channel, raw)
    prints = ctx.sealer.fingerprints(point.channel, address.identity)
    if point.fingerprint in prints:
        raise InvalidInput(field="email", why="same")
    key = ledger.holder_of(ctx, point).key
    bucket = limits.bucket(ctx, address)
    limits.alone(ctx, bucket)
    withdraw(ctx, point.id)
    now, version = ctx.clock.now(), max(point.fingerprint_version, ctx.sealer.fingerprint_version)
    change = AddressChange(
        contact_point_id=point.id, state=State.ASKED, mode=profile.current(ctx).mode, source=source,
        sealed_new=key.seal(address.normalised, table="contact_point", row=point.person_id, field="address"),
        new_fingerprint=ctx.sealer.layer_up(ctx.sealer.fingerprint(point.channel, address.identity),
                                            ctx.sealer.fingerprint_version, version),
        old_fingerprint=ctx.sealer.layer_up(point.fingerprint, point.fingerprint_version, version),
        fingerprint_version=version, new_domain_hash=ctx.sealer.domain_hash(address.domain),
        old_domain_hash=point.domain_hash, asked_at=now, expires_at=now + links.LASTS[Purpose.ADDRESS])
    ctx.db.add(change)
    ctx.db.flush()
    if limits.left(ctx, bucket, limits.REQUESTS) and not _ruled_out(ctx, change):
        _mail_confirmation(ctx, point, change, bucket)


def look(ctx: Context, raw: str) -> Answer:
    """What pressing would do; changes nothing. Raises: BadToken."""
    found = links.look(ctx, Purpose.ADDRESS, raw)
    change = ctx.db.get(AddressChange, found.address_change_id) if found.address_change_id else None
    return _answer(ctx, found, change)


def confirm(ctx: Context, opener: Opener, raw: str) -> Answer:
    """Replace the old address and tell it; an answer that is not plainly OPEN changed nothing.

    Raises: BadToken; KeyProblem.
    """
    found, change = _take(ctx, raw)
    answer = _answer(ctx, found, change)
    if answer.outcome is not Outcome.OPEN or answer.barred or answer.waits_until or change is None:
        return answer
    point = ctx.db.get_one(ContactPoint, change.contact_point_id)
    links.use_up(ctx, found)
    _close_links(ctx, point.id, Outcome.WITHDRAWN)
    _note_old(ctx, change, point)
    # Nobody may spend this address as a friend's while it becomes a subscriber's.
    alone.hold(ctx, change.new_fingerprint)
    new = move.Place(change.sealed_new or b"", change.new_fingerprint, change.fingerprint_version,
                     change.new_domain_hash)
    now = ctx.clock.now()
    move.move(ctx, opener, point, new, source=change.source, lifts=move.PROVEN)
    change.state, change.done_at, change.expires_at, change.sealed_new = State.DONE, now, now + UNDO_LASTS, None
    ctx.db.flush()
    _tell_old(ctx, point, change)
    return answer


def _note_old(ctx: Context, change: AddressChange, point: ContactPoint) -> None:
    """What to go back to; both fingerprints of a change are of one version, whatever rotates meanwhile."""
    version = max(change.fingerprint_version, point.fingerprint_version)
    change.new_fingerprint = ctx.sealer.layer_up(change.new_fingerprint, change.fingerprint_version, version)
    change.old_fingerprint = ctx.sealer.layer_up(point.fingerprint, point.fingerprint_version, version)
    change.fingerprint_version, change.sealed_old, change.old_domain_hash = version, point.sealed, point.domain_hash


def not_me(ctx: Context, raw: str) -> Answer:
    """Forget the wish at once, and send no such mail to this address for 30 days. Raises: BadToken."""
    found, change = _take(ctx, raw)
    answer = _answer(ctx, found, change)
    if change is not None and answer.outcome is Outcome.OPEN:
        point = ctx.db.get_one(ContactPoint, change.contact_point_id)
        registry.suppress(ctx, channel=point.channel, fingerprint=change.new_fingerprint, reason=Reason.NOT_ME,
                          until=ctx.clock.now().date() + NOT_ME_LASTS, version=change.fingerprint_version)
        withdraw(ctx, point.id)
    return answer


def look_undo(ctx: Context, token: str) -> Undo:
    """How it stands with an undo link; changes nothing. Raises: BadToken."""
    return _undo_answer(ctx, _undoable(ctx, token, lock=False))


def undo(ctx: Context, opener: Opener, token: str) -> Undo:
    """Go back to the old address; twice is once. Later changes, open pages and every yes since the change end with it.

    Raises: BadToken; KeyProblem.
    """
    change = _undoable(ctx, token, lock=True)
    answer = _undo_answer(ctx, change)
    if change is None or answer.open_until is None or answer.barred:
        return answer
    point = ctx.db.get_one(ContactPoint, change.contact_point_id)
    old = move.Place(change.sealed_old or b"", change.old_fingerprint, change.fingerprint_version,
                     change.old_domain_hash)
    move.end_since(ctx, point, change.done_at or change.asked_at)
    move.move(ctx, opener, point, old, source=change.source, lifts=frozenset())
    # Whoever took the address away may hold later changes and open pages: none of them outlives the undo.
    withdraw(ctx, point.id)
    ctx.db.execute(update(AddressChange).where(
        AddressChange.contact_point_id == point.id, AddressChange.id > change.id,
        AddressChange.state == State.DONE).values(state=State.WITHDRAWN))
    fresh.end_all(ctx, [point.id])
    change.state, change.done_at, change.sealed_old = State.UNDONE, ctx.clock.now(), None
    ctx.db.flush()
    return Undo(undone_at=change.done_at)


def waiting(ctx: Context, contact_point_id: int) -> bool:
    """Whether a new mailbox has still to confirm."""
    return ctx.db.scalar(select(AddressChange.id).where(
        AddressChange.contact_point_id == contact_point_id, AddressChange.state == State.ASKED,
        AddressChange.expires_at > ctx.clock.now()).limit(1)) is not None


def withdraw(ctx: Context, contact_point_id: int) -> None:
    """Forget wishes that were not confirmed, with what was sealed for them."""
    _close_links(ctx, contact_point_id, Outcome.WITHDRAWN)
    ctx.db.execute(delete(AddressChange).where(
        AddressChange.contact_point_id == contact_point_id, AddressChange.state == State.ASKED))


def sweep(ctx: Context) -> None:
    """Forget changes that nobody confirmed, and those that nobody can undo any more."""
    ctx.db.execute(delete(AddressChange).where(AddressChange.expires_at <= ctx.clock.now()))


def _take(ctx: Context, raw: str) -> tuple[links.Found, AddressChange | None]:
    """The change, then its link, both locked: two presses at once queue up."""
    found = links.look(ctx, Purpose.ADDRESS, raw)
    change = _locked(ctx, found.address_change_id) if found.address_change_id else None
    return links.take(ctx, Purpose.ADDRESS, raw), change


def _locked(ctx: Context, change_id: int) -> AddressChange | None:
    """The change with its person's lock before its own, in the order in which `ask` takes them."""
    change = ctx.db.get(AddressChange, change_id)
    if change is None:
        return None
    ctx.db.execute(ledger.LOCK, {"points": [change.contact_point_id]})
    return ctx.db.get(AddressChange, change_id, with_for_update=True, populate_existing=True)


def _answer(ctx: Context, found: links.Found, change: AddressChange | None) -> Answer:
    if found.outcome is not Outcome.OPEN:
        return Answer(found.outcome, found.day)
    # A link mailed in another mode proves nothing here: in Practice staff could have opened it in the Outbox.
    if change is None or change.state != State.ASKED or change.mode != profile.current(ctx).mode:
        return Answer(Outcome.WITHDRAWN, found.day)
    point = ctx.db.get_one(ContactPoint, change.contact_point_id)
    barred = (_a_childs(ctx, point) or bool(_reasons(ctx, point.channel, change.new_fingerprint) & NOT_CONFIRMED)
              or _ruled_out(ctx, change))
    return Answer(Outcome.OPEN, found.day, barred, _holder_may_undo(ctx, point.channel, change.new_fingerprint))


def _ruled_out(ctx: Context, change: AddressChange) -> bool:
    """Whether nobody of that domain may be written to, by the organisation's own rule."""
    return ctx.db.get(DomainRule, change.new_domain_hash) is not None


def _holder_may_undo(ctx: Context, channel: str, fingerprint: bytes) -> datetime | None:
    """Whoever has this address now came to it lately, and its former owner may still take that back: until when."""
    return ctx.db.scalar(select(AddressChange.expires_at).join(
        ContactPoint, ContactPoint.id == AddressChange.contact_point_id).where(
            ContactPoint.channel == channel, ContactPoint.fingerprint.in_(ctx.sealer.with_newer([fingerprint])),
            AddressChange.state == State.DONE, AddressChange.expires_at > ctx.clock.now()).order_by(
                AddressChange.expires_at.desc()).limit(1))


def _undoable(ctx: Context, token: str, *, lock: bool) -> AddressChange | None:
    claim = ctx.signer.read(token.rstrip(PICKED_UP), Link.ADDRESS_UNDO)
    change = _locked(ctx, claim.second) if lock else ctx.db.get(AddressChange, claim.second)
    return change if change is not None and change.contact_point_id == claim.first else None


def _undo_answer(ctx: Context, change: AddressChange | None) -> Undo:
    if change is None or change.expires_at <= ctx.clock.now() or change.state in (State.ASKED, State.WITHDRAWN):
        return Undo()
    if change.state == State.UNDONE:
        return Undo(undone_at=change.done_at)
    point = ctx.db.get_one(ContactPoint, change.contact_point_id)
    return Undo(open_until=change.expires_at, barred=_a_childs(ctx, point) or bool(
        _reasons(ctx, point.channel, change.old_fingerprint) & NOT_UNDONE))


def _a_childs(ctx: Context, point: ContactPoint) -> bool:
    """Whether the address was reported as a child's: it stays where the report finds it until that is settled."""
    return Reason.CHILD in _reasons(ctx, point.channel, point.fingerprint)


def _reasons(ctx: Context, channel: str, fingerprint: bytes) -> set[Reason]:
    return {Reason(entry.reason) for entry in registry.entries(ctx, channel, [fingerprint])}


def _close_links(ctx: Context, contact_point_id: int, outcome: Outcome) -> None:
    changes = select(AddressChange.id).where(AddressChange.contact_point_id == contact_point_id)
    ctx.db.execute(update(SingleUseLink).where(
        SingleUseLink.address_change_id.in_(changes), SingleUseLink.outcome == Outcome.OPEN).values(
            outcome=outcome, day=ctx.clock.now().date(), **NOBODY).execution_options(synchronize_session=False))


def _mail_confirmation(ctx: Context, point: ContactPoint, change: AddressChange, bucket: bytes) -> None:
    raw = links.issue(ctx, Purpose.ADDRESS, address_change_id=change.id, expires_at=change.expires_at)
    count = limits.spend(ctx, bucket, limits.REQUESTS.kind)
    singles.enqueue(
        ctx, MessageClass.CONFIRMATION, subject=f"address_change:{change.id}", occasion=f"confirm/{count}",
        channel=point.channel, address_change_id=change.id, not_after=change.expires_at,
        detail={"template": "address_confirm", "link": f"{profile.current(ctx).public_url}/address/{raw}",
                "asked_on": words.full_day(ctx.clock.now().date())})


def _tell_old(ctx: Context, point: ContactPoint, change: AddressChange) -> None:
    token = ctx.signer.sign(Link.ADDRESS_UNDO, point.id, change.id)
    singles.enqueue(
        ctx, MessageClass.SERVICE_NOTICE, subject=f"address_change:{change.id}", occasion="done",
        channel=point.channel, address_change_id=change.id, not_after=change.expires_at,
        detail={"template": "address_changed", "undo": f"{profile.current(ctx).public_url}/address-undo/{token}",
                "changed_on": words.full_day(ctx.clock.now().date()),
                "until": words.full_day(change.expires_at.date())})
