"""Loads the channels that the settings name."""

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Protocol, cast

from mailer.core.channel import Channel
from mailer.core.clock import Clock
from mailer.core.errors import UnknownChannel
from mailer.core.lanes import Pace, ServerBoard
from mailer.core.mail_signing import MailSigner, SigningKey
from mailer.core.wire import Transport
from mailer.settings import SmtpServer


class TransportFactory(Protocol):
    """Opens the half that sends; `servers` are the provider's, `host_name` is what we call ourselves to them."""

    def __call__(self, servers: str | Sequence[SmtpServer], *, connections: int, host_name: str, pace: Pace | None,
                 board: ServerBoard | None) -> Transport: ...


def load(slugs: Sequence[str]) -> dict[str, Channel]:
    """The pure half of each named channel: `channel` of mailer.channels.<slug>.channel. Raises: UnknownChannel."""
    return {slug: cast(Channel, _part(slug, "channel").channel) for slug in slugs}


def open_transport(slug: str, servers: str | Sequence[SmtpServer], *, connections: int, host_name: str,
                   pace: Pace | None = None, board: ServerBoard | None = None) -> Transport:
    """The half of a channel that sends, by `open_transport` of mailer.channels.<slug>.transport.

    Without `pace` servers have no limit; without `board` this process alone knows which of them rest.
    Raises: UnknownChannel, BadSettings.
    """
    factory = cast(TransportFactory, _part(slug, "transport").open_transport)
    return factory(servers, connections=connections, host_name=host_name, pace=pace, board=board)


class SignerFactory(Protocol):
    """Makes the part that signs finished messages with a domain's keys."""

    def __call__(self, keys: Sequence[SigningKey], clock: Clock) -> MailSigner: ...


def sign_mail(slug: str, keys: Sequence[SigningKey], clock: Clock) -> MailSigner:
    """A channel's signer for the keys of one domain, by `DkimSigner` of mailer.channels.<slug>.dkim.

    Raises: UnknownChannel.
    """
    return cast(SignerFactory, _part(slug, "dkim").DkimSigner)(keys, clock)


def _part(slug: str, part: str) -> ModuleType:
    package = f"mailer.channels.{slug}"
    if not slug.isidentifier():
        raise UnknownChannel(channel=slug)
    try:
        return import_module(f"{package}.{part}")
    except ModuleNotFoundError as error:
        # A channel that exists but lacks a library must say so, not pretend to be unknown.
        if error.name in (package, f"{package}.{part}"):
            raise UnknownChannel(channel=slug) from error
        raise
