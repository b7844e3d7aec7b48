"""The leaver's half of the protocol that lets nobody be written to after leaving (decision 7).

After the facts are written the leaver shares the lock of that person's blocks in running campaigns: a slice that is
deciding them finishes first, one that comes later skips them or sees the facts. After the commit it answers once
nothing of theirs is cleared and unrecorded, or once no clearance can still be begun.
"""

from collections.abc import Sequence
from time import monotonic, sleep

from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer.context import Context

LONGEST_WAIT = 1.2
"""Seconds after a clearance was written when surely no hand-over begins under it: it lasts 1 s and is begun in 0.8."""

LOOK_EVERY = 0.02

# A campaign at a time and by their numbers, whatever figures say: their leaves are not read from end to end.
THEIRS = """
    FROM campaign c CROSS JOIN LATERAL (
        SELECT block, state, slice FROM message
        WHERE campaign_id = c.id AND month = c.month AND contact_point_id = ANY(:ids) OFFSET 0) AS m
"""
RUNNING = "c.state IN ('sending', 'paused')"
SHARE_BLOCKS = text(f"""
    SELECT 1 FROM message_block WHERE (campaign_id, block) IN (SELECT c.id, m.block {THEIRS} WHERE {RUNNING})
    ORDER BY campaign_id, block FOR SHARE
""")
IN_THE_AIR = text(f"""
    SELECT EXISTS (SELECT 1 {THEIRS} JOIN slice s ON s.id = m.slice
                   WHERE {RUNNING} AND m.state = 'handed'
                     AND s.opened_at > clock_timestamp() - make_interval(secs => :wait))
""")


def keep_back(ctx: Context, contact_point_ids: Sequence[int]) -> None:
    """Call after the facts of a leaving are written, in the same transaction; the answer then waits by itself."""
    ids = list(contact_point_ids)
    if not ids:
        return
    ctx.db.flush()
    ctx.db.execute(SHARE_BLOCKS, {"ids": ids})
    ctx.afterwards.append(lambda session: _wait(session, ids))


def _wait(session: Session, ids: list[int]) -> None:
    """The facts are committed: let slices that still decide by older ones finish, then see what they cleared.

    Campaigns are read anew, as one may have started between the first look and the commit.
    """
    # Each look stands alone: locks are let go at once, and the next sees what others committed meanwhile.
    session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
    session.execute(SHARE_BLOCKS, {"ids": ids})
    give_up = monotonic() + LONGEST_WAIT
    # Cleared, unrecorded, and by the database's clock still in time to be begun.
    while monotonic() < give_up and session.scalar(IN_THE_AIR, {"ids": ids, "wait": LONGEST_WAIT}):
        sleep(LOOK_EVERY)
