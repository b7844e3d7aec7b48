"""The privacy notice: written, looked at, published, and never changed."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from mailer.organisation import profile
from mailer.policy import notices, starter
from mailer.services import Services, unit_of_work
from mailer.staff import checklist
from mailer.staff.roles import Role
from tests.conftest import FixedClock
from tests.web.staff_world import Browser, Team, errors_of, text_of

PAGE = "/staff/notice"
PIA, ANA = "pia@example.org", "ana@example.org"


@pytest.fixture
def starter_notice(services: Services, team: Team) -> None:
    with unit_of_work(services) as ctx:
        row = profile.ensure_row(ctx)
        row.name, row.help_email, row.postal_address = "Cadenza", "help@cadenza.example", "1 Quay Street"
        notices.publish(ctx, "1", starter.text(profile.brand(profile.current(ctx), "")), ctx.clock.now(), starter=True)


@pytest.fixture
def pia(team: Team, starter_notice: None) -> Browser:
    return team.browser(PIA, Role.PRIVACY_OFFICER)


def publish(browser: Browser, **typed: str) -> TestResponse:
    fields: dict[str, Any] = {"version": "2", "text": "# Ours\n\nWe keep little.", "from": "now", "act": "publish"}
    return browser.post(PAGE, PAGE, **(fields | typed))


def versions(services: Services) -> list[tuple[str, str]]:
    with unit_of_work(services) as ctx:
        return [(each.version, each.text) for each in notices.versions(ctx)]


def test_the_officer_publishes_ones_own_notice_and_the_checklist_is_done(
        services: Services, pia: Browser) -> None:
    """Ux 2.19: the starter is in force until somebody pastes their own."""
    page = text_of(pia.get(PAGE))
    assert "Starter notice 1 is in force. Paste your own to replace it." in page
    assert "help@cadenza.example" in page and 'name="version" value="2"' in page
    assert publish(pia).status_code == 303
    assert "We keep little." in text_of(pia.get("/privacy"))
    with unit_of_work(services) as ctx:
        assert next(item for item in checklist.go_live(ctx) if item.name == "notice").done
    assert "Version 2 is in force." in text_of(pia.get(PAGE))


def test_showing_it_first_publishes_nothing_and_runs_nothing(services: Services, pia: Browser) -> None:
    typed = "# Ours\n\n<script>alert(1)</script> [a](javascript:alert(1)) **bold**"
    shown = pia.post(PAGE, PAGE, version="2", text=typed, act="preview").get_data(as_text=True)
    assert "Nothing is published yet." in shown and "<strong>bold</strong>" in shown
    assert "<script>alert" not in shown and 'href="javascript' not in shown
    assert "# Ours" in shown.split("<textarea")[1], "what was typed is kept"
    assert [version for version, _ in versions(services)] == ["1"]


@pytest.mark.parametrize(("typed", "said"), [
    ({"version": "1"}, "published already"), ({"version": "../x"}, "a number such as 2.1"),
    ({"version": ""}, "a number such as 2.1"), ({"text": "  "}, "at least a line"),
    ({"text": "x" * 200_001}, "at most 200,000"), ({"from": "day", "day": "2026-03-02"}, "from tomorrow on"),
    ({"from": "day", "day": "soon"}, "from tomorrow on"),
])
def test_what_cannot_be_published_is_said_at_its_field_and_kept(
        services: Services, pia: Browser, typed: dict[str, str], said: str) -> None:
    before = versions(services)
    answer = publish(pia, **typed)
    [sentence] = errors_of(answer)
    assert said in sentence
    assert versions(services) == before, "a published version is never changed"
    if "text" not in typed:
        assert "We keep little." in text_of(answer)


def test_a_notice_with_a_day_holds_from_that_day_on(
        services: Services, clock: FixedClock, pia: Browser) -> None:
    publish(pia, **{"from": "day", "day": "2026-03-20"})
    assert "Version 2 begins on 20 March 2026." in text_of(pia.get("/privacy"))
    coming = text_of(pia.get("/privacy/2"))
    assert "Version 2, begins on 20 March 2026" in coming and "Read it now" not in coming
    with unit_of_work(services) as ctx:
        assert notices.required(ctx).version == "1"
    clock.advance(days=18)
    with unit_of_work(services) as ctx:
        assert notices.required(ctx).version == "2"
    assert "Version 2, in force since 20 March 2026" in text_of(pia.get("/privacy"))
    assert "Version 1, no longer in force; it held from 2 March 2026" in text_of(pia.get("/privacy/1"))


def test_an_admin_publishes_as_long_as_no_officer_works_here(
        services: Services, team: Team, starter_notice: None) -> None:
    ana = team.browser(ANA, Role.ADMIN)
    assert publish(ana).status_code == 303
    team.add(PIA, Role.PRIVACY_OFFICER)
    assert "A privacy officer works here" in text_of(ana.get(PAGE))
    assert "<textarea" not in text_of(ana.get(PAGE))
    publish(ana, version="3")
    assert [version for version, _ in versions(services)] == ["2", "1"]


@pytest.mark.parametrize("role", [Role.COMPOSER, Role.SENDER, Role.LIST_MANAGER, Role.AUDITOR])
def test_nobody_else_finds_the_page(team: Team, role: Role) -> None:
    """Decision 30."""
    browser = team.browser("x@example.org", role)
    assert browser.get(PAGE).status_code == browser.post(PAGE).status_code == 404
    assert len(team.acts("refused")) == 2
