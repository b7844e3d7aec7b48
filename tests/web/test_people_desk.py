"""What staff start for a person on their page, and the form that invites one address."""

import pytest
from flask import Flask

from mailer.core.reasons import Reason
from mailer.services import Services, unit_of_work
from mailer.staff.roles import Role
from mailer.suppression import registry
from tests.web.list_world import CANARY, Club
from tests.web.staff_world import Browser, Team, text_of

NEW = "new@example.org"


@pytest.fixture
def club(services: Services, app: Flask) -> Club:
    return Club(services)


@pytest.fixture
def lou(club: Club, team: Team) -> Browser:
    return team.browser("lou@example.org", Role.LIST_MANAGER)


def test_a_fresh_link_goes_to_the_persons_own_mailbox_and_is_noted(club: Club, lou: Browser, team: Team) -> None:
    point = club.confirmed(CANARY)
    page = text_of(lou.get(f"/staff/people/{point}"))
    assert "Send a fresh preference link" in page and "Correct a detail" in page and "Invite to a list" in page
    assert lou.post(f"/staff/people/{point}/fresh-link").status_code == 303
    assert "A fresh link goes to their own mailbox" in text_of(lou.get(f"/staff/people/{point}"))
    assert len(team.acts("fresh_link_sent")) == 1
    assert club.one("SELECT count(*) FROM single_message WHERE class = 'fresh_link'") == 1


def test_a_name_is_corrected_and_an_address_only_asked_for(club: Club, lou: Browser, team: Team) -> None:
    """M11."""
    point = club.confirmed(CANARY, first_name="Quillonwick")
    lou.post(f"/staff/people/{point}/name", first_name="Quillonward")
    assert "Quillonward" in text_of(lou.get(f"/staff/people/{point}"))
    assert lou.post(f"/staff/people/{point}/name", first_name="x" * 61).status_code == 422
    lou.post(f"/staff/people/{point}/address", email=NEW)
    assert "Asked. A message with a link is on its way" in text_of(lou.get(f"/staff/people/{point}"))
    assert lou.post(f"/staff/people/{point}/address", email="no address").status_code == 422
    assert "This is the address we have" in text_of(lou.post(f"/staff/people/{point}/address", email=CANARY))
    assert [entry.detail["field"] for entry in team.acts("detail_corrected")] == ["first_name", "email"]
    assert not any(NEW in str(entry.detail) or "Quillon" in str(entry.detail) for entry in team.acts())


def test_one_address_is_invited_or_left_out_and_both_are_noted(
        club: Club, services: Services, lou: Browser, team: Team) -> None:
    """W6: "on the stop list, left out"."""
    with unit_of_work(services) as ctx:
        registry.suppress(ctx, channel="email", reason=Reason.FRIEND_ONLY,
                          fingerprint=ctx.sealer.fingerprint("email", "fay@example.org"))
    assert "Invite somebody to a list" in text_of(lou.get("/staff/people"))
    page = text_of(lou.post("/staff/people/invite", email="fay@example.org", list=str(club.list_id)))
    assert "On the stop list, left out." in page and "fay@" not in page
    assert "Asked. A message with a link" in text_of(
        lou.post("/staff/people/invite", email=NEW, list=str(club.list_id)))
    assert lou.post("/staff/people/invite", email="fay", list=str(club.list_id)).status_code == 422
    assert lou.post("/staff/people/invite", email=NEW, list="0").status_code == 422
    assert [entry.detail["answer"] for entry in team.acts("invited_to_list")] == ["left_out", "asked"]


def test_somebody_known_is_invited_from_their_page(club: Club, lou: Browser) -> None:
    point = club.confirmed(CANARY)
    assert lou.post(f"/staff/people/{point}/invite", list=str(club.list_id)).status_code == 303
    assert club.one("SELECT count(*) FROM single_message WHERE class = 'staff_invitation'") == 1
    assert lou.post(f"/staff/people/{point}/invite", list="x").status_code == 422


@pytest.mark.parametrize("act", ["fresh-link", "name", "address", "invite"])
def test_who_sees_no_people_finds_no_such_page(club: Club, team: Team, act: str) -> None:
    point = club.confirmed(CANARY)
    for browser in (team.browser("cem@example.org", Role.COMPOSER), team.browser("ada@example.org", Role.ADMIN)):
        assert browser.post(f"/staff/people/{point}/{act}").status_code == 404
        assert browser.get("/staff/people/invite").status_code == 404
