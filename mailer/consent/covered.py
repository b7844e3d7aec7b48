"""Ending, set-wise, the consents that many stops cover: lifting a stop then revives none (decision 2)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT, BYTEA, TEXT

from mailer.consent import ledger
from mailer.consent.ledger import Act, Consent, Deed, Evidence, Holder
from mailer.context import Context
from mailer.organisation.profile import mode as mode_in_force


class Covered(NamedTuple):
    """What one stop covers: 0 is every list, or every topic of the list."""

    channel: str
    fingerprint: bytes
    list_id: int = 0
    topic_id: int = 0


STOPS = """
    FROM unnest(:channels, :prints, :lists, :topics) AS stop(channel, fingerprint, list_id, topic_id)
    JOIN contact_point c ON c.channel = stop.channel AND c.fingerprint = stop.fingerprint
"""
BOUND: tuple[BindParameter[Any], ...] = (
    bindparam("channels", type_=ARRAY(TEXT)), bindparam("prints", type_=ARRAY(BYTEA)),
    bindparam("lists", type_=ARRAY(BIGINT)), bindparam("topics", type_=ARRAY(BIGINT)))
HELD = text(f"SELECT DISTINCT c.id {STOPS}").bindparams(*BOUND)  # noqa: S608 - made of constants.
# What is read here is read after the lock, so that a consent granted meanwhile is ended too.
LIVE = text(f"""
    SELECT DISTINCT c.id, c.channel, c.person_id, p.subject, k.wrapped, s.list_id, s.topic_id, s.purpose {STOPS}
    JOIN person p ON p.id = c.person_id JOIN vault.person_key k ON k.person_id = c.person_id
    JOIN standing s ON s.contact_point_id = c.id AND s.state = 'live'
     AND stop.list_id IN (0, s.list_id) AND stop.topic_id IN (0, s.topic_id)
    ORDER BY c.id, s.list_id, s.topic_id, s.purpose
""").bindparams(*BOUND)  # noqa: S608 - made of constants.


def end_covered(ctx: Context, stops: Sequence[Covered], evidence: Evidence) -> tuple[list[int], int]:
    """The contact points that these stops are for, and how many consents ended; who has left keeps none."""
    values = {"channels": [stop.channel for stop in stops], "prints": [stop.fingerprint for stop in stops],
              "lists": [stop.list_id for stop in stops], "topics": [stop.topic_id for stop in stops]}
    points = sorted(ctx.db.scalars(HELD, values))
    if not points:
        return [], 0
    ctx.db.execute(ledger.LOCK, {"points": points})
    holders: dict[int, Holder] = {}
    deeds, now, mode = [], ctx.clock.now(), mode_in_force(ctx)
    for row in ctx.db.execute(LIVE, values):
        if row.id not in holders:
            key = ctx.sealer.key_of(row.wrapped, person=row.person_id)
            holders[row.id] = Holder(row.id, row.channel, row.subject, key)
        deeds.append(Deed(holders[row.id], Consent(row.list_id, row.topic_id, row.purpose), evidence, now, mode))
    ledger.append(ctx, Act.ENDED, deeds)
    return points, len(deeds)
