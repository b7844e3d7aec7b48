"""A world for tests of joining and leaving."""

import pytest

from mailer.services import Services
from tests.builders import World


@pytest.fixture
def world(services: Services) -> World:
    return World(services)
