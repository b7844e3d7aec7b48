"""Where one turn is in each lane: all lanes without a limit together, and each limited lane by itself."""

from collections.abc import Iterator, Sequence

from mailer.core.lanes import Bucket, Pace, Unlimited
from mailer.core.modes import Mode
from mailer.outbox.assignment import Assignment


class LanesOpen:
    """Cursors over a campaign's blocks; workers walk through the blocks and none looks back (decision 10)."""

    def __init__(self, pace: Pace, task: Assignment) -> None:
        # What never leaves must neither wait for a limit nor use it up.
        self._pace = Unlimited() if task.mode is Mode.PRACTICE else pace
        self._sender = Bucket("sender", task.copy.sender.address)
        self._after: dict[int | None, int] = {}
        self._first = 0
        self.limited: Sequence[int] = ()

    def in_turn(self) -> Iterator[int | None]:
        """The lanes to ask, each time another first; None stands for all that have no limit of their own."""
        self.limited = self._pace.limited_lanes()
        lanes: list[int | None] = [None, *self.limited]
        self._first = (self._first + 1) % len(lanes)
        yield from lanes[self._first:]
        yield from lanes[:self._first]

    def grant(self, lane: int | None, wanted: int) -> int:
        """Leave for so many of a lane's rows."""
        return self._pace.grant(self.buckets(lane), wanted)

    def restore(self, lane: int | None, unused: int) -> None:
        """Leave that was not used."""
        self._pace.restore(self.buckets(lane), unused)

    def buckets(self, lane: int | None) -> list[Bucket]:
        """What a hand-over in this lane takes from."""
        return [self._sender] if lane is None else [self._sender, Bucket("domain", str(lane))]

    def after(self, lane: int | None) -> int:
        """The last block of this lane that was looked at."""
        return self._after.get(lane, 0)

    def went_on(self, lane: int | None, block: int) -> None:
        self._after[lane] = block

    def all_looked_through(self) -> bool:
        """Whether a round from the very beginning found nothing; otherwise the next round begins there."""
        from_the_beginning = not any(self._after.values())
        self._after.clear()
        return from_the_beginning
