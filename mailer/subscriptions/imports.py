"""Taking over people from elsewhere: each is asked to confirm, or brings proof that an officer approved.

An import only adds. It lifts no stop, changes no answer and reaches nobody who is to be left alone; what it does not
add it counts, by reason. Every row says where the address comes from (promise M28; section 2, item 13).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from mailer.audience import contact_points, field_sources, people, queries
from mailer.audience.models import ContactPoint
from mailer.audit import trail
from mailer.consent import ledger, standing
from mailer.consent.ledger import Evidence
from mailer.context import Context
from mailer.core.channel import Address
from mailer.core.errors import InvalidAddress, InvalidInput, NotFound
from mailer.core.messages import Purpose
from mailer.core.reasons import Reason
from mailer.lists import catalogue, wordings
from mailer.lists.models import MailingList
from mailer.policy import notices
from mailer.subscriptions import invitations, limits
from mailer.subscriptions.answers import name_fault
from mailer.subscriptions.invitations import Invited
from mailer.suppression import registry

CHANNEL = "email"
LONGEST_SOURCE, LONGEST_TEXT = 200, 20_000


@dataclass(frozen=True)
class Basis:
    """Why an address may be used: where it was given and on which day, and the words that were agreed to.

    `collector` is who took it where that was not us, `policy` the address of the policy it was taken under (S8).
    """

    source: str
    on: date | None
    text: str = ""
    collector: str = ""
    policy: str = ""


@dataclass(frozen=True, repr=False)
class ImportRow:
    """One line of a file: `number` is its place. An answer about partners counts only where it is proven."""

    number: int
    address: str
    basis: Basis | None
    first_name: str = ""
    partner_offers: bool | None = None


@dataclass(frozen=True)
class Approval:
    """The privacy officer's word that the proof was looked at: who, and where that is written down."""

    by: str
    reference: str


@dataclass(frozen=True)
class Bad:
    """A row that cannot be taken: its number, the field, and why as a reason code."""

    number: int
    field: str
    why: str


@dataclass
class Imported:
    """What became of the rows; `left_out` counts by the reason that answers first, `refused` is an answer of theirs."""

    new: int = 0
    here: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    bad: list[Bad] = field(default_factory=list)


@dataclass(frozen=True)
class _Target:
    list_id: int
    topic_ids: tuple[int, ...]
    approval: Approval | None


def import_people(ctx: Context, rows: Sequence[ImportRow], *, list_id: int, topic_ids: Sequence[int] = (),
                  approval: Approval | None = None) -> Imported:
    """Ask each address to confirm, paced; or, with an officer's approval of their proof, write their consent.

    Raises: InvalidInput where a row does not say where it comes from and since when (`basis`), or which words were
    agreed to where that is to be proof; for an unknown list or topic; for an approval without officer or reference.
    """
    target = _target(ctx, list_id, topic_ids, approval)
    for row in rows:
        _check_basis(ctx, row, proven=approval is not None)
    result, seen = Imported(), set[bytes]()
    readable: list[tuple[bytes, ImportRow, Address]] = []
    for row in rows:
        address = _read(ctx, row, result)
        if address is None:
            continue
        bucket = limits.bucket(ctx, address)
        if (its_print := ctx.sealer.fingerprint(CHANNEL, address.identity)) in seen:
            result.bad.append(Bad(row.number, "email", "double"))
            continue
        seen.add(its_print)
        readable.append((bucket, row, address))
    # In the order of their locks, so that two imports of the same people do not wait for each other.
    for bucket, row, address in sorted(readable, key=lambda each: each[0]):
        limits.alone(ctx, bucket)
        _one(ctx, target, row, address, bucket, result)
    result.bad.sort(key=lambda bad: bad.number)
    trail.record(ctx, "import_people", f"list:{list_id}", rows=len(rows), new=result.new, here=result.here,
                 left_out=result.left_out.total(), bad=len(result.bad), proven=approval is not None,
                 approved_by=approval.by if approval else "", reference=approval.reference if approval else "")
    return result


def _target(ctx: Context, list_id: int, topic_ids: Sequence[int], approval: Approval | None) -> _Target:
    mailing_list = ctx.db.get(MailingList, list_id) if 0 < list_id < queries.LARGEST_ID else None
    if mailing_list is None or mailing_list.archived:
        raise InvalidInput(field="list", why="unknown")
    offered = [topic.id for topic in catalogue.topics_of(ctx, list_id)]
    if not set(topic_ids) <= set(offered) or not offered:
        raise InvalidInput(field="topics", why="choose topics of the list")
    if approval is not None and not (approval.by.strip() and approval.reference.strip()):
        raise InvalidInput(field="approval", why="name the officer and where the approval is written down")
    return _Target(list_id, tuple(topic_ids or offered), approval)


def _check_basis(ctx: Context, row: ImportRow, *, proven: bool) -> None:
    """Raises: InvalidInput naming the row; nothing is taken from a file of unknown origin (promise M28)."""
    basis = row.basis
    if basis is None or not basis.source.strip() or basis.on is None:
        raise InvalidInput(field="basis", why="says neither where the address was given nor when", row=row.number)
    if len(basis.source) > LONGEST_SOURCE or len(basis.text) > LONGEST_TEXT:
        raise InvalidInput(field="basis", why="is too long", row=row.number)
    if basis.on > ctx.clock.now().date():
        raise InvalidInput(field="basis", why="has a day that is still to come", row=row.number)
    if proven and not basis.text.strip():
        raise InvalidInput(field="basis", why="lacks the words that were agreed to", row=row.number)


def _read(ctx: Context, row: ImportRow, result: Imported) -> Address | None:
    if why := name_fault(row.first_name.strip()):
        result.bad.append(Bad(row.number, "first_name", why))
        return None
    try:
        return contact_points.parse(ctx, CHANNEL, row.address)
    except InvalidAddress as error:
        result.bad.append(Bad(row.number, "email", str(error.context.get("why", "invalid"))))
        return None


def _one(ctx: Context, target: _Target, row: ImportRow, address: Address, bucket: bytes, result: Imported) -> None:
    reason = barred(ctx, address, target.list_id, target.topic_ids)
    if reason is not None:
        result.left_out[str(reason)] += 1
        return
    point = contact_points.find(ctx, CHANNEL, address)
    answers = _answers(ctx, point, target.list_id)
    free = tuple(topic for topic in target.topic_ids if (topic, Purpose.OWN_OFFERS) not in answers)
    if not free:
        _count_answered({answers[topic, Purpose.OWN_OFFERS] for topic in target.topic_ids}, result)
    elif target.approval is not None:
        _take(ctx, target, row, address, free)
        result.new += 1
    elif invitations.waits(ctx, CHANNEL, address, target.list_id):
        result.here += 1
    else:
        basis = row.basis or Basis("", None)
        asked = invitations.invite(ctx, Invited(
            CHANNEL, address, target.list_id, free, row.first_name.strip(), source=f"import: {basis.source}",
            collector=basis.collector, policy=basis.policy), bucket=bucket, place=result.new)
        result.new += 1 if asked else 0
        result.left_out[str(Reason.LIMIT)] += 0 if asked else 1
        result.left_out += Counter()


def barred(ctx: Context, address: Address, list_id: int, topic_ids: Sequence[int]) -> Reason | None:
    """Why staff may not bring this address in, whatever they hold of it; the reason that answers first."""
    entries = registry.entries(ctx, CHANNEL, ctx.sealer.fingerprints(CHANNEL, address.identity))
    found = {Reason(entry.reason) for entry in entries
             if entry.list_id in (0, list_id) and (entry.topic_id == 0 or entry.topic_id in topic_ids)}
    found |= invitations.other_bars(ctx, address)
    return next((reason for reason in Reason if reason in found), None)


def _answers(ctx: Context, point: ContactPoint | None, list_id: int) -> Mapping[tuple[int, str], str]:
    """What somebody known has answered for the list: an import adds where there is no answer, and nowhere else."""
    if point is None:
        return {}
    return {(row.topic_id, row.purpose): row.state for row in standing.of(ctx, point.id) if row.list_id == list_id}


def _count_answered(states: set[str], result: Imported) -> None:
    if "live" in states:
        result.here += 1
    else:
        result.left_out["refused" if "refused" in states else str(Reason.UNSUBSCRIBED)] += 1


def _take(ctx: Context, target: _Target, row: ImportRow, address: Address, topic_ids: Sequence[int]) -> None:
    """Write the consent that was proven; a refusal, or whatever else stands, stays as it is (promise T12)."""
    basis, approval = row.basis, target.approval
    if basis is None or approval is None:
        raise NotFound(row=row.number)
    known = contact_points.find(ctx, CHANNEL, address)
    point = people.create(ctx, CHANNEL, address, first_name=row.first_name.strip())
    notice = notices.in_force(ctx)
    evidence = Evidence(
        how="imported_proof", wording_id=wordings.keep(ctx, basis.text.strip(), "en").id,
        notice_id=notice.id if notice else None, source=f"import: {basis.source.strip()}",
        note=f"agreed {basis.on}; approved by {approval.by}, {approval.reference.strip()}")
    for topic_id in topic_ids:
        ledger.grant(ctx, point, list_id=target.list_id, topic_id=topic_id, purpose=Purpose.OWN_OFFERS,
                     evidence=evidence)
    unanswered = (0, Purpose.PARTNER_OFFERS) not in _answers(ctx, point, target.list_id)
    if row.partner_offers is not None and unanswered:
        act = ledger.grant if row.partner_offers else ledger.refuse
        act(ctx, point, list_id=target.list_id, topic_id=0, purpose=Purpose.PARTNER_OFFERS, evidence=evidence)
    if known is None:
        given = {"email", "language", "frequency", "format", *(("first_name",) if row.first_name.strip() else ())}
        field_sources.note(ctx, point.person_id, given, field_sources.Origin(
            evidence.source, evidence.notice_id, basis.collector, basis.policy))
