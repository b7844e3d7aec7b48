"""A Chromium, instances to walk through, and visitors whose browsers must end without a fault."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import outbox_json
from tests.browser.visitor import Visitor, chromium_running
from tests.instance import Instance, running

DEMO = ("--demo", "--seed", "7", "--clock", "2026-03-02T15:00:00Z")

NewVisitor = Callable[..., Visitor]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """The demonstration that the walks begin with."""
    with running(tmp_path_factory.mktemp("demo"), *DEMO, OUTBOX_KEY=outbox_json.KEY) as instance:
        yield instance


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[NewVisitor]:
    """Make visitors of an instance; each one's browser is ended with the test, and must have met no fault."""
    made: list[Visitor] = []

    def new(instance: Instance, **choices: object) -> Visitor:
        made.append(Visitor(chromium, instance, **choices))  # type: ignore[arg-type] # Visitor checks them itself.
        return made[-1]

    yield new
    for each in made:
        each.close()
