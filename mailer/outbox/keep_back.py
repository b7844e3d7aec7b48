"""The leaver's half of the protocol that lets nobody be written to after leaving (decision 7).

After the facts are written the leaver shares the lock of that person's blocks in running campaigns: a slice that is
deciding them finishes first, one that comes later skips them or sees the facts. After the commit it answers once
nothing of theirs is cleared and unrecorded, or once no clearance can still be begun. Meanwhile it calls its rows back:
who holds them takes them out of the queue, or records them first.
"""

from collections.abc import Sequence
from time import monotonic, sleep

from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer.context import Context
from mailer.outbox.road import LEAVING

LONGEST_WAIT = 1.2
"""Seconds after a clearance was written when surely no hand-over begins under it: it lasts 1 s and is begun in 0.8."""

LOOK_EVERY = 0.01

CALLED_AT_ONCE = 300
"""Numbers in one call: what is said on a channel stays below 8,000 octets."""

# A campaign at a time and by their numbers, whatever figures say: their leaves are not read from end to end.
THEIRS = """
    FROM campaign c CROSS JOIN LATERAL (
        SELECT block, state, slice FROM message
        WHERE campaign_id = c.id AND month = c.month AND contact_point_id = ANY(:ids) OFFSET 0) AS m
"""
RUNNING = "c.state IN ('sending', 'paused')"
BLOCKS = f"""
    FROM message_block WHERE (campaign_id, block) IN (SELECT c.id, m.block {THEIRS} WHERE {RUNNING})
    ORDER BY campaign_id, block FOR SHARE
"""
NO_DISK = "set_config('synchronous_commit', 'off', true)"
"""For statements that stand alone and whose trace nobody needs."""

SHARE_BLOCKS = text(f"SELECT 1 {BLOCKS}")
SHARE_ALONE = text(f"SELECT {NO_DISK} {BLOCKS}")
ANY_HANDED = f"""
    EXISTS (SELECT 1 {THEIRS} JOIN slice s ON s.id = m.slice
            WHERE {RUNNING} AND m.state = 'handed' AND s.opened_at > clock_timestamp() - make_interval(secs => :wait))
"""
IN_THE_AIR = text(f"SELECT {ANY_HANDED}")
CALL = text(f"SELECT {NO_DISK}, pg_notify(:channel, :numbers) WHERE {ANY_HANDED}")


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
    called = _call_back(session, ids)
    session.execute(SHARE_ALONE, {"ids": ids})
    give_up = monotonic() + LONGEST_WAIT
    # Cleared, unrecorded, and by the database's clock still in time to be begun.
    while monotonic() < give_up and session.scalar(IN_THE_AIR, {"ids": ids, "wait": LONGEST_WAIT}):
        called = called or _call_back(session, ids)
        sleep(LOOK_EVERY)


def _call_back(session: Session, ids: list[int]) -> bool:
    """Tell those who dispatch that somebody waits, where there is anything to wait for. Only time depends on it."""
    called = False
    for first in range(0, len(ids), CALLED_AT_ONCE):
        some = ids[first:first + CALLED_AT_ONCE]
        numbers = ",".join(map(str, some))
        called |= session.execute(CALL, {"ids": some, "wait": LONGEST_WAIT, "channel": LEAVING, "numbers": numbers}
                                  ).first() is not None
    return called
