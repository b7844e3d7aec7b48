"""The stop list in figures: reasons, channels and months, with small numbers withheld."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from mailer.analytics import k_anonymity
from mailer.suppression.queries import Total

MONTHS = 12
WIDTHS = (1, 2, 3, 4, 6, 12)
"""Months that one step may cover: the narrowest in which no step points at anybody."""
OTHER = k_anonymity.OTHER


Row = tuple[str, str]


@dataclass(frozen=True)
class Figures:
    """`rows` are reason and channel, largest first, with `sums`: None where only few stand on the whole list.

    `steps` are the last twelve months in steps that point at nobody, named by their first day, with `step_sums`, and
    none where there are no such steps. `cells` have a row for each of `rows`: a number a step, then one for all that
    is older, which `has_older` says; None is hidden.
    """

    total: int
    rows: Sequence[Row]
    sums: Sequence[int | None]
    width: int
    steps: Sequence[date]
    step_sums: Sequence[int]
    has_older: bool
    cells: Sequence[Sequence[int | None]]


def figures(totals: Iterable[Total], today: date) -> Figures:
    """What may be shown of these totals: no part of any sum that is shown can be worked out from the others."""
    months = _months(today)
    counted: dict[Row, list[int]] = {}
    for each in totals:
        # The first place holds all that is older than a year.
        place = months.index(each.month) + 1 if each.month in months else 0
        counted.setdefault((each.reason, each.channel), [0] * (MONTHS + 1))[place] += each.n
    lines = _merged(counted)
    rows, wholes = list(lines), [sum(values) for values in lines.values()]
    older, *by_month = (sum(values) for values in zip(*lines.values(), strict=True)) if lines else [0] * (MONTHS + 1)
    if 0 < older < k_anonymity.FLOOR:
        # So few would be what is left of the total: they stand with the first step.
        for values in lines.values():
            values[0], values[1] = 0, values[0] + values[1]
        older, by_month[0] = 0, by_month[0] + older
    width, [step_sums] = k_anonymity.widened([by_month], WIDTHS) or (0, [[]])
    grid = [[*[sum(values[at:at + width]) for at in range(1, MONTHS + 1, width)], *([values[0]] if older else [])]
            for values in lines.values()] if width else []
    return Figures(
        sum(wholes), rows, [n if n >= k_anonymity.FLOOR else None for n in wholes], width,
        months[::width] if width else [], step_sums, older > 0, k_anonymity.grid(grid))


def _months(today: date) -> list[date]:
    """The first days of the last twelve months, oldest first."""
    last = today.year * 12 + today.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(last - MONTHS + 1, last + 1)]


def _merged(counted: Mapping[Row, list[int]]) -> dict[Row, list[int]]:
    """Rows under the floor stand together, with the next smallest where they would still be too few."""
    sums = {row: sum(values) for row, values in counted.items()}
    shown = sorted(sums, key=lambda row: -sums[row])
    small: list[Row] = []
    while shown and (sums[shown[-1]] < k_anonymity.FLOOR
                     or (small and (len(small) == 1 or sum(sums[row] for row in small) < k_anonymity.FLOOR))):
        small.append(shown.pop())
    together = {row: counted[row] for row in shown}
    if small:
        together[OTHER, ""] = [sum(values) for values in zip(*(counted[row] for row in small), strict=True)]
    return together
