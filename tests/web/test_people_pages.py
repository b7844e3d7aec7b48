"""Finding people, their page, and what staff may do there."""

import re

import pytest
from flask import Flask
from sqlalchemy import text

from mailer.audience.models import ContactPoint
from mailer.core.reasons import Reason
from mailer.rights import children
from mailer.rights.models import ChildReport
from mailer.services import Services, unit_of_work
from mailer.staff.roles import Role
from mailer.subscriptions import leave, undo
from mailer.suppression import registry
from tests.conftest import FixedClock
from tests.web.list_world import CANARY, Club
from tests.web.staff_world import Browser, Team, errors_of, text_of

MASK = "z•••@canary-quill.example"
TITLES = re.compile(r"<li><svg.*?<strong>(.*?)</strong>", re.S)


@pytest.fixture
def club(services: Services, app: Flask) -> Club:
    return Club(services)


@pytest.fixture
def lou(club: Club, team: Team) -> Browser:
    return team.browser("lou@example.org", Role.LIST_MANAGER)


@pytest.fixture
def pia(club: Club, team: Team) -> Browser:
    return team.browser("pia@example.org", Role.PRIVACY_OFFICER)


def line_of(page: str) -> list[str]:
    return TITLES.findall(page)


def test_a_whole_address_finds_the_person_masked_by_post(club: Club, lou: Browser) -> None:
    """Promise section 3, 15."""
    point = club.confirmed(CANARY, first_name="Quillonwick")
    answer = lou.post("/staff/people", email=f" {CANARY.upper()} ")
    page = text_of(answer)
    assert MASK in page and f"/staff/people/{point}" in page and "Subscribed" in page
    assert "zanzibarowl@" not in page.replace('name="email" value="', "") .split("<table")[1].split("</table>")[0]
    assert "zanzibarowl" not in page.split("<title>")[1].split("</title>")[0]


def test_part_of_an_address_or_a_name_finds_nobody(club: Club, lou: Browser) -> None:
    club.confirmed(CANARY, first_name="Quillonwick")
    for typed in ("zanzibarowl", "canary-quill.example", "Quillonwick", "", "%@canary-quill.example", "a\nb@c.de"):
        page = text_of(lou.post("/staff/people", email=typed))
        assert "Type a whole email address" in page or "No one found" in page
        assert 'data-label="State"' not in page.split("By list, topic")[0]
    assert "canary-quill.example" not in text_of(lou.get("/staff/people?email=" + CANARY)).replace(MASK, "")


def test_who_is_not_found_may_be_on_the_stop_list_which_answers_and_is_noted(
        club: Club, services: Services, lou: Browser, team: Team) -> None:
    page = text_of(lou.post("/staff/people", email="gone@example.org"))
    assert "No one found" in page and "They may be erased, or only on the stop list." in page
    assert "No, not on the stop list" in text_of(lou.post("/staff/people/stop-list", email="gone@example.org"))
    with unit_of_work(services) as ctx:
        registry.suppress(ctx, channel="email", fingerprint=ctx.sealer.fingerprint("email", "gone@example.org"),
                          reason=Reason.UNSUBSCRIBED)
    page = text_of(lou.post("/staff/people/stop-list", email="gone@example.org"))
    assert "Yes, on the stop list" in page and "Unsubscribed" in page and "Everything by email" in page
    assert "2 March 2026" in page and "gone@example.org" not in page
    assert [entry.detail["answer"] for entry in team.acts("stop_list_asked")] == ["no", "yes"]
    assert not any("gone@" in str(entry.detail) for entry in team.acts())


def test_the_timeline_reads_asked_sent_confirmed_with_form_words_and_notice(
        club: Club, lou: Browser, clock: FixedClock) -> None:
    """W2; promise section 3, 6. No IP address is anywhere."""
    raw_request = club.ask(CANARY)
    clock.advance(minutes=1)
    raw = club.mailed(raw_request)
    clock.advance(minutes=5)
    club.confirm(raw)
    page = text_of(lou.get(f"/staff/people/{club.one('SELECT max(id) FROM contact_point')}"))
    assert line_of(page) == ["Confirmed", "Confirmation sent", "Asked"]
    assert "form website, version 1, privacy notice 1." in page.lower() and "Get concert news" in page
    assert "Concert news: New releases" in page and "by the button in the message" in page
    assert "203.0.113" not in page


def test_a_goodbye_and_its_undo_are_both_on_the_line(club: Club, services: Services, lou: Browser, clock: FixedClock
                                                     ) -> None:
    """W3: unsubscribed at that second, and subscribed again after Undo."""
    point_id = club.confirmed(CANARY)
    clock.advance(hours=1)
    with unit_of_work(services) as ctx:
        point = ctx.db.get_one(ContactPoint, point_id)
        goodbye = leave.leave(ctx, point, how="one_click")
    page = text_of(lou.get(f"/staff/people/{point_id}"))
    assert line_of(page)[0] == "Unsubscribed" and "On the stop list" in page and "unsubscribe button" in page
    clock.advance(minutes=1)
    with unit_of_work(services) as ctx:
        undo.undo(ctx, goodbye.id, point_id)
    page = text_of(lou.get(f"/staff/people/{point_id}"))
    assert line_of(page)[:2] == ["Subscribed again", "Unsubscribed"] and "On the stop list" not in page


def test_a_waiting_request_says_since_when_and_when_it_goes(club: Club, lou: Browser, clock: FixedClock) -> None:
    request_id = club.ask(CANARY)
    assert f"/staff/people/request/{request_id}" in text_of(lou.post("/staff/people", email=CANARY))
    page = text_of(lou.get(f"/staff/people/request/{request_id}"))
    assert "Waiting for confirmation since 2 March. Deleted on 9 March if not confirmed." in page
    assert MASK in page and CANARY not in page and line_of(page) == ["Asked"]
    clock.advance(days=8)
    lou.sign_in("lou@example.org")
    assert lou.get(f"/staff/people/request/{request_id}").status_code == 404


def test_a_look_at_the_address_takes_a_reason_and_is_noted(club: Club, lou: Browser, team: Team) -> None:
    """M23: reveal needs a reason and writes an audit row."""
    path = f"/staff/people/{club.confirmed(CANARY, first_name='Quillonwick')}"
    assert CANARY not in text_of(lou.get(path)) and MASK in text_of(lou.get(path))
    refused = lou.post(f"{path}/reveal", reason="curious")
    assert refused.status_code == 422 and CANARY not in text_of(refused) and len(errors_of(refused)) == 1
    assert team.one("SELECT count(*) FROM reveal") == 0
    shown = text_of(lou.post(f"{path}/reveal", reason="delivery_problem"))
    assert CANARY in shown and "Address looked at" in shown and "Quilliambert" in shown
    assert team.one("SELECT reason FROM reveal") == "delivery_problem"
    assert CANARY not in text_of(lou.get(path))


def test_after_fifty_looks_a_day_there_is_no_more(club: Club, services: Services, lou: Browser, team: Team) -> None:
    path = f"/staff/people/{club.confirmed(CANARY)}"
    lou.post(f"{path}/reveal", reason="legal_duty")
    with unit_of_work(services) as ctx:
        ctx.db.execute(text("INSERT INTO reveal (staff_id, contact_point_id, reason, at) "
                            "SELECT staff_id, contact_point_id, reason, at FROM reveal, generate_series(1, 49)"))
    answer = lou.post(f"{path}/reveal", reason="legal_duty")
    assert answer.status_code == 429 and CANARY not in text_of(answer)


def test_stopping_for_a_person_ends_everything_and_carries_the_name_of_who_did_it(
        club: Club, lou: Browser, team: Team) -> None:
    path = f"/staff/people/{club.confirmed(CANARY)}"
    assert lou.post(f"{path}/stop", reported="rumour").status_code == 422
    assert lou.post(f"{path}/stop", reported="phone").status_code == 303
    page = text_of(lou.get(path))
    assert "Stopped by staff" in page and "by phone" in page and "Quilliambert" in page and "Unsubscribed" in page
    assert team.one("SELECT count(*) FROM standing WHERE state = 'live'") == 0
    assert team.one("SELECT reason FROM suppression") == "staff_stop"
    assert lou.post(f"{path}/stop", reported="phone").status_code == 303
    assert team.one("SELECT count(*) FROM suppression") == 1


def test_only_the_privacy_officer_holds_and_a_hold_ends_again(club: Club, lou: Browser, pia: Browser, team: Team
                                                              ) -> None:
    path = f"/staff/people/{club.confirmed(CANARY)}"
    assert lou.post(f"{path}/hold", hold="on").status_code == 404
    assert pia.post(f"{path}/hold", hold="on").status_code == 303
    assert "On hold" in text_of(lou.get(path)) and "Put on hold" in text_of(lou.get(path))
    assert team.one("SELECT hold FROM preference") is True
    pia.post(f"{path}/hold", hold="off")
    assert team.one("SELECT hold FROM preference") is False
    assert [entry.act for entry in team.acts() if entry.act.startswith("hold")] == ["hold_on", "hold_off"]


def test_would_they_get_it_and_why(club: Club, lou: Browser, team: Team) -> None:
    path, campaign = f"/staff/people/{club.confirmed(CANARY)}", str(club.campaign())
    assert 'data-test="why-answer">In.<' in text_of(lou.post(f"{path}/why", campaign=campaign))
    lou.post(f"{path}/stop", reported="desk")
    page = text_of(lou.post(f"{path}/why", campaign=campaign))
    assert 'data-test="why-answer">Out.<' in page and 'data-test="why-reason">unsubscribed<' in page
    for wrong in ("", "x", "999", "9" * 30):
        assert lou.post(f"{path}/why", campaign=wrong).status_code == 422
    assert [entry.detail["answer"] for entry in team.acts("asked_why")] == ["in", "out"]


def test_filters_and_pages_hold_fifty_masked_rows(club: Club, services: Services, lou: Browser) -> None:
    for number in range(52):
        club.added(f"{'abcdefghij'[number % 10]}{number}@canary-quill.example")
    page = text_of(lou.get("/staff/people"))
    assert 'data-test="people-shown">50<' in page and "rel=\"next\"" in page
    second = re.search(r'rel="next" href="([^"]+)"', page)
    assert second
    rest = text_of(lou.get(second[1].replace("&amp;", "&")))
    assert 'data-test="people-shown">2<' in rest and not re.search(r"\d@canary", page + rest)
    with unit_of_work(services) as ctx:
        ctx.db.execute(text("UPDATE preference SET paused_until = '2026-04-01' WHERE contact_point_id = "
                            "(SELECT min(id) FROM contact_point)"))
        last = ctx.db.query(ContactPoint).order_by(ContactPoint.id.desc()).first()
        assert last
        leave.leave(ctx, last, how="one_click")
    club.ask("waits@canary-quill.example")
    for state, number in (("paused", 1), ("unsubscribed", 1), ("waiting", 1), ("subscribed", 50)):
        shown = text_of(lou.get(f"/staff/people?state={state}&list={club.list_id}&topic={club.topics[0]}"))
        assert f'data-test="people-shown">{number}<' in shown, state
    assert "No one here" in text_of(lou.get(f"/staff/people?topic={club.topics[1]}"))
    for odd in ("?after=-5", "?after=99999999999999999999999", "?list=99999999999999999999", "?topic=x&state=x"):
        assert lou.get(f"/staff/people{odd}").status_code == 200


def test_an_erased_person_has_a_page_that_says_so_and_an_unknown_number_has_none(
        club: Club, services: Services, lou: Browser) -> None:
    point_id = club.confirmed(CANARY)
    with unit_of_work(services) as ctx:
        ctx.db.execute(text("DELETE FROM vault.person_key"))
    answer = lou.get(f"/staff/people/{point_id}")
    assert answer.status_code == 410 and "Nothing is kept but a fingerprint on the stop list." in text_of(answer)
    assert lou.post(f"/staff/people/{point_id}/stop", reported="phone").status_code == 410
    assert "No one found" in text_of(lou.post("/staff/people", email=CANARY))
    assert lou.get("/staff/people").status_code == 200
    assert lou.get("/staff/people/9999").status_code == 404
    assert lou.get(f"/staff/people/{1 << 70}").status_code == 404


def test_a_reported_child_is_nobody_here_until_an_adult_objects(
        club: Club, services: Services, lou: Browser, pia: Browser) -> None:
    """Decision 41: hidden at once, whatever leads here; the report itself stays with the privacy desk."""
    path = f"/staff/people/{club.confirmed(CANARY)}"
    with unit_of_work(services) as ctx:
        made = children.report(ctx, CANARY)
        # While keys rotate, the stop list may know a newer fingerprint than the person's row.
        ctx.db.execute(text("DELETE FROM suppression"))
    assert "No one found" in text_of(lou.post("/staff/people", email=CANARY))
    assert MASK not in text_of(lou.get("/staff/people"))
    for browser in (lou, pia):
        assert browser.get(path).status_code == 404
        for act in ("reveal", "stop", "fresh-link", "invite"):
            assert browser.post(f"{path}/{act}", reason="delivery_problem", reported="phone").status_code in (403, 404)
    assert "Report of a child" in text_of(pia.get(f"/staff/privacy/{made.request_id}"))
    with unit_of_work(services) as ctx:
        children.object_to(ctx, ctx.db.get_one(ChildReport, made.id), by="self")
    assert MASK in text_of(lou.get(path)) and MASK in text_of(lou.get("/staff/people"))


def test_an_auditor_reads_masked_and_changes_nothing(club: Club, team: Team) -> None:
    path = f"/staff/people/{club.confirmed(CANARY, first_name='Quillonwick')}"
    browser = team.browser("aud@example.org", Role.AUDITOR)
    page = text_of(browser.get(path))
    assert MASK in page and "Quillonwick" not in page and "Reveal" not in page
    for act in ("reveal", "stop", "hold"):
        assert browser.post(f"{path}/{act}", reason="legal_duty", reported="phone").status_code == 404


def test_a_composer_meets_no_address_and_no_person_anywhere(club: Club, team: Team) -> None:
    """M23 and promise section 3, 15: every page that a Composer can reach, and the doors that stay shut."""
    point_id = club.confirmed(CANARY, first_name="Quillonwick")
    request_id = club.ask("waits@canary-quill.example")
    club.campaign()
    browser = team.browser("cem@example.org", Role.COMPOSER)
    for path in ("/staff/people", f"/staff/people/{point_id}", f"/staff/people/request/{request_id}", "/staff/forms"):
        assert browser.get(path).status_code == 404
    for path in ("/staff/people", "/staff/people/stop-list", f"/staff/people/{point_id}/reveal",
                 f"/staff/people/{point_id}/stop", f"/staff/people/{point_id}/why"):
        assert browser.post(path, email=CANARY, reason="legal_duty", reported="phone").status_code == 404
    seen, todo = set(), ["/staff"]
    while todo and len(seen) < 80:
        path = todo.pop()
        seen.add(path)
        page = text_of(browser.get(path))
        assert "canary-quill" not in page and "Quillonwick" not in page, path
        todo += [link for link in re.findall(r'href="(/staff[^"#]*)"', page) if link not in seen and link not in todo]
    assert "/staff/lists" in seen and "/staff/people" not in seen
    assert len(team.acts("refused")) == 9
