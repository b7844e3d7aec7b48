"""One more layer on the fingerprints of a table, some thousands of rows a transaction, from the stored value alone.

Rows that somebody holds are left for the next pass: a step never waits, so nobody who leaves waits for it long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, BigInteger, LargeBinary, SmallInteger, Text, TextClause, bindparam, text

from mailer.context import Context
from mailer.organisation.key_state import ROTATING

CHUNK = 2000
HOLD = text("SELECT pg_advisory_xact_lock(:key)").bindparams(key=ROTATING)


@dataclass(frozen=True)
class Table:
    """A table with fingerprints under one version: its key, the columns, and what makes two rows one and the same."""

    name: str
    key: str = "id"
    columns: tuple[str, ...] = ("fingerprint",)
    twin: str = ""
    """How a row `t` would already say what `row` says under its new fingerprint `new.p0`; the older one goes."""
    keep_twins: bool = False


CONTACT_POINTS = Table("contact_point", twin="t.channel = row.channel AND t.fingerprint = new.p0", keep_twins=True)
OTHERS = (
    Table("pending_request", twin="t.channel = row.channel AND t.list_id = row.list_id AND t.fingerprint = new.p0"),
    Table("delayed_stop", key="ctid", twin="t.channel = row.channel AND t.fingerprint = new.p0"),
    Table("address_change", columns=("new_fingerprint", "old_fingerprint")),
    Table("friend_request", columns=("friend_fingerprint", "sender_fingerprint")),
    Table("friend_mark"),
    Table("never_code", key="hash"),
    Table("child_report"),
    Table("rights_request", columns=("contact_fingerprint",)),
)
TABLES = frozenset({"suppression", CONTACT_POINTS.name, *(table.name for table in OTHERS)})

# Entries move to another place of their key, so they are taken out and put in again; one that is there already takes
# over what is stricter.
SOME_ENTRIES = text("""
    SELECT channel, fingerprint, list_id, topic_id, reason, fingerprint_version FROM suppression
    WHERE fingerprint_version < :to AND (channel, fingerprint, list_id, topic_id, reason)
          > (:channel, :print, :list, :topic, :reason)
    ORDER BY channel, fingerprint, list_id, topic_id, reason LIMIT :most FOR UPDATE SKIP LOCKED
""")
MOVE_ENTRIES = text("""
    WITH gone AS (
        DELETE FROM suppression s
        USING unnest(:channels, :olds, :lists, :topics, :reasons, :news)
              AS moved(channel, old, list_id, topic_id, reason, print)
        WHERE (s.channel, s.fingerprint, s.list_id, s.topic_id, s.reason)
            = (moved.channel, moved.old, moved.list_id, moved.topic_id, moved.reason)
        RETURNING s.channel, moved.print, s.list_id, s.topic_id, s.reason, s.mode, s.day, s.until, s.sample
    )
    INSERT INTO suppression (channel, fingerprint, list_id, topic_id, reason, fingerprint_version, mode, day, until,
                             sample)
    SELECT channel, print, list_id, topic_id, reason, :to,
           CASE WHEN bool_or(mode = 'live') THEN 'live' ELSE min(mode) END, min(day),
           CASE WHEN bool_or(until IS NULL) THEN NULL ELSE max(until) END, bool_and(sample)
    FROM gone GROUP BY channel, print, list_id, topic_id, reason
    ON CONFLICT (channel, fingerprint, list_id, topic_id, reason) DO UPDATE
    SET until = CASE WHEN suppression.until IS NULL OR excluded.until IS NULL THEN NULL
                     ELSE greatest(suppression.until, excluded.until) END,
        mode = CASE WHEN 'live' IN (suppression.mode, excluded.mode) THEN 'live' ELSE suppression.mode END,
        day = least(suppression.day, excluded.day)
""").bindparams(
    *(bindparam(name, type_=ARRAY(LargeBinary)) for name in ("olds", "news")),
    *(bindparam(name, type_=ARRAY(Text)) for name in ("channels", "reasons")),
    *(bindparam(name, type_=ARRAY(BigInteger)) for name in ("lists", "topics")), bindparam("to", type_=SmallInteger))

Place = tuple[Any, ...]
FIRST: Place = ("", b"", 0, 0, "")


def layer_entries(ctx: Context, to: int, after: Place = FIRST) -> Place | None:
    """Bring some entries of the stop list to this version; where to go on, None at the end."""
    ctx.db.execute(HOLD)
    rows = ctx.db.execute(SOME_ENTRIES, {
        "to": to, "most": CHUNK, "channel": after[0], "print": after[1], "list": after[2], "topic": after[3],
        "reason": after[4]}).all()
    if not rows:
        return None
    ctx.db.execute(MOVE_ENTRIES, {
        "to": to, "channels": [row.channel for row in rows], "olds": [row.fingerprint for row in rows],
        "lists": [row.list_id for row in rows], "topics": [row.topic_id for row in rows],
        "reasons": [row.reason for row in rows],
        "news": [ctx.sealer.layer_up(bytes(row.fingerprint), row.fingerprint_version, to) for row in rows]})
    return tuple(rows[-1][:5])


def layer_rows(ctx: Context, table: Table, to: int, after: Any = None) -> Any:
    """The same for a table whose rows stay where they are."""
    chosen = ", ".join((f"row.{table.key}::text" if table.key == "ctid" else f"row.{table.key}", *table.columns))
    where = "" if after is None else f"AND row.{table.key} > {_typed(table.key)}"
    rows = ctx.db.execute(text(
        f"SELECT {chosen}, fingerprint_version FROM {table.name} row WHERE fingerprint_version < :to {where} "
        f"ORDER BY row.{table.key} LIMIT :most FOR UPDATE SKIP LOCKED"),
        {"to": to, "most": CHUNK} | ({} if after is None else {"after": after})).all()
    if not rows:
        return None
    values = {"keys": [row[0] for row in rows], "to": to} | {
        f"p{number}": [_layered(ctx, row[1 + number], row[-1], to) for row in rows]
        for number in range(len(table.columns))}
    for statement in _statements(table):
        ctx.db.execute(statement, values)
    return rows[-1][0]


def remaining(ctx: Context, to: int) -> dict[str, int]:
    """How many rows of each table are older than this version; tables without any are left out."""
    counts = {name: left(ctx, name, to) for name in sorted(TABLES)}
    return {name: number for name, number in counts.items() if number}


def left(ctx: Context, table: str, to: int) -> int:
    """How many rows of one table are older than this version."""
    return int(ctx.db.scalar(text(f"SELECT count(*) FROM {table} WHERE fingerprint_version < :to"), {"to": to}) or 0)


def _layered(ctx: Context, fingerprint: bytes | None, version: int, to: int) -> bytes | None:
    """What was emptied stays empty."""
    return ctx.sealer.layer_up(bytes(fingerprint), version, to) if fingerprint else fingerprint


def _statements(table: Table) -> list[TextClause]:
    columns = [f"p{number}" for number in range(len(table.columns))]
    new = (f"unnest(:keys, {', '.join(':' + column for column in columns)}) "
           f"AS new(key, {', '.join(columns)})")
    mine = f"row.{table.key} = new.key{'::tid' if table.key == 'ctid' else ''}"
    twins = f"EXISTS (SELECT FROM {table.name} t WHERE {table.twin})" if table.twin else ""
    found = []
    if table.name == "delayed_stop":
        found.append(f"UPDATE delayed_stop t SET due_at = least(t.due_at, row.due_at) FROM delayed_stop row, {new} "
                     f"WHERE {mine} AND {table.twin}")
    if twins and not table.keep_twins:
        found.append(f"DELETE FROM {table.name} row USING {new} WHERE {mine} AND {twins}")
    changed = ", ".join(f"{column} = new.p{number}" for number, column in enumerate(table.columns))
    found.append(f"UPDATE {table.name} row SET {changed}, fingerprint_version = :to FROM {new} WHERE {mine}"
                 + (f" AND NOT {twins}" if twins else ""))
    return [_bound(each, table, columns) for each in found]


def _bound(statement: str, table: Table, columns: Sequence[str]) -> TextClause:
    made = text(statement.replace(":keys", "CAST(:keys AS text[])") if table.key == "ctid" else statement)
    for column in columns:
        made = made.bindparams(bindparam(column, type_=ARRAY(LargeBinary)))
    if table.key != "ctid":
        made = made.bindparams(bindparam("keys", type_=ARRAY(LargeBinary if table.key == "hash" else BigInteger)))
    return made


def _typed(key: str) -> str:
    return "CAST(:after AS tid)" if key == "ctid" else ":after"
