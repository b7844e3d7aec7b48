"""Checking a chain: every row as it was sealed, every head as it was signed, and none cut off."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mailer.audit.chain import FIRST, Chain, next_link, signed
from mailer.context import Context
from mailer.core.exits import Head

AT_ONCE = 5000


@dataclass(frozen=True)
class Verdict:
    """Rows checked, whether all is as it was written, and if not the first row that is not."""

    rows: int
    ok: bool
    first_bad: int | None = None


def verify(ctx: Context, chain: Chain, remembered: Iterable[Head] = ()) -> Verdict:
    """Go through the whole chain; `remembered` are heads kept outside the database, which show a tail that was cut.

    `first_bad` is the number of the first row that was changed, put in or taken out; where the tail is gone, the one
    that should follow the last. Rows not yet sealed say nothing and are not counted.
    """
    links = _Links(ctx, chain, list(remembered))
    first_bad = next((bad for bad in links.walk() if bad is not None), None) or links.cut_off()
    return Verdict(links.rows, first_bad is None, first_bad)


class _Links:
    """One walk along the chain."""

    def __init__(self, ctx: Context, chain: Chain, remembered: list[Head]) -> None:
        self._ctx, self._chain = ctx, chain
        self._remembered: dict[int, list[Head]] = {}
        for head in remembered:
            self._remembered.setdefault(head.number, []).append(head)
        self._link = FIRST
        self._number = self._seq = self.rows = 0
        self._unsigned: int | None = None
        """The first row past the newest head so far: a batch always ends with one."""

    def walk(self) -> Iterator[int | None]:
        """For each row its number when it is not as it was sealed, else None."""
        for row in self._ctx.db.execute(self._chain.walk, execution_options={"yield_per": AT_ONCE}):
            self.rows += 1
            yield None if self._holds(row) else row.named or self._seq + 1

    def cut_off(self) -> int | None:
        """After a walk that found nothing: the row from which on the end of the chain is gone or unsigned."""
        return self._seq + 1 if self._number < max(self._remembered, default=0) else self._unsigned

    def _holds(self, row: Any) -> bool:
        if row.seq is None or row.number != self._number + 1:
            return False
        self._link = next_link(self._chain, self._link, row)
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
