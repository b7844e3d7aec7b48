"""Messages on their way to a person, for their erasure; campaign messages and receipts are numbers alone and stay."""

from typing import Any

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT, BYTEA

from mailer.context import Context
from mailer.core.personal import Whom
from mailer.outbox.models import Receipt

COVERS = frozenset({("single_message", "sealed_detail")})

# Each by its own index: with OR between them all singles are read from end to end.
THEIRS = text("""
    SELECT id FROM single_message WHERE contact_point_id = ANY(:points)
    UNION SELECT id FROM single_message
        WHERE pending_request_id IN (SELECT id FROM pending_request WHERE fingerprint = ANY(:prints))
    UNION SELECT id FROM single_message
        WHERE address_change_id IN (SELECT id FROM address_change WHERE contact_point_id = ANY(:points)
                                    OR new_fingerprint = ANY(:prints) OR old_fingerprint = ANY(:prints))
    UNION SELECT id FROM single_message
        WHERE rights_request_id IN (SELECT id FROM rights_request
                                    WHERE person_id = :person OR contact_point_id = ANY(:points)
                                    OR contact_fingerprint = ANY(:prints))
    UNION SELECT id FROM single_message
        WHERE friend_request_id IN (SELECT id FROM friend_request WHERE sender_fingerprint = ANY(:prints))
""").bindparams(bindparam("points", type_=ARRAY(BIGINT)), bindparam("prints", type_=ARRAY(BYTEA)))
DROP = text("DELETE FROM single_message WHERE id = ANY(:ids)").bindparams(bindparam("ids", type_=ARRAY(BIGINT)))


def export(ctx: Context, whom: Whom) -> list[dict[str, Any]]:
    """What came back for their messages: delivered, bounced, complained."""
    return [{"at": row.at.isoformat(), "kind": row.kind, "campaign": row.campaign_id, "answer": row.code}
            for row in ctx.db.scalars(select(Receipt).where(
                Receipt.contact_point_id.in_(whom.point_ids)).order_by(Receipt.id))]


def singles_of(ctx: Context, whom: Whom) -> list[int]:
    """The numbers of all single messages that are theirs, or that carry what they wrote."""
    return list(ctx.db.scalars(THEIRS, {"points": whom.point_ids, "prints": ctx.sealer.with_newer(whom.fingerprints),
                                        "person": whom.person_id}))


def erase(ctx: Context, single_ids: list[int]) -> None:
    """Their single messages go with their answers of the gate."""
    ctx.db.execute(DROP, {"ids": single_ids})
