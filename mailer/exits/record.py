"""Noting an exit: a row in the transaction of the exit itself, and a line for the file after its commit."""

import json
from typing import Any

from sqlalchemy import text

from mailer.context import Context
from mailer.core.exits import ExitKind, ExitLine

# Stamped by the database, after the exit's own row is locked: so the lines of one address sort as they happened,
# over all hosts.
MARK = text("""
    INSERT INTO exit_mark (host, id, number, kind, at, detail)
    VALUES (:host, :id, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, :kind, :at,
            CAST(:detail AS jsonb) || COALESCE((SELECT jsonb_build_object('instance', id) FROM instance), '{}'))
    RETURNING number, detail
""")
STAMP = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")


def record(ctx: Context, kind: ExitKind, detail: dict[str, Any]) -> ExitLine:
    """Mark an exit, a lift or an erasure; `detail` holds fingerprints and ids only. Never commits."""
    line_id, at = ctx.tokens.new_id(), ctx.clock.now()
    number, kept = ctx.db.execute(MARK, {
        "host": ctx.host, "id": line_id, "kind": kind, "at": at, "detail": json.dumps(detail)}).one()
    line = ExitLine(line_id, number, kind, at, kept)
    ctx.exit_lines.append(line)
    return line


def note_head(ctx: Context, *, number: int, hash: bytes, signature: bytes) -> None:
    """Put a signed head of the ledger's chain into the file; the head's own row is its mark."""
    stamp = ctx.db.execute(STAMP).scalar_one()
    ctx.exit_lines.append(ExitLine(ctx.tokens.new_id(), stamp, ExitKind.HEAD, ctx.clock.now(), head_detail(
        number, hash, signature)))


def head_detail(number: int, hash: bytes, signature: bytes) -> dict[str, Any]:
    """A head as a line holds it; octets in hexadecimal."""
    return {"number": number, "hash": hash.hex(), "signature": signature.hex()}
