"""The page of the policy: the pack, the partners, and what each detail is for."""

import pytest

from mailer.lists import forms
from mailer.policy import packs, partners
from mailer.services import Services, unit_of_work
from mailer.staff.roles import Role
from tests.web.list_world import Club
from tests.web.public_pages import Visitor, words
from tests.web.staff_world import Browser, Team, errors_of, text_of


@pytest.fixture
def club(services: Services) -> Club:
    return Club(services)


@pytest.fixture
def pia(club: Club, team: Team) -> Browser:
    return team.browser("pia@example.org", Role.PRIVACY_OFFICER)


def test_partners_are_published_in_versions_and_forms_name_them(
        services: Services, pia: Browser, club: Club) -> None:
    """M18: the list stands beside the box, with its number."""
    page = "/staff/policy"
    assert "No list yet." in text_of(pia.get(page))
    assert pia.post(f"{page}/partners", page, names="Quay Records\nBrassworks\n").status_code == 303
    assert "List 1 names Quay Records, Brassworks." in text_of(pia.get(page))
    with unit_of_work(services) as ctx:
        form, _ = forms.current(ctx, "concert-news")
        forms.new_version(ctx, form, forms.Definition(
            title="Get concert news", topics=club.topics, partner_offers=True), None, partners.current(ctx))
    shown = words(Visitor(pia.app).get("/join/concert-news"))
    assert "At the moment: Quay Records, Brassworks. Partner list 1." in shown
    answer = pia.post(f"{page}/partners", page, names="x" * 81)
    assert answer.status_code == 422 and len(errors_of(answer)) == 1 and "x" * 81 in text_of(answer)


def test_a_pack_is_chosen_and_forms_follow_at_once(services: Services, pia: Browser, club: Club) -> None:
    page = "/staff/policy"
    assert "Nobody is asked for an age." in text_of(pia.get(page))
    assert pia.post(f"{page}/pack", page, pack="adults").status_code == 303
    assert 'name="age"' in Visitor(pia.app).get("/join/concert-news").text
    assert pia.post(f"{page}/pack", page, pack="anything").status_code == 422
    with unit_of_work(services) as ctx:
        assert packs.current(ctx).name == "adults"


def test_every_detail_says_what_it_is_for(pia: Browser) -> None:
    """M31, S2."""
    page = text_of(pia.get("/staff/policy"))
    for said in ("Only to say hello.", "To send what was asked for.", "Demographic", "Not kept"):
        assert said in page
    assert "Without a purpose" not in page


def test_where_an_officer_works_an_admin_only_reads(pia: Browser, team: Team, club: Club) -> None:
    ada = team.browser("ada@example.org", Role.ADMIN)
    page = text_of(ada.get("/staff/policy"))
    assert "A privacy officer works here" in page and "Publish the list" not in page
    assert ada.post("/staff/policy/pack", "/staff/policy", pack="adults").status_code == 422
    assert ada.post("/staff/policy/partners", "/staff/policy", names="Quay").status_code == 422
    for role in (Role.LIST_MANAGER, Role.COMPOSER, Role.SENDER, Role.AUDITOR):
        assert team.browser(f"{role}@example.org", role).get("/staff/policy").status_code == 404


def test_the_form_builder_offers_the_share_question_only_where_the_policy_allows_it(
        pia: Browser, team: Team, club: Club, services: Services) -> None:
    """M1, M8: and saving it where it does not is refused in words."""
    lou, path = team.browser("lou@example.org", Role.LIST_MANAGER), f"/staff/forms/{club.form_id}"
    said = {"title": "Get concert news", "intro": "Pick.", "topics": [str(topic) for topic in club.topics],
            "age_line": "For people aged 16 or over.", "thanks": "In.", "version": "1", "share": "yes"}
    assert 'name="share"' not in text_of(lou.get(path))
    answer = lou.post(path, path, **said)
    assert answer.status_code == 422
    assert errors_of(answer) == ["Your policy does not let forms ask to pass an address on."]
    with unit_of_work(services) as ctx:
        packs.choose(ctx, "sharing_by_choice")
        partners.publish(ctx, ["Quay Records"])
    assert 'name="share"' in text_of(lou.get(path))
    assert lou.post(path, path, **said).status_code == 303
    page = Visitor(pia.app).get("/join/concert-news")
    share = [part.split(">")[0] for part in page.text.split("<input")[1:] if 'name="share"' in part.split(">")[0]]
    assert len(share) == 2 and not any("checked" in each for each in share)
    assert "Give my email address to these companies." in words(page) and "Partner list 1." in words(page)
