"""What the stop list says of a person's addresses, for their copy; none of it goes with an erasure."""

from typing import Any

from mailer.context import Context
from mailer.core.personal import Whom
from mailer.suppression import registry

COVERS = frozenset({("suppression", "fingerprint")})


def export(ctx: Context, whom: Whom) -> list[dict[str, Any]]:
    """Each entry that holds today, with its scope and day."""
    return [{"channel": place.channel, "reason": row.reason, "list": row.list_id, "topic": row.topic_id,
             "day": row.day.isoformat(), "until": row.until.isoformat() if row.until else None}
            for place in whom.places for row in registry.entries(ctx, place.channel, [place.fingerprint])]
