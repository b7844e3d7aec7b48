"""W10: a time that does not exist, a schedule, a pause, somebody who leaves meanwhile, and a stop for good."""

import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import outbox_json
from tests.browser.conftest import DEMO, NewVisitor
from tests.browser.outbox_json import Letter
from tests.browser.visitor import Visitor
from tests.chaos import killing
from tests.chaos.mailbox import post
from tests.instance import Instance, running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

LIST = "News and events"
EARLIER, SUBJECT, OTHER = "The first of March", "Spring on the water", "Summer on the water"
BODY = "# On the water\n\nHello {first name | there},\n\non Tuesday the ferry plays."
STILL_AFTER = 5.0
"""Seconds after Pause within which the counter must stand (engine guarantee 6)."""


@pytest.fixture
def own_demo(tmp_path: Path) -> Iterator[Instance]:
    """A demonstration whose clock nobody else moves."""
    with running(tmp_path, *DEMO, OUTBOX_KEY=outbox_json.KEY) as instance:
        yield instance


def write(sue: Visitor, subject: str) -> None:
    """A campaign to the first list, up to the page that checks it."""
    sue.go("/staff/campaigns")
    sue.follow("New email")
    sue.page.get_by_label("Audience").select_option(label=f"{LIST}: all topics")
    sue.fill("Subject", subject)
    sue.page.get_by_role("textbox", name="Message").fill(BODY)
    sue.press("Check and send")
    assert sue.words("must-fix-count").startswith("No Must fix")


def choose_time(sue: Visitor, date: str, clock: str) -> None:
    """Later, on New York's clocks; with script the page answers by itself, without it there is a button."""
    sue.tick("Later")
    sue.fill("Date", date)
    sue.fill("Time", clock)
    sue.page.get_by_label("Time zone").select_option("America/New_York")
    if not sue.script:
        sue.press("Show what the time means")


def must_be_refused(sue: Visitor, words: str, choices: list[str]) -> None:
    press = sue.page.locator("#press")
    expect(press).to_contain_text(words)
    assert press.get_by_role("button").all_inner_texts() == choices
    expect(press.locator("[data-test='no-button']")).to_be_visible()


def schedule(sue: Visitor) -> None:
    """Steps 1 to 3, until it waits for its time."""
    choose_time(sue, "2026-03-08", "02:30")
    must_be_refused(sue, "clocks in New York go forward", ["01:30 on 8 March", "03:30 on 8 March"])
    choose_time(sue, "2026-11-01", "01:30")
    must_be_refused(sue, "01:30 comes twice", [
        "The first 01:30, which is 05:30 UTC", "The second 01:30, which is 06:30 UTC"])
    choose_time(sue, "2026-03-10", "09:00")
    expect(sue.page.locator("[data-test='moment']")).to_contain_text("Tuesday 10 March 2026, 09:00 New York. 13:00 UTC")
    sue.press("Schedule for Tue 10 March, 09:00 New York")
    expect(sue.page.locator("[data-test='starts']")).to_contain_text("Starts Tuesday 10 March 2026, 09:00 New York")
    expect(sue.page.locator(".badge", has_text="Scheduled").first).to_be_visible()


def counted(sue: Visitor) -> tuple[int, int]:
    """So many of so many, as the bar says."""
    found = re.match(r"([\d,]+) of ([\d,]+)", sue.words("progress"))
    assert found is not None
    return int(found[1].replace(",", "")), int(found[2].replace(",", ""))


def look_anew(sue: Visitor) -> Page:
    """The page as it is now, asked for again as a reader without script would."""
    sue.page.reload()
    return sue.page


def pause_at_a_third(sue: Visitor) -> None:
    """Step 4: it stands within five seconds, and a reload changes nothing."""
    def a_third() -> bool:
        look_anew(sue)
        if not sue.page.locator("[data-test='progress']").count():
            return False
        done, total = counted(sue)
        return 3 * done >= total

    sue.wait_until(a_third)
    sue.press("Pause")
    time.sleep(STILL_AFTER)
    look_anew(sue)
    stood = counted(sue)
    assert 0 < stood[0] < stood[1]
    sue.page.wait_for_timeout(3_000)
    look_anew(sue)
    assert counted(sue) == stood
    expect(sue.page.get_by_role("button", name="Resume")).to_be_visible()
    sue.look()


def leave_while_waiting(instance: Instance) -> Letter:
    """Step 5: somebody whom the paused campaign has not reached presses the button of their mail app."""
    reached = {letter.to for letter in outbox_json.every(instance, SUBJECT)}
    leaver = next(letter for letter in outbox_json.every(instance, EARLIER) if letter.to not in reached)
    (url,) = {link for link in leaver.links if "/one-click/" in link}
    assert post(url, **{"List-Unsubscribe": "One-Click"})[0] == 200
    return leaver


def restart_workers(instance: Instance) -> None:
    """Every worker process is ended; `mailer run` brings others."""
    for worker in killing.processes(instance, "worker"):
        killing.strike(worker, signal.SIGTERM)
        worker.wait(timeout=20)


def go_on_to_the_end(sue: Visitor, instance: Instance, leaver: Letter) -> None:
    """Step 6: everybody else has it exactly once."""
    sue.press("Resume")
    sue.wait_until(lambda: look_anew(sue).get_by_role("link", name="See the report").count(), 100)
    sue.look()
    assert sue.words("kept-back") == "1 person opted out since you pressed Send. They got nothing."
    done, total = counted(sue)
    reached = Counter(letter.to for letter in outbox_json.every(instance, SUBJECT))
    expected = {letter.to for letter in outbox_json.every(instance, EARLIER)} - {leaver.to}
    assert set(reached) == expected and set(reached.values()) == {1}
    assert done == total == len(expected)


def stop_another(sue: Visitor) -> None:
    """Step 7: the question names how many are left, and there is no way back."""
    write(sue, OTHER)
    sue.press(sue.words("send"))
    sue.wait_until(lambda: look_anew(sue).get_by_role("button", name="Pause").count())
    sue.press("Pause")
    sue.follow("Stop for good")
    left = re.fullmatch(r"([\d,]+) have not been sent\. Stopping cannot be undone\.", sue.words("left"))
    assert left is not None and int(left[1].replace(",", "")) > 0
    sue.press("Stop for good")
    expect(sue.page.locator(".badge", has_text="Stopped").first).to_be_visible()
    assert not sue.page.get_by_role("button", name="Resume").count()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_schedule_a_pause_and_a_late_goodbye(own_demo: Instance, visitor: NewVisitor, script: bool) -> None:
    """Nobody is written to twice, nobody after leaving, and Pause means now."""
    draft = own_demo.command("campaign", "create", "--list", LIST, "--subject", EARLIER, "--body", BODY)
    assert own_demo.command("campaign", "send", str(draft["id"]), "--yes", "--wait")["state"] == "sent"
    sue = visitor(own_demo, script=script)
    sue.sign_in("sue@example.org")
    write(sue, SUBJECT)
    schedule(sue)
    own_demo.command("clock", "+190h")
    sue.sign_in("sue@example.org")
    sue.go("/staff/campaigns?tab=sending")
    sue.wait_until(lambda: look_anew(sue).get_by_role("link", name=SUBJECT).count())
    sue.follow(SUBJECT)
    pause_at_a_third(sue)
    leaver = leave_while_waiting(own_demo)
    restart_workers(own_demo)
    go_on_to_the_end(sue, own_demo, leaver)
    stop_another(sue)
