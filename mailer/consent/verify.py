"""Checking the chain: every row as it was sealed, every head as it was signed, and none cut off."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from mailer.consent.seal import FIRST, next_link, signed
from mailer.context import Context
from mailer.exits.file import Head

AT_ONCE = 5000
# One statement, so one snapshot: a batch that is sealed meanwhile is seen whole or not at all.
CHAIN = text("""
    SELECT number, seal.hash, seal.seq AS named, entry.seq, subject, entry.at, act, channel, list_id, topic_id,
           purpose, mode, sealed, head.hash AS head_hash, head.signature
    FROM ledger_seal seal FULL JOIN ledger_head head USING (number) LEFT JOIN ledger_entry entry ON entry.seq = seal.seq
    ORDER BY number
""")


@dataclass(frozen=True)
class Verdict:
    """Rows checked, whether all is as it was written, and if not the first row that is not."""

    rows: int
    ok: bool
    first_bad: int | None = None


def verify(ctx: Context, remembered: Iterable[Head] = ()) -> Verdict:
    """Go through the whole chain; `remembered` are heads kept outside the database, which show a tail that was cut.

    `first_bad` is the number of the first row that was changed, put in or taken out; where the tail is gone, the one
    that should follow the last. Rows not yet sealed say nothing and are not counted.
    """
    links = _Links(ctx, list(remembered))
    first_bad = next((bad for bad in links.walk() if bad is not None), None) or links.cut_off()
    return Verdict(links.rows, first_bad is None, first_bad)


class _Links:
    """One walk along the chain."""

    def __init__(self, ctx: Context, remembered: list[Head]) -> None:
        self._ctx = ctx
        self._remembered: dict[int, list[Head]] = {}
        for head in remembered:
            self._remembered.setdefault(head.number, []).append(head)
        self._link = FIRST
        self._number = self._seq = self.rows = 0
        self._unsigned: int | None = None
        """The first row past the newest head so far: a batch always ends with one."""

    def walk(self) -> Iterator[int | None]:
        """For each row its number when it is not as it was sealed, else None."""
        for row in self._ctx.db.execute(CHAIN, execution_options={"yield_per": AT_ONCE}):
            self.rows += 1
            yield None if self._holds(row) else row.named or self._seq + 1

    def cut_off(self) -> int | None:
        """After a walk that found nothing: the row from which on the end of the chain is gone or unsigned."""
        return self._seq + 1 if self._number < max(self._remembered, default=0) else self._unsigned

    def _holds(self, row: Any) -> bool:
        if row.seq is None or row.number != self._number + 1:
            return False
        self._link = next_link(self._link, row)
        self._number, self._seq = row.number, row.seq
        heads = [*self._remembered.get(row.number, [])]
        if row.head_hash is not None:
            heads.append(Head(row.number, bytes(row.head_hash), bytes(row.signature)))
            self._unsigned = None
        elif self._unsigned is None:
            self._unsigned = row.seq
        return bytes(row.hash) == self._link and all(self._is_head(head) for head in heads)

    def _is_head(self, head: Head) -> bool:
        return head.hash == self._link and self._ctx.sealer.is_ours(signed(head.number, head.hash), head.signature)
