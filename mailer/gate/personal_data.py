"""What the gate answered about a person's messages, for their copy; the rows stay and lead to nobody.

Decisions hold numbers alone, which lead nowhere once the contact point is gone.
"""

from typing import Any

from mailer.context import Context
from mailer.core.personal import Whom
from mailer.gate import history

COVERS: frozenset[tuple[str, str]] = frozenset()


def export(ctx: Context, whom: Whom) -> list[dict[str, Any]]:
    """Every message that was sent or not, with the reason, for as long as messages are kept (90 days)."""
    return [{"at": each.at.isoformat(), "kind": each.kind, "campaign": each.name, "allowed": each.cleared,
             "reason": each.reason or "", "state": each.state, "answer": each.code or ""}
            for point_id in whom.point_ids for each in history.of(ctx, point_id)]
