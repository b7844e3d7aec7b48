"""Who listens to the world: addresses that servers are bound to, and which of them the Internet can reach (A8)."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

EVERYWHERE = frozenset({"*", "0.0.0.0", "::", "::*", "0"})  # noqa: S104 - what must not be found.
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
LISTENS = "0A"
"""The state of a socket that waits for callers (linux/include/net/tcp_states.h)."""


def bound_publicly(address: str) -> bool:
    """Whether a server that listens there can be reached from the Internet (promise A8)."""
    bare = address.strip().removeprefix("-").strip("[]")
    if bare in EVERYWHERE:
        return True
    try:
        return ip_address(bare).is_global
    except ValueError:
        return False


def on_port(port: int) -> list[str]:
    """The addresses of this machine at which somebody waits on a TCP port; empty where it cannot be told."""
    return [str(address) for table in TABLES if table.exists()
            for address in _waiting(table.read_text(encoding="ascii"), port)]


def _waiting(table: str, port: int) -> Iterator[IPv4Address | IPv6Address]:
    for line in table.splitlines()[1:]:
        columns = line.split()
        local, at = columns[1].split(":")
        if columns[3] == LISTENS and int(at, 16) == port:
            # Each group of 4 octets stands in the machine's own order.
            octets = b"".join(bytes.fromhex(local[place:place + 8])[::-1] for place in range(0, len(local), 8))
            yield IPv4Address(octets) if len(octets) == 4 else IPv6Address(octets)
