"""Watching a campaign and reading its report."""

import csv
import io

import psycopg
import pytest
from sqlalchemy import text

from mailer.campaigns import close, compose, control, launch
from mailer.core.modes import Mode
from mailer.outbox import counts, retention
from mailer.services import unit_of_work
from mailer.staff.roles import Role
from tests.web.campaign_world import CampaignWorld, number_in, press_send
from tests.web.staff_world import Browser, text_of
from workers import ticker


@pytest.fixture
def sue(world: CampaignWorld) -> Browser:
    return world.team.browser("sue@example.org", Role.SENDER)


def begin(world: CampaignWorld, browser: Browser) -> int:
    """Send, let the undo time pass, and plan everything; nobody hands anything over yet."""
    number = world.campaign()
    press_send(browser, number)
    world.clock.advance(seconds=6)
    more = True
    while more:
        with unit_of_work(world.services) as ctx:
            more = launch.step(ctx, number, world.services.settings.data_dir / "exits")
    return number


def counted(world: CampaignWorld, number: int, **states: int) -> None:
    """What workers would have counted."""
    with unit_of_work(world.services) as ctx:
        for name, n in states.items():
            state, _, detail = name.partition("__")
            ctx.db.execute(text("INSERT INTO campaign_count (campaign_id, worker, state, detail, n) "
                                "VALUES (:id, 'w', :state, :detail, :n)"),
                           {"id": number, "state": state, "detail": detail, "n": n})


def test_the_bar_counts_against_those_who_are_in(world: CampaignWorld, sue: Browser) -> None:
    number = begin(world, sue)
    counted(world, number, accepted=10, refused__unsubscribed=2)
    page = sue.get(f"/staff/campaigns/{number}/progress")
    assert number_in(page, "progress") == "10 of 40, 25%"
    assert (number_in(page, "accepted"), number_in(page, "not_sent"), number_in(page, "waiting")) == ("10", "2", "28")
    assert number_in(page, "not-sent-unsubscribed") == "2"


def test_the_part_asks_again_until_all_is_done(world: CampaignWorld, sue: Browser) -> None:
    number = begin(world, sue)
    assert 'hx-trigger="load delay:2s"' in text_of(sue.get(f"/staff/campaigns/{number}/progress/part"))
    with unit_of_work(world.services) as ctx:
        control.stop(ctx, number)
    part = text_of(sue.get(f"/staff/campaigns/{number}/progress/part"))
    assert "It is being stopped: nothing more is handed over." in part and "hx-trigger" in part
    ticker.end_what_is_over(world.services)
    assert "hx-trigger" not in text_of(sue.get(f"/staff/campaigns/{number}/progress/part"))


def test_the_rate_is_taken_over_about_the_last_minute(world: CampaignWorld, sue: Browser) -> None:
    number = begin(world, sue)
    world.clock.advance(seconds=100)
    counted(world, number, accepted=30)
    part = sue.get(f"/staff/campaigns/{number}/progress/part?marks=60.0-10_80.0-20")
    assert "0.5 a second" in text_of(part) and "less than a minute left" in text_of(part)
    for forged in ("x", "1-2", "9e999-1_1-1", "nan-1_1-1", "-5-1_2-3"):
        assert sue.get(f"/staff/campaigns/{number}/progress/part?marks={forged}").status_code == 200


def test_pause_needs_no_question_and_stopping_names_the_number_left(world: CampaignWorld, sue: Browser) -> None:
    """W10 steps 4 and 7."""
    number = begin(world, sue)
    sue.post(f"/staff/campaigns/{number}/pause")
    assert world.state(number) == "paused"
    sue.post(f"/staff/campaigns/{number}/resume")
    assert world.state(number) == "sending"
    assert number_in(sue.get(f"/staff/campaigns/{number}/stop"), "left") == \
        "40 have not been sent. Stopping cannot be undone."
    assert world.state(number) == "sending"
    sue.post(f"/staff/campaigns/{number}/stop")
    for _ in range(2):
        page = text_of(sue.get(f"/staff/campaigns/{number}/progress"))
        assert "Stopped" in page and "Resume" not in page and "/pause" not in page
        ticker.end_what_is_over(world.services)
    assert world.state(number) == "stopped"


def test_who_opts_out_meanwhile_is_counted_as_kept_back(world: CampaignWorld, sue: Browser) -> None:
    number = begin(world, sue)
    with unit_of_work(world.services) as ctx:
        ctx.db.execute(text("INSERT INTO goodbye (contact_point_id, at, undo_until, ended) SELECT min(id), :now, :now, "
                            "'{\"list_id\": null}' FROM contact_point"), {"now": world.clock.now()})
    assert number_in(sue.get(f"/staff/campaigns/{number}/progress"), "kept-back") == \
        "1 person opted out since you pressed Send. They got nothing."


def test_composers_watch_and_press_nothing(world: CampaignWorld, sue: Browser) -> None:
    number = begin(world, sue)
    cem = world.team.browser("cem@example.org", Role.COMPOSER)
    page = text_of(cem.get(f"/staff/campaigns/{number}/progress"))
    assert "/pause" not in page and "Quilliambert" in page
    assert cem.post(f"/staff/campaigns/{number}/pause").status_code == 404


def finished(world: CampaignWorld, browser: Browser) -> int:
    number = begin(world, browser)
    counted(world, number, accepted=22, refused__unsubscribed=14, refused__paused=3, uncertain=1)
    with unit_of_work(world.services) as ctx:
        campaign = compose.lock(ctx, number)
        for _ in range(12):
            counts.count_left(ctx, number)
        campaign.state, campaign.finished_at = "sent", ctx.clock.now()
        campaign.planned, campaign.accepted, campaign.refused, campaign.uncertain = 40, 22, 17, 1
        campaign.failed = campaign.expired = 0
    return number


def test_the_report_keeps_small_numbers_back(world: CampaignWorld, sue: Browser) -> None:
    """Promise M23: no cell of 1 to 9 about what people did; one hidden part takes the next smallest with it."""
    number = finished(world, sue)
    world.clock.advance(hours=1)
    page = sue.get(f"/staff/campaigns/{number}/report")
    assert number_in(page, "report-sentence") == "22 of 23 accepted, 12 left."
    assert "Taking a break" not in text_of(page) and "Other" in text_of(page)
    assert "They may have arrived" in text_of(page)
    assert "We do not know who opened this." in text_of(page)


def test_leaving_shows_by_the_full_hour_so_that_two_looks_tell_nothing_apart(world: CampaignWorld, sue: Browser
                                                                               ) -> None:
    number = finished(world, sue)
    assert number_in(sue.get(f"/staff/campaigns/{number}/report"), "report-sentence") == "22 of 23 accepted, none left."


def test_the_file_of_totals_holds_no_formula_and_no_small_number(world: CampaignWorld, sue: Browser) -> None:
    number = finished(world, sue)
    with unit_of_work(world.services) as ctx:
        compose.lock(ctx, number).name = "=1+1"
    answer = sue.get(f"/staff/campaigns/{number}/report.csv")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert ["Campaign", "'=1+1"] in rows and ["Accepted", "22"] in rows
    assert ["Not sent: Other", "17"] in rows
    assert not any(row[1] in set("23456789") for row in rows if row[0].startswith(("Not sent", "Left")))


def test_the_exact_page_gives_way_to_the_report_after_an_hour(world: CampaignWorld, sue: Browser) -> None:
    number = finished(world, sue)
    assert sue.get(f"/staff/campaigns/{number}/progress").status_code == 200
    world.clock.advance(minutes=61)
    assert sue.get(f"/staff/campaigns/{number}/progress").location.endswith("/report")


def test_the_list_sorts_campaigns_by_how_far_they_are(world: CampaignWorld, sue: Browser) -> None:
    draft, sent = world.campaign(), finished(world, sue)
    drafts = text_of(sue.get("/staff/campaigns?tab=draft"))
    assert f"/staff/campaigns/{draft}" in drafts and f'"/staff/campaigns/{sent}"' not in drafts
    assert "22 of 23 accepted" in text_of(sue.get("/staff/campaigns?tab=sent"))
    assert "Nothing here" in text_of(sue.get("/staff/campaigns?tab=scheduled"))
    copied = sue.post(f"/staff/campaigns/{sent}/copy")
    assert copied.location.endswith("/edit")


UNSURE = "They may have arrived, so they are not sent again by themselves."


def with_an_unsure_one(world: CampaignWorld, number: int) -> None:
    """Everybody's message has ended, one of them without an answer."""
    with unit_of_work(world.services) as ctx:
        month = compose.find(ctx, number).month
        ctx.db.execute(text("INSERT INTO decision (campaign_id, contact_point_id, month, attempt, cleared, at) "
                            "SELECT campaign_id, contact_point_id, month, 1, true, now() FROM message"))
        ctx.db.execute(text("""
            UPDATE message SET attempt = 1, decided = 1, cleared = true, state = CASE
                WHEN contact_point_id = (SELECT min(contact_point_id) FROM message) THEN 'uncertain' ELSE 'accepted' END
            WHERE campaign_id = :id AND month = :month"""), {"id": number, "month": month})
    counted(world, number, accepted=39, uncertain=1)


def test_a_person_may_send_again_to_the_uncertain_and_is_told_what_that_means(
        world: CampaignWorld, sue: Browser) -> None:
    """Never by itself (decision 8)."""
    number = begin(world, sue)
    with_an_unsure_one(world, number)
    with unit_of_work(world.services) as ctx:
        assert close.close_if_done(ctx, number)
    page = text_of(sue.get(f"/staff/campaigns/{number}/report"))
    assert UNSURE in page and "whoever has it already gets it twice" in page and "Send to the 1 uncertain" in page
    answer = sue.post(f"/staff/campaigns/{number}/send-uncertain")
    assert answer.status_code == 303 and world.state(number) == "sending"
    page = text_of(sue.get(f"/staff/campaigns/{number}/progress"))
    assert "It goes to 1 person again." in page and "Sent again to the uncertain" in page
    assert sue.post(f"/staff/campaigns/{number}/send-uncertain").status_code == 303
    assert "Nobody is unsure any more" in text_of(sue.get(f"/staff/campaigns/{number}/progress"))


def test_who_may_not_send_reads_what_unsure_means_and_has_no_button(world: CampaignWorld, sue: Browser) -> None:
    number = begin(world, sue)
    with_an_unsure_one(world, number)
    cem = world.team.browser("cem@example.org", Role.COMPOSER)
    page = text_of(cem.get(f"/staff/campaigns/{number}/progress"))
    assert UNSURE in page and "Send to the 1 uncertain" not in page
    assert cem.post(f"/staff/campaigns/{number}/send-uncertain").status_code == 404


def test_a_stopped_campaign_offers_no_second_sending(world: CampaignWorld, sue: Browser) -> None:
    number = begin(world, sue)
    with_an_unsure_one(world, number)
    with unit_of_work(world.services) as ctx:
        control.stop(ctx, number)
    ticker.end_what_is_over(world.services)
    page = text_of(sue.get(f"/staff/campaigns/{number}/report"))
    assert UNSURE in page and "Send to the 1 uncertain" not in page


def test_a_campaign_that_something_holds_back_says_what(world: CampaignWorld, sue: Browser) -> None:
    """Its state stays Sending: it goes on by itself once that is mended."""
    number = begin(world, sue)
    assert "Nothing is handed over" not in text_of(sue.get(f"/staff/campaigns/{number}/progress"))
    with unit_of_work(world.services) as ctx:
        compose.find(ctx, number).mode = Mode.TRIAL
    page = text_of(sue.get(f"/staff/campaigns/{number}/progress"))
    assert "Nothing is handed over at the moment." in page
    assert "A campaign goes on only in the mode it was sent in." in page


def test_the_pages_work_after_the_message_log_has_ended(world: CampaignWorld, sue: Browser) -> None:
    number = begin(world, sue)
    with_an_unsure_one(world, number)
    with unit_of_work(world.services) as ctx:
        assert close.close_if_done(ctx, number)
    world.clock.advance(days=91)
    sue.sign_in("sue@example.org")
    with world.services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        assert retention.run(driver, world.clock.now()).months == 1
    page = text_of(sue.get(f"/staff/campaigns/{number}/report"))
    assert "39 of 40 accepted" in page and "Send to the 1 uncertain" not in page
    assert sue.get(f"/staff/campaigns/{number}/report.csv").status_code == 200
    assert sue.get("/staff/campaigns?tab=sent").status_code == 200
