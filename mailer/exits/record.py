"""Noting an exit: a row in the transaction of the exit itself, and a line for the file after its commit."""

import json
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from mailer.context import Context
from mailer.core.exits import ExitKind, ExitLine
from mailer.exits.models import ExitMark

# Stamped by the database, after the exit's own row is locked: so the lines of one address sort as they happened,
# over all hosts.
MARK = text("""
    INSERT INTO exit_mark (host, id, number, kind, at, detail)
    VALUES (:host, :id, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, :kind, :at,
            CAST(:detail AS jsonb) || COALESCE((SELECT jsonb_build_object('instance', id) FROM instance), '{}'))
    RETURNING number, detail
""")


def record(ctx: Context, kind: ExitKind, detail: dict[str, Any]) -> ExitLine:
    """Mark an exit, a lift or an erasure; `detail` holds fingerprints and ids only. Never commits."""
    line_id, at = ctx.tokens.new_id(), ctx.clock.now()
    number, kept = ctx.db.execute(MARK, {
        "host": ctx.host, "id": line_id, "kind": kind, "at": at, "detail": json.dumps(detail)}).one()
    line = ExitLine(line_id, number, kind, at, kept)
    ctx.exit_lines.append(line)
    return line


def mark(ctx: Context, host: str, line: ExitLine) -> None:
    """Take over a line of a file that this database does not know, once it has been applied."""
    ctx.db.execute(insert(ExitMark).values(
        host=host, id=line.id, number=line.number, kind=line.kind, at=line.at, detail=line.detail
    ).on_conflict_do_nothing())
