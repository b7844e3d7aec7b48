"""A campaign that is being sent obeys: it pauses, it ends with its workers, and it lets somebody in a hurry pass."""

import signal
import time

import pytest

from mailer.lists import catalogue, forms
from mailer.lists.forms import Definition
from mailer.policy import notices
from mailer.services import unit_of_work
from tests.chaos.live import PEOPLE
from tests.chaos.mail_server import MailServer, still_for
from tests.chaos.mailbox import post
from tests.chaos.sending import Sending, powers, until
from tests.instance import Instance

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]

PAUSES_WITHIN = 5.0
ENDS_WITHIN = 20.0
LEAVES_WITHIN = 2.0
"""Seconds, the engine's guarantee 6 and decision 36."""

UNHURRIED = "dot:delay=0.1"
"""So that a campaign is still under way when a command has started and said what it wants."""

JOINER = "quintessamar.velozzini@example.org"


def test_pause_stops_the_servers_count_within_five_seconds_and_outlives_a_restart(
        instance: Instance, mail: MailServer) -> None:
    mail.becomes(UNHURRIED)
    campaign = Sending(instance, [mail], "Paused")
    campaign.reaches(PEOPLE // 10)
    instance.command("campaign", "pause", str(campaign.id))
    until(lambda: still_for(mail, 1), PAUSES_WITHIN)
    before = campaign.count
    assert before < PEOPLE

    instance.stop()
    instance.start()
    assert still_for(mail, 2)
    assert campaign.count == before
    instance.command("campaign", "resume", str(campaign.id))
    found = campaign.the_end()

    found.holds()
    assert found.uncertain == 0


def test_told_to_end_everything_drains_and_nobody_is_unsure(instance: Instance, mail: MailServer) -> None:
    """Exit status 0 within 20 s while a campaign is being sent; the next start goes on."""
    mail.becomes(UNHURRIED)
    campaign = Sending(instance, [mail], "Told to end")
    campaign.reaches(PEOPLE // 10)
    assert instance.process is not None
    instance.process.send_signal(signal.SIGTERM)
    assert instance.process.wait(timeout=ENDS_WITHIN) == 0
    assert campaign.count < PEOPLE

    instance.start()
    found = campaign.the_end()

    found.holds()
    assert found.uncertain == 0


def test_a_confirmation_overtakes_a_running_campaign(instance: Instance, mail: MailServer) -> None:
    """Somebody signs up while thousands wait, and is not kept waiting."""
    topic = a_form(instance, "seed")
    mail.becomes(UNHURRIED)
    campaign = Sending(instance, [mail], "Overtaken")
    campaign.reaches(PEOPLE // 10)
    status, page = post(f"{instance.url}/join/seed", email=JOINER, form_version="1", topics=str(topic))
    assert status == 200 and "Now check your email" in page
    until(lambda: JOINER in {each.recipient for each in mail.taken()})
    assert campaign.count < PEOPLE

    campaign.the_end().holds()


@pytest.mark.soak
def test_a_confirmation_leaves_within_two_seconds_while_thousands_wait(instance: Instance, mail: MailServer) -> None:
    """Ten people sign up one after another beside a campaign; the slowest waits so long."""
    instance.command("seed", "--people", "15000", "--list", "thousands")
    topic = a_form(instance, "thousands")
    campaign = Sending(instance, [mail], "Thousands", "thousands")
    campaign.reaches(1_000)
    waits = []
    for number in range(10):
        address = f"quintessamar.velozzini{number}@example.org"
        asked = time.monotonic()
        status, _ = post(f"{instance.url}/join/thousands", email=address, form_version="1", topics=str(topic))
        assert status == 200
        until(lambda wanted=address: wanted in {each.recipient for each in mail.taken()})  # type: ignore[misc]
        waits.append(max(each.at for each in mail.taken() if each.recipient == address) - asked)
    assert campaign.count < 15_000
    print(f"confirmations waited {min(waits):.2f} to {max(waits):.2f} s")
    assert max(waits) <= LEAVES_WITHIN

    campaign.the_end().holds()


def a_form(instance: Instance, name: str) -> int:
    """A form on the list of that name; its first topic."""
    services = powers(instance)
    with unit_of_work(services) as ctx:
        listed = catalogue.by_name(ctx, name)
        topics = tuple(topic.id for topic in catalogue.topics_of(ctx, listed.id))
        forms.create_form(ctx, slug=name, list_id=listed.id, name="Hurry",
                          definition=Definition(title="Get news", topics=topics), notice=notices.in_force(ctx))
    services.engine.dispose()
    return topics[0]
