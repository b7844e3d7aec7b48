"""Hands messages to the organisation's mail servers over kept connections."""

import ssl
from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import unquote, urlsplit

from mailer.channels.email.relay import Relay, Relays
from mailer.channels.email.signon import Server, Timeouts
from mailer.channels.email.wire import SmtpWire
from mailer.core.channel import Clearance
from mailer.core.errors import BadSettings
from mailer.core.lanes import OwnBoard, Pace, ServerBoard, Unlimited

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class Way(Protocol):
    """A mail server by name: its URL without a query, and its share of the mail."""

    @property
    def name(self) -> str: ...

    @property
    def url(self) -> str: ...

    @property
    def weight(self) -> int: ...


def open_transport(servers: str | Sequence[Way], *, connections: int, host_name: str,
                   pace: Pace | None = None, board: ServerBoard | None = None, timeouts: Timeouts | None = None,
                   tls: ssl.SSLContext | None = None, on_begin: Callable[[Clearance], None] | None = None
                   ) -> "SmtpTransport":
    """A transport for `smtp://`, `smtp+starttls://` or `smtps://`, with user and password percent-encoded.

    `connections` is the most that are open at once for one wire; `host_name` is what EHLO says; `pace` limits servers
    and `board` knows which are held (this process alone, when left out); `tls` says which certificates are trusted
    (the machine's, when left out); `on_begin` is called just before each write that holds MAIL FROM. Nothing is
    connected until the first message. Raises: BadSettings.
    """
    ways = ([(servers, servers, 1)] if isinstance(servers, str)
            else [(each.name, each.url, each.weight) for each in servers])
    if not ways:
        raise BadSettings(setting="SMTP_URL", why="at least one mail server")
    trust = tls or ssl.create_default_context()
    made = [(name, _server(url, host_name, timeouts or Timeouts(), trust), weight) for name, url, weight in ways]
    return SmtpTransport(made, connections, pace or Unlimited(), board or OwnBoard(), on_begin)


def _server(url: str, host_name: str, timeouts: Timeouts, tls: ssl.SSLContext) -> Server:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise BadSettings(setting="SMTP_URL", why="a port is a number up to 65535") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise BadSettings(setting="SMTP_URL", why="smtp://, smtp+starttls:// or smtps:// and a host")
    return Server(
        scheme=parts.scheme, host=parts.hostname, port=port or PORTS[parts.scheme],
        user=unquote(parts.username or ""), password=unquote(parts.password or ""), host_name=host_name,
        tls=tls, timeouts=timeouts,
    )


class SmtpTransport:
    """Implements `Transport`; may be shared by threads, each of which asks for a wire of its own."""

    def __init__(self, servers: Sequence[tuple[str, Server, int]], connections: int, pace: Pace, board: ServerBoard,
                 on_begin: Callable[[Clearance], None] | None) -> None:
        self._servers = servers
        self._connections = connections
        self._pace = pace
        self._board = board
        self._on_begin = on_begin

    def wire(self) -> SmtpWire:
        """A wire of its own for the thread that asks; the caller closes it."""
        relays = [Relay(server, name, weight, self._pace) for name, server, weight in self._servers]
        return SmtpWire(Relays(relays, self._board), self._connections, self._on_begin)

    def close(self) -> None:
        """Nothing is open but what its wires have, and those are closed by who asked for them."""
