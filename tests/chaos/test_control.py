"""A campaign that is being sent obeys: it pauses, it ends with its workers, and it lets somebody in a hurry pass."""

import signal
import time
from pathlib import Path

import pytest

from mailer.lists import catalogue, forms
from mailer.lists.forms import Definition
from mailer.policy import notices
from mailer.services import unit_of_work
from tests.chaos.live import PEOPLE, live
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

AT_A_TIME = 200_000
"""People that one command adds."""

JOINER = "quintessamar.velozzini@example.org"


def test_pause_stops_the_servers_count_within_five_seconds_and_outlives_a_restart(
        instance: Instance, mail: MailServer) -> None:
    mail.becomes(UNHURRIED)
    campaign = Sending(instance, [mail], "Paused")
    campaign.reaches(PEOPLE // 10)
    asked = time.monotonic()
    instance.command("campaign", "pause", str(campaign.id))
    until(lambda: still_for(mail, 2), PAUSES_WITHIN + 2)
    before = campaign.count
    stopped = max(each.at for each in mail.taken()) - asked
    print(f"the last message was taken {stopped:.2f} s after the command to pause was given")
    assert stopped <= PAUSES_WITHIN
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
@pytest.mark.timeout(900)
@pytest.mark.parametrize("people", [15_000, 1_000_000])
def test_a_confirmation_leaves_within_two_seconds_while_many_wait(
        people: int, tmp_path: Path, mail: MailServer) -> None:
    """Ten people sign up one after another beside a campaign; the slowest waits so long."""
    with live(tmp_path, mail) as instance:
        for start in range(0, people, AT_A_TIME):
            instance.command("seed", "--people", str(min(AT_A_TIME, people - start)))
        topic = a_form(instance, "seed")
        campaign = Sending(instance, [mail], f"To {people}")
        campaign.reaches(1_000)
        waits = [signs_up(instance, mail, topic, f"quintessamar.velozzini{number}.{people}@example.org")
                 for number in range(10)]
        seen = campaign.look()
        assert seen is not None and seen[0] == "sending"
        print(f"{seen[1]['waiting']} waiting of {seen[1]['planned']} planned: "
              f"confirmations waited {min(waits):.2f} to {max(waits):.2f} s")
        assert max(waits) <= LEAVES_WITHIN

        instance.command("campaign", "stop", str(campaign.id))
        campaign.the_end(300).holds()


def signs_up(instance: Instance, mail: MailServer, topic: int, address: str) -> float:
    """Seconds from the moment somebody sends the form until the mail server took the confirmation."""
    asked = time.monotonic()
    status, _ = post(f"{instance.url}/join/seed", email=address, form_version="1", topics=str(topic))
    assert status == 200
    until(lambda: mail.took(address) > 0)
    return mail.took(address) - asked


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
