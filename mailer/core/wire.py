"""What the sending half of a channel must do: hold a provider's connections and hand over cleared messages."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from mailer.core.channel import Clearance, Journal, Outcome, Parcel


class Settled(NamedTuple):
    """One hand-over that ended, with the clearance it began under."""

    clearance: Clearance
    outcome: Outcome


class Wire(Protocol):
    """A way out with many messages under way, driven by its owner: it moves only inside `turn`.

    It belongs to one thread at a time. Each parcel queued ends exactly once, in what `settled` returns: begun no later
    than its `begin_before`, journalled at most once before its final dot and after its reply. One whose envelope no
    server answered may be begun anew elsewhere, within the same time.
    """

    @property
    def unbegun(self) -> int:
        """Parcels queued of which nothing was written yet."""

    @property
    def under_way(self) -> int:
        """Parcels queued that have not ended, the unbegun ones included."""

    def room(self, wanted: int, *, urgent: bool = False) -> int:
        """How many parcels, at most `wanted`, could be begun about now: 0 while every server is held or used up.

        What is `urgent` may use what limits keep for single messages.
        """

    def deliver(self, parcels: Sequence[Parcel], journal: Journal) -> None:
        """Queue parcels behind those that wait; their begins and ends are written to this journal."""

    def turn(self, seconds: float, file: int = -1, events: int = 0) -> int:
        """Move every connection as far as it goes, waiting at most `seconds` for something to happen.

        With `file`, a descriptor, it also ends when one of `events` (select.EPOLLIN, EPOLLOUT) is true of it, and
        returns those that are.
        """

    def settled(self) -> list[Settled]:
        """What has ended since last asked, in the order in which it ended."""

    def recall(self) -> None:
        """Begin nothing more of what is queued: what was not begun ends as UNBEGUN at once."""

    def call_back(self, rows: Collection[int]) -> None:
        """Begin none of these rows any more: what is queued of them ends as UNBEGUN at once, the rest as it ends."""

    def close(self) -> None:
        """Take in the replies still on their way, for a few seconds at most, and say goodbye."""


class Transport(Protocol):
    """The half that sends. Held by Services, reached by outbox.dispatch alone."""

    def wire(self) -> Wire:
        """A wire of its own for the thread that asks; the caller closes it."""

    def close(self) -> None:
        """Say goodbye to the provider."""
