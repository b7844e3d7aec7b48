"""The ledger of consent: every act is one row that is never changed, and `standing` follows it in one transaction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT, BYTEA, TEXT, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as UUIDS

from mailer.audience.models import ContactPoint, Person, PersonKey
from mailer.consent.models import LedgerEntry
from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.core.messages import Purpose
from mailer.core.modes import Mode
from mailer.core.vault import SealingKey
from mailer.lists.models import Wording
from mailer.organisation.profile import mode as mode_in_force

CHUNK = 5000


class Act(StrEnum):
    """What a person did. A change is an end and a grant; each is a row of its own."""

    GRANTED = "granted"
    REFUSED = "refused"
    ENDED = "ended"


STATE = {Act.GRANTED: "live", Act.REFUSED: "refused", Act.ENDED: "ended"}


@dataclass(frozen=True)
class Evidence:
    """How we know: what the person did, before which words, under which notice. Never an IP address.

    `partner_list` is the version of the list that stood beside a choice about partners (promise M18).
    """

    how: str
    form_version_id: int | None = None
    wording_id: int | None = None
    notice_id: int | None = None
    source: str = ""
    note: str = ""
    partner_list: int | None = None


class Consent(NamedTuple):
    """What a consent is for; with the contact point, its name."""

    list_id: int
    topic_id: int
    purpose: str


@dataclass(frozen=True)
class Holder:
    """Whose act it is: the ledger's name for the person, and the key that seals the evidence."""

    contact_point_id: int
    channel: str
    subject: UUID
    key: SealingKey


@dataclass(frozen=True)
class Deed:
    """One act of one holder, at a moment and in a mode; for the many rows that seeding writes."""

    holder: Holder
    consent: Consent
    evidence: Evidence
    at: datetime
    mode: Mode


# PostgreSQL numbers rows of INSERT … SELECT … ORDER BY in that order, so entries keep the order of the call.
APPEND = text("""
    WITH entry AS (
        INSERT INTO ledger_entry (subject, at, act, channel, list_id, topic_id, purpose, mode, sealed)
        SELECT subject, at, :act, channel, list_id, topic_id, purpose, mode, sealed
        FROM unnest(:subjects, :ats, :channels, :lists, :topics, :purposes, :modes, :sealeds) WITH ORDINALITY
             AS row(subject, at, channel, list_id, topic_id, purpose, mode, sealed, place) ORDER BY place
        RETURNING seq, subject, at, channel, list_id, topic_id, purpose, mode),
    stands AS (
        INSERT INTO standing (contact_point_id, list_id, topic_id, purpose, state, mode, since, seq)
        SELECT DISTINCT ON (point.id, list_id, topic_id, purpose)
               point.id, list_id, topic_id, purpose, :state, mode, at, seq
        FROM entry JOIN (SELECT DISTINCT * FROM unnest(:subjects, :points, :channels)) AS point(subject, id, channel)
             USING (subject, channel)
        ORDER BY point.id, list_id, topic_id, purpose, seq DESC
        ON CONFLICT (contact_point_id, list_id, topic_id, purpose) DO UPDATE
        SET state = EXCLUDED.state, mode = EXCLUDED.mode, since = EXCLUDED.since, seq = EXCLUDED.seq
        WHERE NOT (EXCLUDED.state = 'ended' AND standing.state = 'refused'))
    SELECT seq FROM entry ORDER BY seq
""").bindparams(
    bindparam("subjects", type_=ARRAY(UUIDS)), bindparam("ats", type_=ARRAY(TIMESTAMP(timezone=True))),
    bindparam("sealeds", type_=ARRAY(BYTEA)),
    *(bindparam(name, type_=ARRAY(BIGINT)) for name in ("lists", "topics", "points")),
    *(bindparam(name, type_=ARRAY(TEXT)) for name in ("channels", "purposes", "modes")))
LIVE = text("""
    SELECT person.subject, held.wrapped, standing.list_id, standing.topic_id, standing.purpose
    FROM person JOIN vault.person_key held ON held.person_id = person.id
    LEFT JOIN standing ON standing.contact_point_id = :point AND standing.state = 'live'
         AND standing.list_id = coalesce(CAST(:list AS bigint), standing.list_id)
         AND standing.topic_id = coalesce(CAST(:topic AS bigint), standing.topic_id)
    WHERE person.id = :person ORDER BY standing.list_id, standing.topic_id, standing.purpose
""")
LOCK = text("SELECT id FROM contact_point WHERE id = ANY(:points) ORDER BY id FOR NO KEY UPDATE").bindparams(
    bindparam("points", type_=ARRAY(BIGINT)))


def grant(ctx: Context, point: ContactPoint, *, list_id: int, topic_id: int, purpose: Purpose, evidence: Evidence
          ) -> LedgerEntry:
    """The person said yes. Raises: NotFound when the person's key is gone."""
    return _one(ctx, Act.GRANTED, point, Consent(list_id, topic_id, purpose), evidence)


def refuse(ctx: Context, point: ContactPoint, *, list_id: int, topic_id: int, purpose: Purpose, evidence: Evidence
           ) -> LedgerEntry:
    """The person said no: it stands against every later silence (promise T12). Raises: NotFound."""
    return _one(ctx, Act.REFUSED, point, Consent(list_id, topic_id, purpose), evidence)


def end(ctx: Context, point: ContactPoint, *, list_id: int, topic_id: int, purpose: Purpose, evidence: Evidence
        ) -> LedgerEntry:
    """The consent is over until it is granted again; a refusal stays a refusal. Raises: NotFound."""
    return _one(ctx, Act.ENDED, point, Consent(list_id, topic_id, purpose), evidence)


def end_all(ctx: Context, point: ContactPoint, *, list_id: int | None = None, topic_id: int | None = None,
            evidence: Evidence) -> list[Consent]:
    """End every live consent, of one topic, one list or all; those ended. Raises: NotFound."""
    ctx.db.execute(LOCK, {"points": [point.id]})
    found = ctx.db.execute(LIVE, {"person": point.person_id, "point": point.id, "list": list_id,
                                  "topic": topic_id}).all()
    if not found:
        raise NotFound(contact_point=point.id)
    ending = [Consent(row.list_id, row.topic_id, row.purpose) for row in found if row.list_id is not None]
    if ending:
        holder, mode, now = _holder(ctx, point, found[0].subject, found[0].wrapped), mode_in_force(ctx), ctx.clock.now()
        _write(ctx, Act.ENDED, [Deed(holder, consent, evidence, now, mode) for consent in ending])
    return ending


def grant_many(ctx: Context, rows: Sequence[Deed]) -> int:
    """Many yeses, set-wise, each with its own moment and mode; how many."""
    return len(append(ctx, Act.GRANTED, rows))


def holder_of(ctx: Context, point: ContactPoint) -> Holder:
    """The ledger's name and key of whose contact point this is, locked so that acts of one person queue up.

    Raises: NotFound when the person or the key is gone.
    """
    ctx.db.execute(LOCK, {"points": [point.id]})
    found = ctx.db.execute(select(Person.subject, PersonKey.wrapped).join(
        PersonKey, PersonKey.person_id == Person.id).where(Person.id == point.person_id)).first()
    if found is None:
        raise NotFound(contact_point=point.id)
    return _holder(ctx, point, found.subject, found.wrapped)


def _holder(ctx: Context, point: ContactPoint, subject: UUID, wrapped: bytes) -> Holder:
    return Holder(point.id, point.channel, subject, ctx.sealer.key_of(wrapped, person=point.person_id))


def append(ctx: Context, act: Act, deeds: Sequence[Deed]) -> list[int]:
    """Write acts of one kind to the ledger and bring `standing` after them; the numbers of the rows."""
    seqs: list[int] = []
    for start in range(0, len(deeds), CHUNK):
        chunk = deeds[start:start + CHUNK]
        # The order of a person's rows must be the order in which they took effect: lock, then number.
        ctx.db.execute(LOCK, {"points": sorted({deed.holder.contact_point_id for deed in chunk})})
        seqs += _write(ctx, act, chunk)
    return seqs


def _write(ctx: Context, act: Act, deeds: Sequence[Deed]) -> Sequence[int]:
    """Acts of holders that are locked already."""
    columns = _columns(deeds, _wordings(ctx, deeds))
    return ctx.db.scalars(APPEND, columns | {"act": act, "state": STATE[act]}).all()


def _one(ctx: Context, act: Act, point: ContactPoint, consent: Consent, evidence: Evidence) -> LedgerEntry:
    deed = Deed(holder_of(ctx, point), consent, evidence, ctx.clock.now(), mode_in_force(ctx))
    [seq] = _write(ctx, act, [deed])
    return ctx.db.get_one(LedgerEntry, seq)


def _columns(deeds: Sequence[Deed], words: dict[int, str]) -> dict[str, Any]:
    return {
        "subjects": [deed.holder.subject for deed in deeds], "ats": [deed.at for deed in deeds],
        "points": [deed.holder.contact_point_id for deed in deeds],
        "channels": [deed.holder.channel for deed in deeds],
        "lists": [deed.consent.list_id for deed in deeds], "topics": [deed.consent.topic_id for deed in deeds],
        "purposes": [deed.consent.purpose for deed in deeds], "modes": [deed.mode for deed in deeds],
        "sealeds": [_seal(deed, words) for deed in deeds],
    }


def _seal(deed: Deed, words: dict[int, str]) -> bytes:
    said = deed.evidence
    return deed.holder.key.seal(json.dumps({
        "contact_point": deed.holder.contact_point_id, "how": said.how, "form_version": said.form_version_id,
        "wording": said.wording_id, "wording_sha256": words.get(said.wording_id or 0), "notice": said.notice_id,
        "source": said.source, "note": said.note, "partner_list": said.partner_list,
    }, sort_keys=True), table="ledger", row=deed.holder.subject, field="evidence")


def _wordings(ctx: Context, deeds: Sequence[Deed]) -> dict[int, str]:
    named = {deed.evidence.wording_id for deed in deeds if deed.evidence.wording_id}
    if not named:
        return {}
    rows = ctx.db.execute(select(Wording.id, Wording.sha256).where(Wording.id.in_(named)))
    return {wording_id: sha256.hex() for wording_id, sha256 in rows}
