"""A world with one list, one form and a few people."""

from dataclasses import dataclass

import pytest

from mailer.audience.models import ContactPoint
from mailer.services import Services
from tests.builders import AList, World


@dataclass
class People:
    """The world, and whoever was subscribed in it."""

    world: World
    list: AList

    def join(self, address: str, **answers: object) -> ContactPoint:
        """Somebody who confirmed all topics."""
        self.world.subscribed(address, tuple(self.list.topics.values()), **answers)
        point = self.world.point(address)
        assert point
        return point


@pytest.fixture
def world(services: Services) -> World:
    return World(services)


@pytest.fixture
def people(world: World) -> People:
    made = world.a_list()
    world.a_form(made, ask_first_name=True)
    return People(world, made)
