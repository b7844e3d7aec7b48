"""Lanes: what is slow or limited for one destination holds up nobody else (engine guarantee 5)."""

from collections.abc import Sequence
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

    def grant(self, buckets: Sequence[Bucket], wanted: int) -> int:
        """Take up to `wanted` from all of these buckets together; how many. 0 where the limits cannot be asked."""

    def restore(self, buckets: Sequence[Bucket], unused: int) -> None:
        """Give back what was taken and not used."""

    def limited_lanes(self) -> Sequence[int]:
        """The numbers of lanes with a limit of their own."""


class Unlimited:
    """Implements `Pace` where nothing is limited."""

    def grant(self, buckets: Sequence[Bucket], wanted: int) -> int:
        return wanted

    def restore(self, buckets: Sequence[Bucket], unused: int) -> None:
        return

    def limited_lanes(self) -> Sequence[int]:
        return ()
