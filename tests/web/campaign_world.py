"""A list with people and a campaign, for the tests of campaign pages."""

import re
from dataclasses import dataclass

from flask import Flask
from werkzeug.test import TestResponse

from mailer.campaigns import compose
from mailer.lists.models import MailingList
from mailer.organisation import profile
from mailer.services import Services, unit_of_work
from mailer.subscriptions import seed
from tests.conftest import FixedClock
from tests.web.staff_world import Browser, Team

WORDS = compose.Words("Records for a rainy week", "Hello {first name | there},\n\nfive records.", "What we played")


@dataclass
class CampaignWorld:
    """A team, a list of made-up people who confirmed, and the pages about a campaign to them."""

    services: Services
    app: Flask
    clock: FixedClock
    team: Team
    list_id: int = 0

    def people(self, number: int, list_name: str = "News") -> None:
        """So many more confirmed people on the list."""
        with unit_of_work(self.services) as ctx:
            for _ in seed.seed(ctx, number, list_name):
                pass
            self.list_id = ctx.db.query(MailingList).filter_by(name=list_name).one().id

    def campaign(self, staff_id: int | None = None, words: compose.Words = WORDS) -> int:
        with unit_of_work(self.services, actor=f"staff:{staff_id}" if staff_id else "system") as ctx:
            profile.ensure_row(ctx).time_zone = "Europe/Berlin"
            ctx.db.flush()
            return compose.create(ctx, list_id=self.list_id, words=words, staff_id=staff_id).id

    def state(self, number: int) -> str:
        with unit_of_work(self.services) as ctx:
            return str(compose.find(ctx, number).state)


def number_in(answer: TestResponse, name: str) -> str:
    """The text of the element that carries `data-test=name`."""
    found = re.search(rf'data-test="{re.escape(name)}"[^>]*>(.*?)</(?:dd|p|span|strong|li|button)>',
                      answer.get_data(as_text=True), re.S)
    assert found is not None, name
    return re.sub(r"<[^>]+>|\s+", " ", found[1]).strip()


def hidden(answer: TestResponse, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.get_data(as_text=True))
    assert found is not None, name
    return found[1]


def press_send(browser: Browser, number: int, **more: object) -> TestResponse:
    """Open the check page and press its button, as a browser without script does."""
    page = browser.get(f"/staff/campaigns/{number}/check")
    fields: dict[str, object] = {name: hidden(page, name) for name in ("version", "expected_in")}
    return browser.post(f"/staff/campaigns/{number}/send", **(fields | {"when": "now"} | more))
