"""The chain over the ledger: one sealer links committed rows by its own number and signs the head (decision 20)."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import insert, select, text

from mailer.consent.models import LedgerHead, LedgerSeal
from mailer.context import Context
from mailer.exits.file import Head

ONE_SEALER = 7141903
FIRST = bytes(32)
VERSION = b"mailer ledger 1"

TRY = text("SELECT pg_try_advisory_xact_lock(:key)")
MOMENT = text("""
    SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) AS oldest_running,
           CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint) AS next_to_begin,
           COALESCE((SELECT max(seq) FROM ledger_entry), 0) AS newest_seq,
           pg_postmaster_start_time() AS started, pg_relation_filenode('ledger_seal') AS relation,
           current_database() AS database
""")
UNSEALED = text("""
    SELECT entry.seq, subject, at, act, channel, list_id, topic_id, purpose, mode, sealed FROM ledger_entry entry
    WHERE seq > :floor AND NOT EXISTS (SELECT FROM ledger_seal WHERE ledger_seal.seq = entry.seq)
    ORDER BY seq LIMIT :size
""")


@dataclass
class _Floor:
    """Below `floor` every row is sealed for good. Numbers are given before commit, so they appear out of order:
    the floor rises to what was newest at an earlier look once every transaction of that time is over."""

    of: tuple[Any, ...] = ()
    floor: int = 0
    next_to_begin: int = 0
    newest_seq: int = 0


_floor = _Floor()
_one_at_a_time = threading.Lock()


def seal_batch(ctx: Context, size: int = 5000) -> int:
    """Link up to `size` rows to the chain, sign its head, and put that into the exits file; how many were linked."""
    if not ctx.db.execute(TRY, {"key": ONE_SEALER}).scalar_one():
        return 0
    with _one_at_a_time:
        rows = _unsealed(ctx, size)
    if not rows:
        return 0
    number, link = _last(ctx)
    links: list[dict[str, Any]] = []
    for row in rows:
        number, link = number + 1, next_link(link, row)
        links.append({"number": number, "seq": row.seq, "hash": link})
    ctx.db.execute(insert(LedgerSeal), links)
    head = Head(number, link, ctx.sealer.sign(signed(number, link)))
    at = ctx.clock.now()
    ctx.db.execute(insert(LedgerHead).values(number=number, hash=link, signature=head.signature, at=at))
    ctx.exit_lines.append(head.line(at))
    return len(rows)


def next_link(before: bytes, entry: Any) -> bytes:
    """The link of an entry: SHA-256 over the link before it and every column, each with its length in front."""
    digest = sha256(before)
    for value in (VERSION, str(entry.seq).encode(), entry.subject.bytes, str(_microseconds(entry)).encode(),
                  entry.act.encode(), entry.channel.encode(), str(entry.list_id).encode(),
                  str(entry.topic_id).encode(), entry.purpose.encode(), entry.mode.encode(), bytes(entry.sealed)):
        digest.update(len(value).to_bytes(4, "big") + value)
    return digest.digest()


def signed(number: int, link: bytes) -> bytes:
    """What a head's signature is over: the number as 8 octets, then the hash."""
    return number.to_bytes(8, "big") + link


def _microseconds(entry: Any) -> int:
    at: datetime = entry.at
    return round(at.timestamp() * 1_000_000)


def _unsealed(ctx: Context, size: int) -> Sequence[Any]:
    moment = ctx.db.execute(MOMENT).one()
    identity = (moment.started, moment.relation, moment.database)
    if _floor.of != identity:
        _floor.of, _floor.floor, _floor.next_to_begin, _floor.newest_seq = identity, 0, 0, 0
    rows = ctx.db.execute(UNSEALED, {"floor": _floor.floor, "size": size}).all()
    if _floor.next_to_begin and moment.oldest_running >= _floor.next_to_begin:
        _floor.floor = max(_floor.floor, min(_floor.newest_seq, rows[0].seq - 1 if rows else _floor.newest_seq))
        _floor.next_to_begin = 0
    if not _floor.next_to_begin:
        _floor.next_to_begin, _floor.newest_seq = moment.next_to_begin, moment.newest_seq
    return rows


def _last(ctx: Context) -> tuple[int, bytes]:
    last = ctx.db.execute(select(LedgerSeal.number, LedgerSeal.hash).order_by(LedgerSeal.number.desc()).limit(1)
                          ).first()
    return (last.number, bytes(last.hash)) if last else (0, FIRST)

