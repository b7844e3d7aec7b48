"""Writing down how hand-overs ended: set-wise, fenced by the slice, counters last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import psycopg

from mailer.core.channel import Fate, Outcome
from mailer.core.messages import State
from mailer.db import Ids
from mailer.gate.caps import give_back
from mailer.gate.terms import leaf
from mailer.outbox import counts

Cursor = psycopg.Cursor[tuple[object, ...]]

ENDS = {Fate.ACCEPTED: State.ACCEPTED, Fate.DEFERRED: State.DEFERRED, Fate.FAILED: State.FAILED,
        Fate.UNCERTAIN: State.UNCERTAIN, Fate.UNBEGUN: State.READY}

RETRY_MINUTES = (5, 15, 60, 240, 480, 720)
"""Gaps after the first, second … transient answer, then the last one (RFC 5321 §4.5.4.1, with a shorter start)."""

LANE_SECONDS = (5, 10, 20, 40, 80, 160, 300)
"""How long a lane is left alone after one more sign that its server is down or slows us."""

ANSWERED = frozenset({Fate.DEFERRED, Fate.FAILED})

NO_ANSWER = "connect"
"""The code of what no server answered to; it is tried again soon and counts as no answer."""

BY_CHANCE = "(0.8 + 0.4 * random())"
"""A factor in SQL, so that what was put off together does not come back together."""


@dataclass(frozen=True)
class Place:
    """Which campaign's rows a slice holds."""

    campaign_id: int
    month: date
    slice_id: int
    worker: str

    @property
    def table(self) -> str:
        """The leaf that holds its messages."""
        return leaf("message", self.month)


ALIKE = """
    WITH soon AS MATERIALIZED (SELECT set_config('synchronous_commit', %(commit)s, true)),
    moved AS (
        UPDATE {table} SET state = 'accepted', code = %(code)s
        WHERE campaign_id = %(id)s AND contact_point_id = ANY(%(rows)s) AND slice = %(slice)s AND state = 'handed'
          AND (SELECT true FROM soon)
        RETURNING 1
    ), counted AS (
        SELECT count(*) AS n FROM moved
    ), gone AS (
        DELETE FROM slice WHERE id = %(slice)s AND %(closes)s
    ), added AS (
        INSERT INTO campaign_count (campaign_id, worker, state, detail, n)
        SELECT %(id)s, %(worker)s, word, '', n * sign
        FROM counted, (VALUES ('accepted', 1), ('handed', -1)) AS s (word, sign)
        ON CONFLICT (campaign_id, worker, state, detail) DO UPDATE SET n = campaign_count.n + excluded.n
    )
    SELECT n FROM counted
"""


def record_accepted(cursor: Cursor, place: Place, rows: Sequence[int], code: str, *, closes: bool = True,
                    waits: bool = True) -> bool:
    """Move rows that were all accepted with the same answer, in one statement.

    Unless it `waits` for the disk the journal must keep the slice until a later commit has waited (decision 9).
    False when not all of the rows were still in this slice's hands: `record` then settles the rest.
    """
    cursor.execute(ALIKE.format(table=place.table), {
        "id": place.campaign_id, "rows": Ids.of(rows), "slice": place.slice_id, "worker": place.worker, "code": code,
        "closes": closes, "commit": "on" if waits else "off"})
    return (cursor.fetchone() or (0,))[0] == len(rows)


BACK = """
    WITH soon AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
    moved AS (
        UPDATE {table} SET state = 'ready', code = NULL
        WHERE campaign_id = %(id)s AND contact_point_id = ANY(%(rows)s) AND slice = %(slice)s AND state = 'handed'
          AND (SELECT true FROM soon)
        RETURNING block
    ), counted AS (
        SELECT count(*) AS n FROM moved
    ), held AS (
        SELECT block FROM message_block WHERE campaign_id = %(id)s AND block IN (SELECT block FROM moved)
        ORDER BY block FOR UPDATE
    ), opened AS (
        UPDATE message_block b SET open = true FROM held WHERE b.campaign_id = %(id)s AND b.block = held.block
    ), gone AS (
        DELETE FROM slice WHERE id = %(slice)s AND %(closes)s
    ), added AS (
        INSERT INTO campaign_count (campaign_id, worker, state, detail, n)
        SELECT %(id)s, %(worker)s, 'handed', '', -n FROM counted
        ON CONFLICT (campaign_id, worker, state, detail) DO UPDATE SET n = campaign_count.n + excluded.n
    )
    SELECT n FROM counted
"""


def record_unbegun(cursor: Cursor, place: Place, rows: Sequence[int], *, closes: bool = True) -> bool:
    """Let rows wait again of which nothing was begun, in one statement that does not wait for the disk.

    The journal must keep the slice until a later commit has waited. False when not all of the rows were still in
    this slice's hands: `record` then settles the rest.
    """
    cursor.execute(BACK.format(table=place.table), {
        "id": place.campaign_id, "rows": Ids.of(rows), "slice": place.slice_id, "worker": place.worker,
        "closes": closes})
    return (cursor.fetchone() or (0,))[0] == len(rows)


def record(cursor: Cursor, place: Place, outcomes: Sequence[Outcome], *, closes: bool = True) -> None:
    """Move the slice's rows to where their outcomes say and drop the slice; rows that another fence holds stay.

    Also corrects rows that were given up as uncertain, when the answer turns up late (decision 8).
    """
    deltas: counts.Deltas = counts.Deltas()
    cursor.execute(f"""
        SELECT contact_point_id, state, block FROM {place.table}
        WHERE campaign_id = %s AND contact_point_id = ANY(%s) AND slice = %s AND state IN ('handed', 'uncertain')
        ORDER BY block, contact_point_id FOR UPDATE""",
        (place.campaign_id, Ids([each.row for each in outcomes]), place.slice_id))
    held = {row: (str(state), block) for row, state, block in cursor.fetchall()}
    moved = [each for each in outcomes if each.row in held and ENDS[each.fate] != held[each.row][0]]
    if any(state == State.UNCERTAIN for state, _ in held.values()):
        moved = _corrected(cursor, place, moved)
    _move(cursor, place, [each for each in moved if each.fate is not Fate.DEFERRED])
    _defer(cursor, place, [each for each in moved if each.fate is Fate.DEFERRED], held)
    # Before blocks are locked: who changes a preference holds its row and then waits for the block.
    give_back(cursor, [each.row for each in moved if each.fate is Fate.FAILED])
    _reopen(cursor, place, sorted({int(str(held[each.row][1])) for each in moved if each.fate is Fate.UNBEGUN}))
    down = [each for each in moved if each.lane_down]
    _hold_lanes(cursor, place, [int(str(held[each.row][1])) for each in down], next((each.code for each in down), ""),
                answered=any(each.fate in ANSWERED and each.code != NO_ANSWER for each in down))
    for each in moved:
        state = ENDS[each.fate]
        deltas[held[each.row][0], ""] -= 1
        if state is not State.READY:
            deltas[state, each.code if state is State.FAILED else ""] += 1
    if closes:
        cursor.execute("DELETE FROM slice WHERE id = %s", (place.slice_id,))
    counts.add(cursor, place.campaign_id, place.worker, deltas)


def _corrected(cursor: Cursor, place: Place, moved: list[Outcome]) -> list[Outcome]:
    """Answers that came late: once the campaign is closed nothing waits again, and its own sums follow."""
    cursor.execute("SELECT finished_at IS NOT NULL FROM campaign WHERE id = %s FOR NO KEY UPDATE", (place.campaign_id,))
    if not (cursor.fetchone() or (False,))[0]:
        return moved
    ended = [each for each in moved if ENDS[each.fate] in (State.ACCEPTED, State.FAILED)]
    accepted = sum(each.fate is Fate.ACCEPTED for each in ended)
    cursor.execute("""UPDATE campaign SET accepted = accepted + %s, failed = failed + %s, uncertain = uncertain - %s
                      WHERE id = %s""", (accepted, len(ended) - accepted, len(ended), place.campaign_id))
    return ended


def _move(cursor: Cursor, place: Place, outcomes: Sequence[Outcome]) -> None:
    if outcomes:
        cursor.execute(f"""
            UPDATE {place.table} m SET state = o.state, code = nullif(o.code, '')
            FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS o (row, state, code)
            WHERE m.campaign_id = %s AND m.contact_point_id = o.row""",
            ([each.row for each in outcomes], [str(ENDS[each.fate]) for each in outcomes],
             ["" if each.fate is Fate.UNBEGUN else each.code for each in outcomes], place.campaign_id))


def _defer(cursor: Cursor, place: Place, outcomes: Sequence[Outcome], held: dict[object, tuple[str, object]]) -> None:
    """Deferred rows leave their block for a later one of the same lane, so that nothing waits for them.

    The block counts the answers, since a row's attempts count its clearances, of which many may never have begun.
    """
    by_block: dict[tuple[int, bool], list[Outcome]] = {}
    for each in outcomes:
        by_block.setdefault((int(str(held[each.row][1])), each.code != NO_ANSWER), []).append(each)
    for (block, answered), group in sorted(by_block.items()):
        cursor.execute(f"""
            INSERT INTO message_block (campaign_id, block, lane, open, not_before, tries)
            SELECT campaign_id, nextval('deferred_block'), lane, true, clock_timestamp() + make_interval(secs =>
                       {BY_CHANCE} * CASE WHEN %(answered)s THEN 60 * (%(gaps)s::int[])[least(tries + 1, %(last)s)]
                                          ELSE %(soon)s END), tries + %(answered)s::int
            FROM message_block WHERE campaign_id = %(id)s AND block = %(block)s RETURNING block, not_before""",
            {"answered": answered, "gaps": list(RETRY_MINUTES), "last": len(RETRY_MINUTES), "soon": LANE_SECONDS[0],
             "id": place.campaign_id, "block": block})
        new_block, until = cursor.fetchone() or (block, None)
        cursor.execute(f"""
            UPDATE {place.table} m SET state = 'deferred', code = o.code, until = %s, block = %s
            FROM unnest(%s::bigint[], %s::text[]) AS o (row, code)
            WHERE m.campaign_id = %s AND m.contact_point_id = o.row""",
            (until, new_block, [each.row for each in group], [each.code for each in group], place.campaign_id))


def _reopen(cursor: Cursor, place: Place, blocks: Sequence[int]) -> None:
    if blocks:
        cursor.execute("""
            WITH held AS (SELECT block FROM message_block WHERE campaign_id = %(id)s AND block = ANY(%(blocks)s)
                          ORDER BY block FOR UPDATE)
            UPDATE message_block b SET open = true FROM held WHERE b.campaign_id = %(id)s AND b.block = held.block""",
            {"id": place.campaign_id, "blocks": list(blocks)})


def _hold_lanes(cursor: Cursor, place: Place, blocks: Sequence[int], code: str, *, answered: bool) -> None:
    """Leave the lanes of these blocks alone, longer each time in a row; after ten good minutes they start over.

    Where nothing was `answered` and a mail server rests, its own rest is enough: once that ends all lanes go on.
    """
    if blocks:
        cursor.execute(f"""
            INSERT INTO lane_hold (lane, until, step, code)
            SELECT lane, clock_timestamp() + make_interval(secs => %(first)s * {BY_CHANCE}), 0, %(code)s
            FROM (SELECT DISTINCT lane FROM message_block
                  WHERE campaign_id = %(campaign)s AND block = ANY(%(blocks)s)) AS l
            WHERE %(answered)s OR NOT EXISTS (SELECT FROM server_hold WHERE until > clock_timestamp())
            ORDER BY lane
            ON CONFLICT (lane) DO UPDATE SET
                step = CASE WHEN lane_hold.until < clock_timestamp() - interval '10 minutes' THEN 0
                            ELSE least(lane_hold.step + 1, %(last)s) END,
                until = clock_timestamp() + make_interval(secs => {BY_CHANCE} *
                    (%(seconds)s::int[])[least(lane_hold.step + 2, %(last)s + 1)]), code = excluded.code
            WHERE lane_hold.until <= clock_timestamp()""",
            {"first": LANE_SECONDS[0], "code": code, "campaign": place.campaign_id, "blocks": list(blocks),
             "answered": answered, "last": len(LANE_SECONDS) - 1, "seconds": list(LANE_SECONDS)})
