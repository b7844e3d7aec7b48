"""Channels are loaded by the names in the settings."""

import pytest

from mailer.channels import registry
from mailer.core.errors import UnknownChannel


def test_a_named_channel_is_loaded() -> None:
    assert registry.load(("email",))["email"].slug == "email"


def test_a_transport_is_opened_by_the_channels_name_and_connects_to_nothing_yet() -> None:
    transport = registry.open_transport("email", "smtp://127.0.0.1:9", connections=1, host_name="localhost")
    transport.close()


@pytest.mark.parametrize("slug", ["pigeon", "", "../email", "email.address", "os"])
def test_an_unknown_name_is_said_to_be_unknown(slug: str) -> None:
    with pytest.raises(UnknownChannel):
        registry.load((slug,))
    with pytest.raises(UnknownChannel):
        registry.open_transport(slug, "smtp://127.0.0.1", connections=1, host_name="localhost")
