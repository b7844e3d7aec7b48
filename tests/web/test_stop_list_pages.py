"""The stop list as staff meet it: it answers about one address, takes more in, and only the officer lifts anything."""

import re
from datetime import date, timedelta

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as some

from mailer.analytics import k_anonymity, stop_list
from mailer.core.reasons import Reason
from mailer.services import Services, unit_of_work
from mailer.staff.roles import Role
from mailer.subscriptions import by_staff
from mailer.suppression import domains, registry
from mailer.suppression.queries import Total
from tests.conftest import FixedClock
from tests.web.list_world import CANARY, Club
from tests.web.staff_world import Browser, Team, errors_of, text_of

PAGE = "/staff/stop-list"
KEY = re.compile(r'name="(channel|fingerprint|reason|list_id|topic_id)" value="([^"]*)"')


@pytest.fixture
def club(services: Services, app: Flask) -> Club:
    return Club(services)


@pytest.fixture
def lou(club: Club, team: Team) -> Browser:
    return team.browser("lou@example.org", Role.LIST_MANAGER)


@pytest.fixture
def pia(club: Club, team: Team) -> Browser:
    return team.browser("pia@example.org", Role.PRIVACY_OFFICER)


def stopped(services: Services, address: str, *reasons: Reason, list_id: int = 0, topic_id: int = 0) -> None:
    with unit_of_work(services) as ctx:
        for reason in reasons:
            registry.suppress(ctx, channel="email", fingerprint=ctx.sealer.fingerprint("email", address),
                              reason=reason, list_id=list_id, topic_id=topic_id)


def standing(services: Services, address: str) -> set[tuple[str, int, int]]:
    with unit_of_work(services) as ctx:
        found = registry.entries(ctx, "email", ctx.sealer.fingerprints("email", address))
        return {(each.reason, each.list_id, each.topic_id) for each in found}


def entry_keys(page: str) -> list[dict[str, str]]:
    """The hidden fields of each lift button on an answer."""
    return [dict(KEY.findall(form)) for form in re.findall(r'<form class="form".*?</form>', page, re.S)
            if "Lift this stop" in form]


def test_an_empty_list_says_what_lands_there(lou: Browser) -> None:
    page = text_of(lou.get(PAGE))
    assert "No one yet" in page and "Every opt-out lands here by itself." in page
    assert "None. Most organisations need none." in page and "Lift this stop" not in page


def test_the_list_answers_about_one_address_with_reason_scope_and_day(
        club: Club, services: Services, lou: Browser, team: Team) -> None:
    """Ux 2.14; items 4 and 14: scope by everything, list and topic."""
    assert "No, not on the stop list" in text_of(lou.post(f"{PAGE}/ask", email=CANARY))
    stopped(services, CANARY, Reason.NEVER)
    stopped(services, CANARY, Reason.UNSUBSCRIBED, list_id=club.list_id)
    stopped(services, CANARY, Reason.STAFF_STOP, list_id=club.list_id, topic_id=club.topics[1])
    answer = lou.post(f"{PAGE}/ask", email=f" {CANARY.upper()} ")
    page = text_of(answer)
    for words in ("Friend said never", "Everything by email", "Unsubscribed", "Concert news: Events",
                  "2 March 2026"):
        assert words in page
    assert "zanzibarowl" not in page.lower() and "Lift this stop" not in page
    refused = lou.post(f"{PAGE}/ask", email="zanzibar")
    assert refused.status_code == 422 and errors_of(refused) == ["Type a whole email address, like name@example.org"]
    assert [each.detail for each in team.acts("stop_list_asked")] == [{"answer": "no"}, {"answer": "yes"}]


def test_one_or_many_are_stopped_and_what_was_pasted_is_nowhere(
        club: Club, services: Services, lou: Browser, team: Team) -> None:
    """Ux 2.14: hashed at once, the text is not kept; counts, and bad lines by their number alone."""
    point = club.confirmed(CANARY)
    pasted = f"{CANARY}\r\nnot-an-address\r\n\r\nsecond@example.org\r\n{CANARY.upper()}\r\n@@\r\n"
    answer = lou.post(f"{PAGE}/add", addresses=pasted, reason="staff_stop", scope="")
    page = text_of(answer)
    assert re.findall(r'data-test="(?:new|known|bad)">(\d+)', page) == ["2", "1", "2"]
    assert "1 consent ended with it" in page and re.findall(r'role="rowheader">(\d+)<', page) == ["2", "6"]
    assert "zanzibarowl" not in page.lower() and "second@" not in page and "not-an-address" not in page
    assert standing(services, CANARY) == {("staff_stop", 0, 0)}
    assert club.one("SELECT count(*) FROM standing WHERE contact_point_id = :id AND state = 'live'", id=point) == 0
    assert team.acts("stop_list_added")[0].detail == {
        "reason": "staff_stop", "list": 0, "topic": 0, "new": 2, "known": 1, "ended": 1, "bad": 2}
    again = text_of(lou.post(f"{PAGE}/add", addresses=CANARY, reason="staff_stop", scope=""))
    assert "Nothing new" in again and "Already stopped since 2 March 2026: Stopped by staff, on request." in again


def test_a_stop_of_one_topic_leaves_the_others(club: Club, services: Services, lou: Browser) -> None:
    scope = f"{club.list_id}/{club.topics[1]}"
    lou.post(f"{PAGE}/add", addresses="one@example.org", reason="law", scope=scope)
    assert standing(services, "one@example.org") == {("law", club.list_id, club.topics[1])}


@pytest.mark.parametrize(("fields", "error"), [
    ({"addresses": " \n", "reason": "law", "scope": ""}, "Type one address, or paste one on each line."),
    ({"addresses": "a@example.org", "reason": "", "scope": ""}, "Choose why they are stopped."),
    ({"addresses": "a@example.org", "reason": "unsubscribed", "scope": ""}, "Choose why they are stopped."),
    ({"addresses": "a@example.org", "reason": "law", "scope": "7/99"}, "Choose what they are stopped for."),
    ({"addresses": "a@b.example\n" * 20_001, "reason": "law", "scope": ""}, "Paste at most 20,000 lines at a time. "
     "The command `mailer suppress import` takes any number.")])
def test_what_cannot_be_taken_is_said_and_stops_nobody(club: Club, lou: Browser, fields: dict[str, str], error: str
                                                       ) -> None:
    answer = lou.post(f"{PAGE}/add", **fields)
    assert answer.status_code == 422 and errors_of(answer) == [error]
    assert club.one("SELECT count(*) FROM suppression") == 0


def test_the_officer_lifts_what_staff_entered_and_reports_of_children_with_a_reason(
        club: Club, services: Services, pia: Browser, team: Team) -> None:
    """Decision 2; item 4: it grants nothing, and no consent comes back."""
    club.confirmed(CANARY)
    pia.post(f"{PAGE}/add", addresses=CANARY, reason="staff_stop", scope="")
    stopped(services, CANARY, Reason.CHILD, Reason.UNSUBSCRIBED, Reason.ERASED, Reason.LAW)
    keys = entry_keys(text_of(pia.post(f"{PAGE}/ask", email=CANARY)))
    assert {each["reason"] for each in keys} == {"staff_stop", "child"}
    refused = pia.post(f"{PAGE}/lift", **keys[0])
    assert refused.status_code == 422 and errors_of(refused) == ["Choose why it is lifted."]
    assert CANARY not in text_of(refused) and len(entry_keys(text_of(refused))) == 1
    for key in keys:
        assert pia.post(f"{PAGE}/lift", why="mistake", **key).status_code == 303
    assert {reason for reason, _, _ in standing(services, CANARY)} == {"unsubscribed", "erased", "law"}
    assert club.one("SELECT count(*) FROM standing WHERE state = 'live'") == 0
    assert {(each.detail["reason"], each.detail["why"]) for each in team.acts("stop_lifted")} == {
        ("staff_stop", "mistake"), ("child", "mistake")}
    assert "It allows nothing by itself" in text_of(pia.get(PAGE))
    assert pia.post(f"{PAGE}/lift", why="mistake", **keys[0]).status_code == 404


@pytest.mark.parametrize("reason", [Reason.COMPLAINED, Reason.NEVER])
def test_a_complaint_and_a_never_go_by_the_persons_own_written_word_alone(
        club: Club, services: Services, pia: Browser, team: Team, reason: Reason) -> None:
    """Decision 2."""
    stopped(services, CANARY, reason)
    [key] = entry_keys(text_of(pia.post(f"{PAGE}/ask", email=CANARY)))
    for typed in ({"why": "mistake"}, {"written": "letter"}, {"written": "letter", "written_on": "2026-03-03"},
                  {"written_on": "2026-03-01"}, {"written": "phone", "written_on": "2026-03-01"}):
        assert pia.post(f"{PAGE}/lift", **key, **typed).status_code == 422
    assert pia.post(f"{PAGE}/lift", **key, written="letter", written_on="2026-02-27").status_code == 303
    assert standing(services, CANARY) == set()
    assert [each.detail["written_on"] for each in team.acts("stop_lifted")] == ["2026-02-27"]


@pytest.mark.parametrize("reason", [each for each in registry.SUPPRESSING
                                    if each not in by_staff.OFFICER_LIFTS | by_staff.WRITING_LIFTS])
def test_nothing_but_the_persons_own_act_lifts_an_opt_out(
        club: Club, services: Services, pia: Browser, lou: Browser, reason: Reason) -> None:
    """Decision 2, item 4: also where the form is made up by hand."""
    stopped(services, CANARY, reason)
    with unit_of_work(services) as ctx:
        key = {"channel": "email", "fingerprint": ctx.sealer.fingerprint("email", CANARY).hex(), "reason": str(reason),
               "list_id": "0", "topic_id": "0", "why": "mistake", "written": "letter", "written_on": "2026-02-27"}
    assert entry_keys(text_of(pia.post(f"{PAGE}/ask", email=CANARY))) == []
    assert pia.post(f"{PAGE}/lift", **key).status_code == 404
    assert lou.post(f"{PAGE}/lift", **key | {"reason": "staff_stop"}).status_code == 404
    for broken in ({"fingerprint": "zz"}, {"fingerprint": "00"}, {"reason": "paused"}, {"list_id": "-1"}):
        assert pia.post(f"{PAGE}/lift", **key | {"reason": "staff_stop"} | broken).status_code == 404
    assert {each for each, _, _ in standing(services, CANARY)} == {reason}


def test_a_domain_rule_is_added_by_the_list_manager_and_taken_back_by_the_officer(
        club: Club, services: Services, lou: Browser, pia: Browser, team: Team) -> None:
    for typed in ("", "not a domain", "a@b@c", "-.example"):
        answer = lou.post(f"{PAGE}/domains", domain=typed)
        assert answer.status_code == 422 and errors_of(answer) == ["Type a domain, such as example.org"]
    for typed in (" @CANARY-quill.example. ", "canary-quill.example", "Bücher.example"):
        assert lou.post(f"{PAGE}/domains", domain=typed).status_code == 303
    page = text_of(lou.get(PAGE))
    assert page.count("<strong>canary-quill.example</strong>") == 1 and "xn--bcher-kva.example" in page
    assert "Take back" not in page and "Stopped by a domain rule" in text_of(lou.post(f"{PAGE}/ask", email=CANARY))
    club.ask_only(CANARY)
    assert club.one("SELECT count(*) FROM pending_request") == 0
    assert lou.post(f"{PAGE}/domains/remove", domain="canary-quill.example").status_code == 404
    for _ in range(2):
        assert pia.post(f"{PAGE}/domains/remove", domain="canary-quill.example").status_code == 303
    with unit_of_work(services) as ctx:
        assert [rule.name for rule in domains.listed(ctx)] == ["xn--bcher-kva.example"]
    assert [len(team.acts(act)) for act in ("domain_rule_added", "domain_rule_removed")] == [2, 1]


def test_other_roles_find_no_such_page_and_the_auditor_only_reads(club: Club, team: Team) -> None:
    """M23."""
    for role in (Role.COMPOSER, Role.SENDER, Role.ADMIN):
        browser = team.browser(f"{role}@example.org", role)
        assert browser.get(PAGE).status_code == 404 and "/staff/stop-list" not in text_of(browser.get("/staff/help"))
    auditor = team.browser("aud@example.org", Role.AUDITOR)
    page = text_of(auditor.get(PAGE))
    assert "Stop one or many" not in page and "Take back" not in page
    assert auditor.post(f"{PAGE}/add", addresses="a@example.org", reason="law", scope="").status_code == 404


def test_figures_are_drawn_by_reason_and_month_from_the_next_day_on(
        club: Club, services: Services, lou: Browser, clock: FixedClock) -> None:
    """Ux 6: server-drawn, the same numbers as a table, small numbers hidden."""
    for n in range(30):
        stopped(services, f"u{n}@example.org", Reason.UNSUBSCRIBED)
    for n in range(12):
        stopped(services, f"b{n}@example.org", Reason.BOUNCED)
    stopped(services, "one@example.org", Reason.CHILD)
    assert "Today's entries are counted when the day is over." in text_of(lou.get(PAGE))
    clock.advance(hours=10)
    lou.sign_in("lou@example.org")
    page = text_of(lou.get(PAGE))
    assert "43 entries up to the end of yesterday." in page and "Unsubscribed, by email" in page
    assert "Reported as a child's" not in page and "All other reasons" in page and 'id="stop-months-title"' in page
    assert "Reason, channel and month" in page


def totals(**counts: int) -> list[Total]:
    """`bounced_2=4`: so many of this reason began so many months before March 2026."""
    found = []
    for name, n in counts.items():
        reason, _, ago = name.rpartition("_")
        month = date(2026, 3, 1)
        for _ in range(int(ago)):
            month = (month - timedelta(days=1)).replace(day=1)
        found.append(Total(reason, "email", month, n))
    return found


counts = some.lists(some.tuples(some.sampled_from(["unsubscribed", "bounced", "erased"]), some.integers(0, 14),
                                some.integers(1, 40)), max_size=12)


@given(counts)
@settings(max_examples=150, deadline=None)
def test_no_figure_of_fewer_than_ten_can_be_worked_out_from_the_others(given_counts: list[tuple[str, int, int]]
                                                                       ) -> None:
    """Ux 6, small numbers (1) to (3): in no row and no column is one figure hidden alone."""
    made = [(f"{reason}_{ago}", n) for reason, ago, n in given_counts]
    found = stop_list.figures([total for name, n in made for total in totals(**{name: n})], date(2026, 3, 9))
    whole = sum(n for _, n in made)
    assert found.total == whole and len(found.cells) in (0, len(found.rows))
    assert all(n is None or n >= 10 for n in found.sums) and (None not in found.sums or len(found.sums) == 1)
    assert all(n == 0 or n >= 10 for n in found.step_sums)
    assert not found.steps or sum(found.step_sums) == whole or whole - sum(found.step_sums) >= 10
    for line in [*found.cells, *zip(*found.cells, strict=True)]:
        assert len(line) == 1 or sum(value is None for value in line) != 1
        assert all(value is None or value == 0 or value >= 10 for value in line)


@pytest.mark.parametrize(("cells", "expected"), [
    ([[40, 4], [20, 30]], [[None, None], [None, None]]),
    ([[40, 0], [20, 30]], [[40, 0], [20, 30]]),
    ([[5, 0], [0, 0]], [[None, None], [None, None]]),
    ([], [])])
def test_a_cell_alone_in_its_row_or_column_takes_the_next_smallest_with_it(
        cells: list[list[int]], expected: list[list[int | None]]) -> None:
    assert k_anonymity.grid(cells) == expected
