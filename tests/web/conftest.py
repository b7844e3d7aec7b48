"""The real application for tests of pages."""

from pathlib import Path

import pytest
from flask import Flask

from mailer.app import create_app
from mailer.services import Services
from mailer.settings import Settings
from tests.conftest import FixedClock
from tests.web.campaign_world import CampaignWorld
from tests.web.staff_world import Team


@pytest.fixture
def app(settings: Settings, services: Services, jobs: object, tmp_path: Path) -> Flask:
    """The web application over this test's database; limits are counted in memory."""
    return create_app(settings, jobs=jobs, services=services)  # type: ignore[arg-type] # The tests' own queue.


@pytest.fixture
def team(services: Services, app: Flask) -> Team:
    return Team(services, app)


@pytest.fixture
def world(services: Services, app: Flask, clock: FixedClock, team: Team) -> CampaignWorld:
    """Forty confirmed people on the list News, in Practice."""
    made = CampaignWorld(services, app, clock, team)
    made.people(40)
    return made
