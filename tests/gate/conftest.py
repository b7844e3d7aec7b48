"""One open unit of work, and a list to try the gate on."""

from collections.abc import Iterator

import pytest

from mailer.services import Services, unit_of_work
from tests.gate.world import World, make


@pytest.fixture
def world(services: Services) -> Iterator[World]:
    with unit_of_work(services) as ctx:
        yield make(ctx, services)
