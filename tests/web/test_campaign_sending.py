"""Check and send: the button names the number, and what was not looked at does not leave."""

from datetime import UTC, datetime

import pytest

from mailer.campaigns import compose, review
from mailer.core.channel import EXAMPLE
from mailer.services import unit_of_work
from mailer.staff.roles import Role
from tests.web.campaign_world import WORDS, CampaignWorld, hidden, number_in, press_send
from tests.web.staff_world import errors_of, text_of


def test_the_button_names_the_people_and_a_press_starts_with_time_to_undo(world: CampaignWorld) -> None:
    browser = world.team.browser("sue@example.org", Role.SENDER)
    number = world.campaign()
    assert number_in(browser.get(f"/staff/campaigns/{number}/check"), "send") == "Send to 40 people"
    assert press_send(browser, number).status_code == 303
    page = browser.get(f"/staff/campaigns/{number}/progress")
    assert number_in(page, "starts-in").startswith("Starts in 5 seconds.")
    assert '<noscript><meta http-equiv="refresh"' in text_of(page)
    browser.post(f"/staff/campaigns/{number}/undo")
    assert world.state(number) == "draft"


def test_pressing_send_twice_is_pressing_once(world: CampaignWorld) -> None:
    browser = world.team.browser("sue@example.org", Role.SENDER)
    number = world.campaign()
    page = browser.get(f"/staff/campaigns/{number}/check")
    fields = {name: hidden(page, name) for name in ("version", "expected_in")}
    for _ in range(2):
        assert browser.post(f"/staff/campaigns/{number}/send", when="now", **fields).status_code == 303
    assert len(world.team.acts("campaign_started")) == 1


def test_example_text_leaves_no_button_and_a_press_is_refused(world: CampaignWorld) -> None:
    browser = world.team.browser("sue@example.org", Role.SENDER)
    number = world.campaign(words=compose.Words("News", EXAMPLE))
    page = browser.get(f"/staff/campaigns/{number}/check")
    assert "must be fixed first" in number_in(page, "no-button") and "Send to" not in text_of(page)
    answer = press_send(browser, number)
    assert answer.status_code == 422 and world.state(number) == "draft"


def test_one_person_more_since_the_check_is_asked_about_again(world: CampaignWorld) -> None:
    """Promises section 3, item 21: the launch refuses if the set has grown since."""
    browser = world.team.browser("sue@example.org", Role.SENDER)
    number = world.campaign()
    page = browser.get(f"/staff/campaigns/{number}/check")
    fields = {name: hidden(page, name) for name in ("version", "expected_in")}
    world.people(1)
    answer = browser.post(f"/staff/campaigns/{number}/send", when="now", **fields)
    assert answer.status_code == 422
    assert errors_of(answer) == ["Since you looked, 1 person more came in. Look again; the button now names all 41."]
    assert number_in(answer, "send") == "Send to 41 people"
    assert press_send(browser, number).status_code == 303


def test_words_changed_since_the_check_are_not_sent(world: CampaignWorld) -> None:
    browser = world.team.browser("sue@example.org", Role.SENDER)
    number = world.campaign()
    assert press_send(browser, number, version="99").status_code == 422
    assert world.state(number) == "draft"


def test_a_composer_may_look_and_ask_but_not_send(world: CampaignWorld) -> None:
    cem = world.team.browser("cem@example.org", Role.COMPOSER)
    sue = world.team.browser("sue@example.org", Role.SENDER)
    number = world.campaign()
    page = cem.get(f"/staff/campaigns/{number}/check")
    assert "Ask Quilliambert to approve" in text_of(page) and "Send to" not in text_of(page)
    assert press_send(cem, number).status_code == 404
    cem.post(f"/staff/campaigns/{number}/ask", version=hidden(page, "version"), expected_in="40")
    assert world.state(number) == "needs_approval"
    assert number_in(sue.get(f"/staff/campaigns/{number}/check"), "send") == "Approve and send to 40 people"
    assert press_send(sue, number).status_code == 303
    assert world.state(number) == "starting"
    assert world.team.one("SELECT approved_by IS NOT NULL FROM campaign WHERE id = :id", id=number)


def test_nobody_approves_what_they_wrote_or_asked_for(world: CampaignWorld) -> None:
    """Promises section 2, item 19: author is never approver, and any edit voids the request."""
    world.team.browser("sam@example.org", Role.SENDER)
    sue = world.team.browser("sue@example.org", Role.SENDER)
    number = world.campaign()
    page = sue.get(f"/staff/campaigns/{number}/check")
    sue.post(f"/staff/campaigns/{number}/ask", version=hidden(page, "version"), expected_in="40")
    assert "cannot approve it" in number_in(sue.get(f"/staff/campaigns/{number}/check"), "no-button")
    assert press_send(sue, number).status_code == 404
    version = hidden(sue.get(f"/staff/campaigns/{number}/edit"), "version")
    sue.post(f"/staff/campaigns/{number}/edit", version=version, audience=str(world.list_id), sender="", subject="New",
             preview_line="", markdown="Changed", language="en")
    assert world.state(number) == "draft"


@pytest.mark.parametrize(("inside", "senders", "needed"), [(5000, 2, False), (5001, 2, True), (9000, 1, False)])
def test_a_second_person_is_needed_above_5000_where_there_is_one(inside: int, senders: int, needed: bool) -> None:
    assert review.needs_second(inside, list(range(senders))) is needed


def test_a_time_that_clocks_skip_is_refused_with_two_choices(world: CampaignWorld) -> None:
    """W10 step 1."""
    browser = world.team.browser("sue@example.org", Role.SENDER)
    number = world.campaign()
    answer = press_send(browser, number, when="later", date="2026-03-08", time="02:30", zone="America/New_York")
    assert answer.status_code == 422
    assert "go forward, and 02:30 does not exist" in text_of(answer)
    assert 'value="2026-03-08T01:30/"' in text_of(answer) and 'value="2026-03-08T03:30/"' in text_of(answer)
    chosen = press_send(browser, number, when="later", choice="2026-03-08T03:30/", zone="America/New_York")
    assert "Sunday 8 March 2026, 03:30 New York. 07:30 UTC" in number_in(chosen, "moment")


def test_a_time_that_comes_twice_asks_which(world: CampaignWorld) -> None:
    browser = world.team.browser("sue@example.org", Role.SENDER)
    number = world.campaign()
    zone = {"when": "later", "zone": "America/New_York"}
    answer = press_send(browser, number, date="2026-11-01", time="01:30", **zone)
    assert "comes twice" in text_of(answer) and "The second 01:30, which is 06:30 UTC" in text_of(answer)
    second = press_send(browser, number, choice="2026-11-01T01:30/1", **zone)
    assert "06:30 UTC" in number_in(second, "moment")
    fields = {"stamp": hidden(second, "stamp"), "fold": "1", "date": "2026-11-01", "time": "01:30"}
    assert press_send(browser, number, **zone, **fields).status_code == 303
    assert world.team.one("SELECT send_at FROM campaign WHERE id = :id", id=number) == datetime(
        2026, 11, 1, 6, 30, tzinfo=UTC)


def test_the_moment_is_shown_in_full_before_it_can_be_scheduled(world: CampaignWorld) -> None:
    """W10 steps 2 and 3."""
    browser = world.team.browser("sue@example.org", Role.SENDER)
    number = world.campaign()
    later = {"when": "later", "date": "2026-03-10", "time": "09:00", "zone": "America/New_York"}
    shown = press_send(browser, number, **later)
    assert shown.status_code == 200 and world.state(number) == "draft"
    assert number_in(shown, "moment") == \
        "Tuesday 10 March 2026, 09:00 New York. 13:00 UTC, 14:00 Berlin. In 8 days."
    assert number_in(shown, "send") == "Schedule for Tue 10 March, 09:00 New York"
    assert press_send(browser, number, **later, stamp=hidden(shown, "stamp")).status_code == 303
    assert world.state(number) == "scheduled"
    assert "13:00 UTC" in number_in(browser.get(f"/staff/campaigns/{number}/progress"), "starts")


def test_the_part_beside_the_time_says_the_same_as_the_page(world: CampaignWorld) -> None:
    browser = world.team.browser("sue@example.org", Role.SENDER)
    number = world.campaign()
    part = browser.get(f"/staff/campaigns/{number}/check/when?when=later&date=2026-03-10&time=09:00"
                       "&zone=America/New_York&expected_in=40")
    assert number_in(part, "send") == "Schedule for Tue 10 March, 09:00 New York"
    now = browser.get(f"/staff/campaigns/{number}/check/when?when=now&expected_in=40")
    assert number_in(now, "send") == "Send to 40 people"


def test_an_empty_audience_has_no_button_but_words(world: CampaignWorld) -> None:
    browser = world.team.browser("sue@example.org", Role.SENDER)
    with unit_of_work(world.services) as ctx:
        from_list = compose.create(ctx, list_id=world.list_id, words=WORDS)
        ctx.db.flush()
        number = from_list.id
    world.team.one("WITH gone AS (DELETE FROM standing RETURNING 1) SELECT count(*) FROM gone")
    page = browser.get(f"/staff/campaigns/{number}/check")
    assert "Nobody would get it" in number_in(page, "no-button")


def test_a_test_goes_to_oneself_with_one_press_and_not_twice(world: CampaignWorld) -> None:
    browser = world.team.browser("cem@example.org", Role.COMPOSER)
    number = world.campaign()
    page = browser.get(f"/staff/campaigns/{number}/check")
    assert "No test was sent since the last change" in text_of(page)
    own = world.team.one("SELECT max(id) FROM staff")
    press = hidden(page, "idempotency")
    for _ in range(2):
        browser.post(f"/staff/campaigns/{number}/test", to=str(own), person="bo", idempotency=press)
    assert world.team.one("SELECT count(*) FROM single_message WHERE class = 'test'") == 1
    assert "A test was sent since the last change" in text_of(browser.get(f"/staff/campaigns/{number}/check"))


def test_a_test_goes_to_nobody_outside_the_team(world: CampaignWorld) -> None:
    """Promise 3.15: composing and testing without seeing or writing to anybody real."""
    browser = world.team.browser("cem@example.org", Role.COMPOSER)
    number = world.campaign()
    browser.post(f"/staff/campaigns/{number}/test", to="4711", person="ada", idempotency="x")
    assert world.team.one("SELECT count(*) FROM single_message") == 0
