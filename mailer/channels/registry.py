"""Loads the channels that the settings name."""

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Protocol, cast

from mailer.core.channel import Channel
from mailer.core.errors import UnknownChannel
from mailer.core.wire import Transport


class TransportFactory(Protocol):
    """Opens the half that sends; `url` names the provider, `host_name` is what we call ourselves to it."""

    def __call__(self, url: str, *, connections: int, host_name: str) -> Transport: ...


def load(slugs: Sequence[str]) -> dict[str, Channel]:
    """The pure half of each named channel: `channel` of mailer.channels.<slug>.channel. Raises: UnknownChannel."""
    return {slug: cast(Channel, _part(slug, "channel").channel) for slug in slugs}


def open_transport(slug: str, url: str, *, connections: int, host_name: str) -> Transport:
    """The half of a channel that sends, by `open_transport` of mailer.channels.<slug>.transport.

    Raises: UnknownChannel, BadSettings.
    """
    factory = cast(TransportFactory, _part(slug, "transport").open_transport)
    return factory(url, connections=connections, host_name=host_name)


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
