"""Lanes: what is slow or limited for one destination holds up nobody else (engine guarantee 5)."""

from collections.abc import Sequence
from time import monotonic
from typing import Final, NamedTuple, Protocol

SHARED: Final = 32
"""Small domains share this many lanes, numbered from 0."""

OWN: Final = 1 << 62
"""Set in the number of a lane that one domain has to itself."""


def lane_of(domain_hash: bytes) -> int:
    """The number of a domain's own lane, from the keyed hash of its name (8 octets, decision 12)."""
    return int.from_bytes(domain_hash, "big") & (OWN - 1) | OWN


class Bucket(NamedTuple):
    """What a limit is for: `scope` is server, sender or domain, `name` a mail server's name, an address, a lane."""

    scope: str
    name: str


class Pace(Protocol):
    """Hands out leave to send, as fast as limits allow. A bucket without a limit grants everything."""

    def grant(self, buckets: Sequence[Bucket], wanted: int, *, urgent: bool = False) -> int:
        """Take up to `wanted` from all of these buckets together; how many. 0 where the limits cannot be asked.

        What is `urgent` (a single message) may take what campaigns must leave in a mail server's bucket.
        """

    def restore(self, buckets: Sequence[Bucket], unused: int) -> None:
        """Give back what was taken and not used."""

    def limited_lanes(self) -> Sequence[int]:
        """The numbers of lanes with a limit of their own."""


class ServerBoard(Protocol):
    """Knows, for every process and host, which mail servers are left alone for a while."""

    def held(self) -> frozenset[str]:
        """Names of the servers that rest at the moment; cheap enough to ask before each connection."""

    def report(self, server: str, code: str) -> None:
        """This server could not be used; a refused password (`auth`, `535 …`) makes it rest longest and is told."""

    def clear(self, server: str) -> None:
        """This server took a message."""


class Unlimited:
    """Implements `Pace` where nothing is limited."""

    def grant(self, buckets: Sequence[Bucket], wanted: int, *, urgent: bool = False) -> int:
        return wanted

    def restore(self, buckets: Sequence[Bucket], unused: int) -> None:
        return

    def limited_lanes(self) -> Sequence[int]:
        return ()


class OwnBoard:
    """Implements `ServerBoard` for one process alone."""

    SHORTEST, LONGEST = 5.0, 300.0

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._wait: dict[str, float] = {}

    def held(self) -> frozenset[str]:
        if not self._until:
            return frozenset()
        now = monotonic()
        return frozenset(name for name, until in tuple(self._until.items()) if until > now)

    def report(self, server: str, code: str) -> None:
        now = monotonic()
        if self._until.get(server, now) > now:
            return
        wait = min(self._wait.get(server, self.SHORTEST / 2) * 2, self.LONGEST)
        self._wait[server], self._until[server] = wait, now + wait

    def clear(self, server: str) -> None:
        self._wait.pop(server, None)
        self._until.pop(server, None)
