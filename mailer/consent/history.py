"""What a person's ledger says, opened: for the timeline of the person page and for `/why`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from mailer.audience import show
from mailer.audience.models import ContactPoint, Person
from mailer.consent.models import LedgerEntry
from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.core.vault import Opener


@dataclass(frozen=True)
class Moment:
    """One act with its evidence: `form_version`, `wording`, `notice` are ids, `how` and `source` are codes."""

    seq: int
    at: datetime
    act: str
    channel: str
    list_id: int
    topic_id: int
    purpose: str
    mode: str
    evidence: dict[str, Any]


def timeline(ctx: Context, opener: Opener, point: ContactPoint) -> list[Moment]:
    """Every act at this contact point, newest first. Raises: NotFound once erased; KeyProblem."""
    subject = ctx.db.scalar(select(Person.subject).where(Person.id == point.person_id))
    if subject is None:
        raise NotFound(contact_point=point.id)
    rows = ctx.db.scalars(select(LedgerEntry).where(
        LedgerEntry.subject == subject, LedgerEntry.channel == point.channel).order_by(LedgerEntry.seq.desc())).all()
    said = show.open_evidence(ctx, opener, point.person_id, [(row.subject, row.sealed) for row in rows])
    return [Moment(row.seq, row.at, row.act, row.channel, row.list_id, row.topic_id, row.purpose, row.mode, evidence)
            for row, evidence in zip(rows, said, strict=True)]
