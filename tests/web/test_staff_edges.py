"""Edges of staff pages: numbers that cannot be, and what the privacy officer is told."""

import re

from flask import Flask

from mailer.audit import trail
from mailer.services import unit_of_work
from mailer.staff.roles import Role
from tests.web.staff_world import Team, text_of

ANA, PIA = "ana@example.org", "pia@example.org"


def test_a_number_that_no_row_can_have_is_a_page_that_is_not_there(app: Flask, team: Team) -> None:
    """Bad input: every number in a path, and the one above which a list ends."""
    team.add("first@example.org", *Role)
    browser = team.browser("one@example.org", *Role)
    huge = "9" * 23
    rules = [rule for rule in app.url_map.iter_rules() if "<int:" in rule.rule]
    assert len(rules) > 40
    for rule in rules:
        path = re.sub(r"<int:\w+>", huge, re.sub(r"<any\((\w+),.*?\):\w+>", r"\1", rule.rule))
        ask = browser.get if "GET" in (rule.methods or ()) else browser.post
        assert ask(path).status_code in (404, 405), path
    for path in ("/staff/audit", "/staff/campaigns", "/outbox", "/staff/people"):
        assert browser.get(f"{path}?before={huge}&after={huge}&list={huge}&topic={huge}").status_code == 200, path


def test_the_officer_is_told_of_used_up_looks_and_of_many_typed_stops(team: Team) -> None:
    """Decisions 22 and 30."""
    pia, ana = team.browser(PIA, Role.PRIVACY_OFFICER), team.browser(ANA, Role.ADMIN)
    with unit_of_work(team.services, actor="staff:9") as ctx:
        trail.record(ctx, "reveals_used_up", "staff:9", looks=50)
        trail.record(ctx, "typed_stops_slowed", "stop_list", count=6)
    told = text_of(pia.get("/staff"))
    assert "looked at 50 addresses in a day" in told and "from one network" in told
    assert "50 addresses" not in text_of(ana.get("/staff"))
