"""The leaver's half of the protocol that lets nobody be written to after leaving (decision 7).

After the facts are written the leaver shares the lock of that person's blocks in running campaigns: a slice that is
deciding them finishes first, one that comes later skips them or sees the facts. After the commit it answers once
nothing of theirs is cleared and unrecorded, or once no clearance can still be begun.
"""

from collections.abc import Sequence
from datetime import date
from time import monotonic, sleep

from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer.context import Context
from mailer.gate.terms import leaf

LONGEST_WAIT = 1.2
"""Seconds after a clearance was written when surely no hand-over begins under it: it lasts 1 s and is begun in 0.8."""

LOOK_EVERY = 0.005

RUNNING = "SELECT id, month FROM campaign WHERE state IN ('sending', 'paused') AND month IS NOT NULL"


def keep_back(ctx: Context, contact_point_ids: Sequence[int]) -> None:
    """Call after the facts of a leaving are written, in the same transaction; the answer then waits by itself."""
    ids = list(contact_point_ids)
    if not ids:
        return
    ctx.db.flush()
    for campaign, month in _running(ctx.db):
        _share_blocks(ctx.db, campaign, month, ids)
    ctx.afterwards.append(lambda session: _wait(session, ids))


def _running(session: Session) -> list[tuple[int, date]]:
    return [(campaign, month) for campaign, month in session.execute(text(RUNNING))]


def _share_blocks(session: Session, campaign: int, month: date, ids: list[int]) -> None:
    session.execute(text(f"""
        SELECT 1 FROM message_block
        WHERE campaign_id = :campaign AND block IN (
            SELECT block FROM {leaf("message", month)} WHERE campaign_id = :campaign AND contact_point_id = ANY(:ids))
        ORDER BY block FOR SHARE"""), {"campaign": campaign, "ids": ids})


def _wait(session: Session, ids: list[int]) -> None:
    """The facts are committed: let slices that still decide by older ones finish, then see what they cleared.

    Campaigns are read anew, as one may have started between the first look and the commit.
    """
    # Each look stands alone: locks are let go at once, and the next sees what others committed meanwhile.
    session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
    running = _running(session)
    for campaign, month in running:
        _share_blocks(session, campaign, month, ids)
    give_up = monotonic() + LONGEST_WAIT
    while monotonic() < give_up and any(_in_the_air(session, campaign, month, ids) for campaign, month in running):
        sleep(LOOK_EVERY)


def _in_the_air(session: Session, campaign: int, month: date, ids: list[int]) -> bool:
    """Whether something of theirs is cleared, unrecorded, and could still be begun by the database's clock."""
    return bool(session.scalar(text(f"""
        SELECT EXISTS (
            SELECT 1 FROM {leaf("message", month)} m JOIN slice s ON s.id = m.slice
            WHERE m.campaign_id = :campaign AND m.contact_point_id = ANY(:ids) AND m.state = 'handed'
              AND s.opened_at > clock_timestamp() - make_interval(secs => :wait))"""),
        {"campaign": campaign, "ids": ids, "wait": LONGEST_WAIT}))
