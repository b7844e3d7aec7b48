"""One installation with people and a backup folder for each test here."""

from pathlib import Path

import pytest

from mailer.services import Services
from tests.backup.world import World, world
from tests.conftest import FixedClock


@pytest.fixture
def here(services: Services, clock: FixedClock, tmp_path: Path) -> World:
    return world(services, clock, tmp_path)
