"""Going through every package that holds personal data: for a person's copy, and for their erasure."""

from typing import Any

from sqlalchemy import bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT

from mailer.audience import personal_data as audience
from mailer.consent import personal_data as consent
from mailer.context import Context
from mailer.core.personal import Whom
from mailer.core.vault import Opener
from mailer.friends import personal_data as friends
from mailer.gate import personal_data as gate
from mailer.outbox import personal_data as outbox
from mailer.practice import personal_data as practice
from mailer.rights import disclosures
from mailer.rights.models import AccessCopy, RightsRequest
from mailer.staff import personal_data as staff
from mailer.subscriptions import personal_data as subscriptions
from mailer.suppression import personal_data as suppression

COVERS = frozenset({
    ("rights_request", "person_id"), ("rights_request", "contact_point_id"), ("rights_request", "sealed_contact"),
    ("rights_request", "contact_fingerprint"), ("rights_request", "sealed_note"), ("access_copy", "person_id"),
    ("access_copy", "sealed_html"), ("access_copy", "sealed_json"), ("child_report", "fingerprint"),
    ("disclosure_subject", "subject"), ("erasure_certificate", "request_id"),
})

EMPTIED = text("""
    UPDATE rights_request SET person_id = NULL, contact_point_id = NULL, sealed_contact = NULL,
           contact_fingerprint = NULL, sealed_note = NULL,
           state = 'closed', closed_at = coalesce(closed_at, :now),
           outcome = CASE WHEN state = 'closed' THEN outcome ELSE 'erased' END
    WHERE id = ANY(:ids)
""").bindparams(bindparam("ids", type_=ARRAY(BIGINT)))


def export(ctx: Context, opener: Opener, whom: Whom) -> dict[str, Any]:
    """Everything that is held of a person, package by package. Raises: NotFound once erased; KeyProblem."""
    return {
        "details": audience.export(ctx, opener, whom),
        "consents": consent.export(ctx, opener, whom),
        "messages": gate.export(ctx, whom),
        "receipts": outbox.export(ctx, whom),
        "changes": subscriptions.export(ctx, opener, whom),
        "stop_list": suppression.export(ctx, whom),
        "team_acts": staff.export(ctx, whom),
        "friends": friends.export(ctx, whom),
        "requests": _requests(ctx, whom),
        "disclosures": [{
            "at": entry.at.isoformat(), "kind": entry.kind, "reason": entry.reason, "recipient": entry.recipient,
            "categories": entry.categories, "ground": entry.ground} for entry in disclosures.about(ctx, whom.subject)],
    }


def erase(ctx: Context, whom: Whom, *, request_id: int | None = None) -> None:
    """Delete what every package holds; `request_id` is the request that asked for it and is closed by its own act."""
    single_ids = outbox.singles_of(ctx, whom)
    practice.erase(ctx.db, whom, single_ids)
    outbox.erase(ctx, single_ids)
    consent.erase(ctx, whom)
    subscriptions.erase(ctx, whom)
    staff.erase(ctx, whom)
    friends.erase(ctx, whom)
    audience.erase(ctx, whom)
    ctx.db.execute(delete(AccessCopy).where(AccessCopy.person_id == whom.person_id))
    ids = [row.id for row in _theirs(ctx, whom)]
    ctx.db.execute(EMPTIED, {"ids": [each for each in ids if each != request_id], "now": ctx.clock.now()})


def _requests(ctx: Context, whom: Whom) -> list[dict[str, Any]]:
    return [{"number": row.id, "kind": row.kind, "opened_at": row.opened_at.isoformat(), "state": row.state,
             "due_at": row.due_at.isoformat(), "outcome": row.outcome} for row in _theirs(ctx, whom)]


def _theirs(ctx: Context, whom: Whom) -> list[RightsRequest]:
    return list(ctx.db.scalars(select(RightsRequest).where(
        (RightsRequest.person_id == whom.person_id) | RightsRequest.contact_point_id.in_(whom.point_ids)
        | RightsRequest.contact_fingerprint.in_(ctx.sealer.with_newer(whom.fingerprints))).order_by(RightsRequest.id)))
