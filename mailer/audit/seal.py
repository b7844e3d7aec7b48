"""The chain over the audit trail, so that an entry edited, taken out or written anew shows (promise M24)."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import text

from mailer.audit import chain, walk
from mailer.audit.chain import Chain
from mailer.audit.models import AuditHead, AuditSeal
from mailer.audit.walk import Verdict
from mailer.context import Context
from mailer.core.exits import ExitKind, Head

ONE_SEALER = 7141907

MOMENT = text("""
    SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) AS oldest_running,
           CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint) AS next_to_begin,
           COALESCE((SELECT max(seq) FROM audit_entry), 0) AS newest_seq,
           pg_postmaster_start_time() AS started, pg_relation_filenode('audit_seal') AS relation,
           current_database() AS database
""")
UNSEALED = text("""
    SELECT entry.seq, at, actor, act, about, detail FROM audit_entry entry
    WHERE seq > :floor AND NOT EXISTS (SELECT FROM audit_seal WHERE audit_seal.seq = entry.seq)
    ORDER BY seq LIMIT :size
""")
# One statement, so one snapshot: a batch that is sealed meanwhile is seen whole or not at all.
WALK = text("""
    SELECT number, seal.hash, seal.seq AS named, entry.seq, entry.at, actor, act, about, detail,
           head.hash AS head_hash, head.signature
    FROM audit_seal seal FULL JOIN audit_head head USING (number) LEFT JOIN audit_entry entry ON entry.seq = seal.seq
    ORDER BY number
""")


def _covered(entry: Any) -> Iterator[bytes]:
    yield str(entry.seq).encode()
    yield chain.microseconds(entry.at)
    for value in (entry.actor, entry.act, entry.about):
        yield str(value).encode()
    yield json.dumps(entry.detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


TRAIL = Chain(b"mailer audit 1", ONE_SEALER, ExitKind.AUDIT_HEAD, AuditSeal, AuditHead, MOMENT, UNSEALED, WALK,
              _covered)


def seal_batch(ctx: Context, size: int = 5000) -> int:
    """Link up to `size` entries, sign the head, and put that into the exits file; how many were linked."""
    return chain.seal_batch(ctx, TRAIL, size)


def verify(ctx: Context, remembered: Iterable[Head] = ()) -> Verdict:
    """Go through the whole trail; `remembered` are heads kept outside the database, which show a tail that was cut."""
    return walk.verify(ctx, TRAIL, remembered)
