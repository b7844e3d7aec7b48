"""The officer's page of one consent, and the files that are taken along."""

import json
import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from mailer.audience.models import ContactPoint
from mailer.core import papers
from mailer.core.modes import Mode
from mailer.policy import partners
from mailer.rights.models import Disclosure
from mailer.services import Services
from mailer.staff.roles import Role
from mailer.subscriptions import leave
from tests.builders import World
from tests.web.public_pages import Visitor
from tests.web.staff_world import Browser, Team, errors_of, text_of

CANARY = "zanzibarowl@canary-quill.example"


class Case:
    """Somebody with a consent, and the officer who is asked to prove it."""

    def __init__(self, world: World, team: Team) -> None:
        self.world = world
        self.news = world.a_list()
        with world.unit() as ctx:
            partners.publish(ctx, ["Quay Records"])
        world.a_form(self.news, partner_offers=True)
        self.topic = self.news.topics["Events"]
        self.point = world.subscribed(CANARY, [self.topic], partner_offers=True)
        self.path = f"/staff/people/{self.point}/proof/{self.news.id}/{self.topic}"
        self.pia = team.browser("pia@example.org", Role.PRIVACY_OFFICER)


@pytest.fixture
def case(services: Services, team: Team) -> Case:
    return Case(World(services, Mode.PRACTICE), team)


def test_the_sheet_shows_everything_but_the_address(case: Case) -> None:
    """M23, W12 step 4: words of form version 1 and the notice of that day, on one page."""
    page = text_of(case.pia.get(case.path))
    assert "z•••@" in page and CANARY not in page
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    for said in ("Cadenza news: Events", "Form news, version 1", "We *keep* little.", "Version 2.1", "☐ Events",
                 "What would you like?", "by the button in the message"):
        assert said in plain, said
    person = text_of(case.pia.get(f"/staff/people/{case.point}"))
    assert f'href="{case.path}"' in person
    offers = text_of(case.pia.get(f"/staff/people/{case.point}/proof/{case.news.id}/0"))
    assert "List 1: Quay Records" in offers


@pytest.mark.parametrize("kind", ["json", "sheet"])
def test_a_file_is_signed_needs_a_reason_and_is_in_the_register(
        case: Case, app: Flask, tmp_path: Path, kind: str, services: Services) -> None:
    """Item 10, S13: no byte leaves without an entry; the file verifies with the published keys."""
    answer = case.pia.post(case.path, case.path, kind=kind, reason="")
    assert answer.status_code == 422 and errors_of(answer) == ["Choose a reason from the list."]
    with case.world.unit() as ctx:
        assert ctx.db.query(Disclosure).count() == 0
    answer = case.pia.post(case.path, case.path, kind=kind, reason="legal_duty")
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    assert CANARY not in answer.headers["Content-Disposition"]
    keys = papers.read_key_file(Visitor(app).get("/paper-keys.txt").text)
    assert papers.check(answer.data, keys).ok and CANARY in answer.get_data(as_text=True)
    if kind == "json":
        assert json.loads(answer.data)["parts"]["person"]["address"] == CANARY
    else:
        assert "<script" not in answer.text and "http-equiv" not in answer.text
    with case.world.unit() as ctx:
        [entry] = ctx.db.query(Disclosure)
        assert (entry.kind, entry.reason, entry.people, entry.automatic) == ("proof", "proof", 1, True)
        looks = ctx.db.scalar(text("SELECT count(*) FROM reveal"))
        named = ctx.db.scalar(text("SELECT count(*) FROM disclosure_subject s JOIN person USING (subject)"))
    assert (looks, named) == (1, 1)


def test_only_the_officer_sees_proofs_and_odd_paths_are_404(case: Case, team: Team) -> None:
    for role in (Role.LIST_MANAGER, Role.ADMIN, Role.AUDITOR, Role.COMPOSER, Role.SENDER):
        browser: Browser = team.browser(f"{role}@example.org", role)
        assert browser.get(case.path).status_code == 404
        assert browser.post(case.path, "/staff/help", kind="json", reason="legal_duty").status_code == 404
    for path in (f"/staff/people/{case.point}/proof/{case.news.id}/999", "/staff/people/999/proof/1/1"):
        assert case.pia.get(path).status_code in (404, 410)
    assert case.pia.post(case.path, case.path, kind="pdf", reason="legal_duty").status_code == 422


def test_later_changes_stand_on_the_same_sheet(case: Case) -> None:
    with case.world.unit() as ctx:
        leave.leave(ctx, ctx.db.get_one(ContactPoint, case.point), how="one_click")
    page = text_of(case.pia.get(case.path))
    assert page.index("Yes: news and offers") < page.index("Ended: news and offers")


def test_an_erased_person_has_no_proof_page(case: Case) -> None:
    with case.world.unit() as ctx:
        ctx.db.execute(text("DELETE FROM vault.person_key"))
    assert case.pia.get(case.path).status_code == 410
