"""Small numbers point at people: below a floor they are withheld (promise M23)."""

from collections.abc import Mapping, Sequence

FLOOR = 10
"""People that a figure must cover before it is shown to those who may not see people."""

OTHER = "other"


def shown(count: int, k: int = FLOOR) -> str:
    """The count with separators, or `fewer than 10` below the floor, also for none at all."""
    return f"fewer than {k}" if count < k else f"{count:,}"


def parts(counts: Mapping[str, int], k: int = FLOOR) -> dict[str, str]:
    """Parts of a total: where exactly one is too small, the next smallest hides with it as `other`.

    Without that, subtracting the parts shown from the total would show the hidden one.
    """
    present = {name: count for name, count in counts.items() if count}
    small = [name for name, count in present.items() if count < k]
    if len(small) != 1 or len(present) == 1:
        return {name: shown(count, k) for name, count in present.items()}
    hidden = sorted(present, key=lambda name: present[name])[:2]
    kept = {name: shown(count, k) for name, count in present.items() if name not in hidden}
    return kept | {OTHER: shown(sum(present[name] for name in hidden), k)}


def widened(series: Sequence[Sequence[int]], widths: Sequence[int], k: int = FLOOR
            ) -> tuple[int, list[list[int]]] | None:
    """Series over time in the narrowest steps of which each is empty or reaches the floor; None where none does."""
    for width in widths:
        wide = [[sum(values[at:at + width]) for at in range(0, len(values), width)] for values in series]
        if all(value == 0 or value >= k for values in wide for value in values):
            return width, wide
    return None


def grid(cells: Sequence[Sequence[int]], k: int = FLOOR) -> list[list[int | None]]:
    """A table whose sums are known: cells under the floor are hidden (None), none by itself in its row or column.

    Where one alone is hidden the smallest other one that holds anybody hides with it, or else one that holds nobody,
    so that no sum gives it away.
    """
    shown: list[list[int | None]] = [[value if value == 0 or value >= k else None for value in row] for row in cells]
    lines = [[(at, place) for place in range(len(row))] for at, row in enumerate(cells)]
    lines += [[(at, place) for at in range(len(cells))] for place in range(len(cells[0]) if cells else 0)]
    changed = True
    while changed:
        changed = False
        for line in lines:
            hidden = [place for place in line if shown[place[0]][place[1]] is None]
            others = [place for place in line if shown[place[0]][place[1]] is not None]
            if len(hidden) == 1 and others:
                at, place = min(others, key=lambda each: (not cells[each[0]][each[1]], cells[each[0]][each[1]]))
                shown[at][place] = None
                changed = True
    return shown
