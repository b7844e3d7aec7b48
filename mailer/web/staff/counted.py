"""Figures that take long to count are kept for a while, so that looking at a page again costs nothing."""

from collections.abc import Callable, Hashable
from time import monotonic
from typing import TypeVar

from mailer.web.support import application

T = TypeVar("T")

SLOW = 0.05
"""Seconds of counting from which on a figure is kept."""

KEPT = 60.0
"""Seconds at most for which it is."""

TIMES = 100
"""It is kept so many times as long as it took to count: at most a hundredth of a process's time goes to counting."""


def counted(name: Hashable, count: Callable[[], T], *, anew: bool = False) -> T:
    """What `count` says, or said lately in this process: small figures are exact, large ones up to a minute old.

    Counted `anew` it is as of now, whatever was kept.
    """
    kept: dict[Hashable, tuple[float, T]] = application().extensions.setdefault("counted", {})
    began = monotonic()
    for each in [each for each, (until, _) in kept.items() if until <= began]:
        kept.pop(each, None)
    found = kept.get(name)
    if found is not None and not anew:
        return found[1]
    answer = count()
    took = monotonic() - began
    if took > SLOW:
        kept[name] = (monotonic() + min(KEPT, TIMES * took), answer)
    return answer
