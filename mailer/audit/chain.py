"""A chain over rows that are written once: linked in batches by its own number, each batch's head signed.

The ledger of consent and the audit trail each have one (decision 20).
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import TextClause, insert, select, text

from mailer.context import Context
from mailer.core.exits import ExitKind, Head

FIRST = bytes(32)
TRY = text("SELECT pg_try_advisory_xact_lock(:key)")


@dataclass(frozen=True)
class Chain:
    """Which rows, in which tables the links and heads lie, and what of a row a link covers.

    `moment` gives oldest_running, next_to_begin, newest_seq and the identity of what it reads; `unsealed` rows from
    :floor on, at most :size; `walk` every link with its row and its head, in one snapshot.
    """

    version: bytes
    lock: int
    kind: ExitKind
    seals: type[Any]
    heads: type[Any]
    moment: TextClause
    unsealed: TextClause
    walk: TextClause
    covered: Callable[[Any], Iterable[bytes]]


@dataclass
class _Floor:
    """Below `floor` every row is sealed for good. Numbers are given before commit, so they appear out of order:
    the floor rises to what was newest at an earlier look once every transaction of that time is over."""

    of: tuple[Any, ...] = ()
    floor: int = 0
    next_to_begin: int = 0
    newest_seq: int = 0


_floors: dict[bytes, _Floor] = {}
_one_at_a_time = threading.Lock()


def seal_batch(ctx: Context, chain: Chain, size: int) -> int:
    """Link up to `size` rows, sign the head, and put that into the exits file; how many were linked."""
    if not ctx.db.execute(TRY, {"key": chain.lock}).scalar_one():
        return 0
    with _one_at_a_time:
        rows = _unsealed(ctx, chain, size)
    if not rows:
        return 0
    number, link = _last(ctx, chain)
    links: list[dict[str, Any]] = []
    for row in rows:
        number, link = number + 1, next_link(chain, link, row)
        links.append({"number": number, "seq": row.seq, "hash": link})
    ctx.db.execute(insert(chain.seals), links)
    head = Head(number, link, ctx.sealer.sign(signed(number, link)))
    at = ctx.clock.now()
    ctx.db.execute(insert(chain.heads).values(number=number, hash=link, signature=head.signature, at=at))
    ctx.exit_lines.append(head.line(at, chain.kind))
    return len(rows)


def next_link(chain: Chain, before: bytes, entry: Any) -> bytes:
    """The link of an entry: SHA-256 over the link before it and every column, each with its length in front."""
    digest = sha256(before)
    for value in (chain.version, *chain.covered(entry)):
        digest.update(len(value).to_bytes(4, "big") + value)
    return digest.digest()


def signed(number: int, link: bytes) -> bytes:
    """What a head's signature is over: the number as 8 octets, then the hash."""
    return number.to_bytes(8, "big") + link


def microseconds(at: datetime) -> bytes:
    """A moment as it is covered."""
    return str(round(at.timestamp() * 1_000_000)).encode()


def _unsealed(ctx: Context, chain: Chain, size: int) -> Sequence[Any]:
    moment = ctx.db.execute(chain.moment).one()
    identity = (moment.started, moment.relation, moment.database)
    floor = _floors.get(chain.version)
    if floor is None or floor.of != identity:
        floor = _floors[chain.version] = _Floor(identity)
    rows = ctx.db.execute(chain.unsealed, {"floor": floor.floor, "size": size}).all()
    if floor.next_to_begin and moment.oldest_running >= floor.next_to_begin:
        floor.floor = max(floor.floor, min(floor.newest_seq, rows[0].seq - 1 if rows else floor.newest_seq))
        floor.next_to_begin = 0
    if not floor.next_to_begin:
        floor.next_to_begin, floor.newest_seq = moment.next_to_begin, moment.newest_seq
    return rows


def _last(ctx: Context, chain: Chain) -> tuple[int, bytes]:
    last = ctx.db.execute(select(chain.seals.number, chain.seals.hash).order_by(chain.seals.number.desc()).limit(1)
                          ).first()
    return (last.number, bytes(last.hash)) if last else (0, FIRST)
