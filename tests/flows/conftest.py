"""One Live world and its mail server a test."""

from collections.abc import Iterator

import pytest

from mailer.services import Services
from tests.fakes.smtp_server import SmtpServer
from tests.flows.world import Sending


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@pytest.fixture
def world(services: Services, server: SmtpServer) -> Iterator[Sending]:
    made = Sending(services, server)
    yield made
    made.close()
