"""One world for telling friends a test."""

import io
import logging
from collections.abc import Iterator

import pytest

from mailer.core import logs
from mailer.services import Services
from tests.fakes.smtp_server import SmtpServer
from tests.friends.world import Friends


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@pytest.fixture
def friends(services: Services, server: SmtpServer) -> Iterator[Friends]:
    made = Friends(services, server)
    yield made
    made.close()


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What the logs say, every word of it."""
    stream, handler = io.StringIO(), logging.StreamHandler()
    handler.setStream(stream)
    handler.setFormatter(logs.JsonLines())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)
