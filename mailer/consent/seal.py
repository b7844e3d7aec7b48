"""The chain over the ledger: one sealer links committed rows by its own number and signs the head (decision 20)."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import text

from mailer.audit import chain
from mailer.audit.chain import Chain
from mailer.consent.models import LedgerHead, LedgerSeal
from mailer.context import Context
from mailer.core.exits import ExitKind

ONE_SEALER = 7141903
FIRST = chain.FIRST

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
# One statement, so one snapshot: a batch that is sealed meanwhile is seen whole or not at all.
WALK = text("""
    SELECT number, seal.hash, seal.seq AS named, entry.seq, subject, entry.at, act, channel, list_id, topic_id,
           purpose, mode, sealed, head.hash AS head_hash, head.signature
    FROM ledger_seal seal FULL JOIN ledger_head head USING (number) LEFT JOIN ledger_entry entry ON entry.seq = seal.seq
    ORDER BY number
""")


def _covered(entry: Any) -> Iterator[bytes]:
    yield str(entry.seq).encode()
    yield entry.subject.bytes
    yield chain.microseconds(entry.at)
    for value in (entry.act, entry.channel, entry.list_id, entry.topic_id, entry.purpose, entry.mode):
        yield str(value).encode()
    yield bytes(entry.sealed)


LEDGER = Chain(b"mailer ledger 1", ONE_SEALER, ExitKind.HEAD, LedgerSeal, LedgerHead, MOMENT, UNSEALED, WALK, _covered)


def seal_batch(ctx: Context, size: int = 5000) -> int:
    """Link up to `size` rows to the chain, sign its head, and put that into the exits file; how many were linked."""
    return chain.seal_batch(ctx, LEDGER, size)


def next_link(before: bytes, entry: Any) -> bytes:
    """The link of an entry of the ledger."""
    return chain.next_link(LEDGER, before, entry)


def signed(number: int, link: bytes) -> bytes:
    """What a head's signature is over."""
    return chain.signed(number, link)
