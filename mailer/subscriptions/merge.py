"""Two contact points that turned out to be one person's: the strictest wins, and nobody's opt-out is lifted.

The one that was just confirmed survives, with its person; the other's consents end in the ledger, and those that
contradict nothing are written anew for the survivor with their words. Links in the other's messages lead to the
survivor from then on. What else was known of the other goes, so that an undo shows nobody what is another's. The stop
list and the exits are not touched: they know addresses only.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from mailer.audience.models import ContactPoint, Person, Preference
from mailer.audience.personal_data import opened
from mailer.audit import trail
from mailer.consent import history, ledger, standing
from mailer.consent.ledger import Act, Consent, Deed, Evidence
from mailer.consent.models import Standing
from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.core.messages import Purpose
from mailer.core.modes import Mode
from mailer.core.vault import Opener, Use
from mailer.organisation.profile import mode as mode_in_force
from mailer.subscriptions import fresh
from mailer.subscriptions.models import MergedPoint

HOW = "merged"
REQUESTS = "rights_request"
UNDER_THEIR_KEY = b"\0"
"""How a note begins that lies under the person's own key (`rights.requests`)."""
OPEN_REQUESTS = text("SELECT id, sealed_note FROM rights_request WHERE contact_point_id = :gone AND state = 'open' "
                     "ORDER BY id FOR UPDATE")
BY_ADDRESS = text("""
    UPDATE rights_request SET contact_point_id = NULL, person_id = NULL, identity = 'unchecked',
           sealed_contact = :contact, contact_fingerprint = :fingerprint, fingerprint_version = :version,
           sealed_note = :note
    WHERE id = :id
""")


def merge(ctx: Context, opener: Opener, *, into: ContactPoint, gone: ContactPoint) -> None:
    """Make `gone` part of `into`; both are of one channel and different people.

    A refusal outranks everything, an end outranks a yes, the longer break and the stricter cap win. Raises: NotFound
    when `into` is erased; KeyProblem.
    """
    ctx.db.execute(ledger.LOCK, {"points": sorted((into.id, gone.id))})
    _join_consents(ctx, opener, into, gone)
    _join_preferences(ctx, into.id, gone.id)
    _leave_requests(ctx, opener, gone)
    fresh.end_all(ctx, [gone.id, into.id])
    ctx.db.execute(update(MergedPoint).where(MergedPoint.into_id == gone.id).values(into_id=into.id))
    ctx.db.execute(insert(MergedPoint).values(gone_id=gone.id, into_id=into.id))
    trail.record(ctx, "merge_people", f"contact_point:{into.id}", merged=gone.id)
    _forget(ctx, gone.id, gone.person_id)


def survivor(ctx: Context, contact_point_id: int) -> ContactPoint | None:
    """The contact point of that number, or the one it became part of; None once erased."""
    return ctx.db.get(ContactPoint, contact_point_id) or ctx.db.scalars(select(ContactPoint).join(
        MergedPoint, MergedPoint.into_id == ContactPoint.id).where(
            MergedPoint.gone_id == contact_point_id)).first()


def _join_consents(ctx: Context, opener: Opener, into: ContactPoint, gone: ContactPoint) -> None:
    try:
        theirs = standing.of(ctx, gone.id)
        worded = _worded(ctx, opener, gone)
        other = ledger.holder_of(ctx, gone)
    except NotFound:
        # The key went with an erasure and only old rows came back: nothing of theirs opens or counts.
        return
    mine = {_consent(row): row for row in standing.of(ctx, into.id)}
    now, mode = ctx.clock.now(), mode_in_force(ctx)
    holder = ledger.holder_of(ctx, into)
    deeds: dict[Act, list[Deed]] = {Act.ENDED: [], Act.REFUSED: [], Act.GRANTED: []}
    for row in theirs:
        act = _act(row, mine.get(_consent(row)))
        if act is not None:
            # A consent keeps the mode in which it was really confirmed; merging makes none of Practice a real one.
            deeds[act].append(Deed(holder, _consent(row), worded.get(_consent(row), Evidence(how=HOW)), now,
                                   Mode(row.mode) if act is Act.GRANTED else mode))
    for act, written in deeds.items():
        ledger.append(ctx, act, written)
    ledger.append(ctx, Act.ENDED, [Deed(other, _consent(row), Evidence(how=HOW, source=f"contact_point:{into.id}"),
                                        now, mode) for row in theirs if row.state == "live"])


def _act(theirs: Standing, mine: Standing | None) -> Act | None:
    """What the survivor's own row needs, so that the strictest of both stands."""
    state = mine.state if mine else ""
    if theirs.state == "refused":
        return Act.REFUSED if state != "refused" else None
    if theirs.state == "ended":
        return Act.ENDED if state == "live" else None
    return Act.GRANTED if not state else None


def _worded(ctx: Context, opener: Opener, gone: ContactPoint) -> Mapping[Consent, Evidence]:
    """The words, notice and form of each consent, so that the survivor's row proves as much as theirs did."""
    found: dict[Consent, Evidence] = {}
    for moment in history.timeline(ctx, opener, gone):
        consent = Consent(moment.list_id, moment.topic_id, moment.purpose)
        said: dict[str, Any] = moment.evidence
        if consent not in found and (moment.act == Act.REFUSED or moment.act == Act.GRANTED):
            found[consent] = Evidence(
                how=HOW, form_version_id=said.get("form_version"), wording_id=said.get("wording"),
                notice_id=said.get("notice"), source=str(said.get("source") or ""), note=str(said.get("note") or ""),
                partner_list=said.get("partner_list"))
    return found


def _consent(row: Standing) -> Consent:
    return Consent(row.list_id, row.topic_id, Purpose(row.purpose))


def _join_preferences(ctx: Context, into_id: int, gone_id: int) -> None:
    rows = {row.contact_point_id: row for row in ctx.db.scalars(
        select(Preference).where(Preference.contact_point_id.in_((into_id, gone_id))).order_by(
            Preference.contact_point_id).with_for_update(), execution_options={"populate_existing": True})}
    if len(rows) < 2:
        return
    kept, other = rows[into_id], rows[gone_id]
    kept.every_days = max(kept.every_days, other.every_days)
    kept.hold = kept.hold or other.hold
    kept.paused_until = max((at for at in (kept.paused_until, other.paused_until) if at), default=None)
    kept.last_campaign_on = max((on for on in (kept.last_campaign_on, other.last_campaign_on) if on), default=None)
    ctx.db.flush()


def _leave_requests(ctx: Context, opener: Opener, gone: ContactPoint) -> None:
    """Open requests of the other go on as ones from that address, whoever has it: an undo takes none of them along."""
    found = ctx.db.execute(OPEN_REQUESTS, {"gone": gone.id}).all()
    if not found:
        return
    try:
        contact = opened(ctx, opener, gone.person_id, gone.sealed, table="contact_point", row=gone.person_id,
                         field="address")
    except NotFound:
        return
    for row in found:
        note = row.sealed_note
        if note and note[:1] == UNDER_THEIR_KEY:
            said = opened(ctx, opener, gone.person_id, note[1:], table=REQUESTS, row=row.id, field="note")
            note = _shared(ctx, said, row.id, "note")
        ctx.db.execute(BY_ADDRESS, {
            "id": row.id, "contact": _shared(ctx, contact, row.id, "contact"), "fingerprint": gone.fingerprint,
            "version": gone.fingerprint_version, "note": note})


def _shared(ctx: Context, plain: str, request_id: int, field: str) -> bytes:
    return ctx.sealer.seal_shared(Use.RIGHTS, plain.encode(), table=REQUESTS, row=request_id, field=field)


def _forget(ctx: Context, gone_id: int, person_id: int) -> None:
    """The other's row goes, and their person and key where nothing else is theirs."""
    ctx.db.execute(delete(ContactPoint).where(ContactPoint.id == gone_id))
    if ctx.db.scalar(select(ContactPoint.id).where(ContactPoint.person_id == person_id).limit(1)) is None:
        ctx.db.execute(delete(Person).where(Person.id == person_id))
    ctx.db.expire_all()
