"""What a connection asks of the wire it belongs to."""

from typing import TYPE_CHECKING, Protocol

from mailer.channels.email.relay import Relay
from mailer.channels.email.replies import Verdict
from mailer.core.channel import Clearance, Journal, Outcome, Parcel

if TYPE_CHECKING:
    from mailer.channels.email.connection import Connection

Entry = tuple[Parcel, Journal]
"""A message, and the journal that its hand-over is written to."""


class Owner(Protocol):
    """What a connection asks of the wire it belongs to."""

    def take(self, relay: Relay) -> Entry | None:
        """The next message to begin now."""

    def give_back(self, relay: Relay, entry: Entry) -> None:
        """A message of which no server heard, to be begun on another connection."""

    def settle(self, clearance: Clearance, outcome: Outcome) -> None:
        """A message has ended."""

    def praise(self, relay: Relay) -> None:
        """A server took its first message."""

    def rest(self, connection: "Connection") -> None:
        """A connection has nothing to do."""

    def watch(self, connection: "Connection") -> None:
        """A connection has something left to write, or no more."""

    def gone(self, connection: "Connection", broke: Verdict | None) -> None:
        """A connection is closed; `broke` when its very first message was how it ended."""
