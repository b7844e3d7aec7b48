"""The web application and its team, as the tests of pages have them."""

from tests.web.conftest import app, team, world

__all__ = ["app", "team", "world"]
