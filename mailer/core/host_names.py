"""Names of hosts as settings give them."""

import ipaddress
import re

_NAME = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.(?!$)|$))+")
_LONGEST = 253


def is_host_name(host: str) -> bool:
    """Whether this is a domain name in A-labels and no address (RFC 1123 section 2.1, RFC 5890 section 2.3.2.1)."""
    return len(host) <= _LONGEST and bool(_NAME.fullmatch(host)) and not host.rpartition(".")[2].isdigit()


def is_ipv4(host: str) -> bool:
    """Whether this is an IPv4 address."""
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def can_be_looked_up(host: str) -> bool:
    """Whether a resolver can be asked for it: it takes underscores, and other letters become A-labels."""
    try:
        return len(host.encode("idna")) <= _LONGEST
    except UnicodeError:
        return False
