"""Two campaigns and a single message beside each other, in a whole instance with two worker processes."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from mailer.lists import forms
from mailer.lists.catalogue import topics_of
from mailer.lists.forms import Definition
from mailer.policy import notices
from mailer.services import unit_of_work
from mailer.subscriptions import join, seed
from mailer.subscriptions.answers import Answers
from tests.chaos.mail_server import SLOWLY, MailServer, serving
from tests.chaos.sending import Sending, database, powers, until
from tests.instance import Instance, running

pytestmark = [pytest.mark.chaos, pytest.mark.soak, pytest.mark.timeout(120)]

PEOPLE, PROCESSES, CONNECTIONS = 3000, 2, 2


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    with serving(tmp_path / "taken.tsv", SLOWLY) as server:
        yield server


@pytest.fixture
def instance(tmp_path: Path, mail: MailServer) -> Iterator[Instance]:
    """So few connections that a campaign takes half a minute."""
    with running(tmp_path, MAILER_MODE="live", SMTP_URL=mail.url, MAIL_FROM="news@example.org",
                 WORKER_PROCESSES=str(PROCESSES), SMTP_CONNECTIONS=str(CONNECTIONS)) as started:
        started.command("seed", "--people", str(PEOPLE))
        yield started


def asks_to_join(instance: Instance, address: str) -> None:
    """Somebody fills in a form; no worker is nudged, as if the nudge had been lost."""
    services = powers(instance)
    with unit_of_work(services) as ctx:
        listed = seed.ensure_list(ctx, "seed")
        topics = frozenset(topic.id for topic in topics_of(ctx, listed.id))
        forms.create_form(ctx, slug="news", list_id=listed.id, name="News", notice=notices.in_force(ctx),
                          definition=Definition(title="Get news", topics=tuple(topics)))
        _, version = forms.current(ctx, "news")
        join.ask(ctx, version, Answers(channel="email", address=address, topics=topics))
    services.engine.dispose()


def test_two_campaigns_are_both_sent_by_both_processes_and_a_confirmation_overtakes_them(
        instance: Instance, mail: MailServer) -> None:
    """Engine guarantee 5; a confirmation leaves within two seconds while campaigns wait."""
    both = [Sending(instance, [mail], subject) for subject in ("one of two", "the other")]
    workers: dict[int, Counter[str]] = {campaign.id: Counter() for campaign in both}

    def each_is_sent_by_each() -> bool:
        with psycopg.connect(database(instance)) as connection:
            for campaign, worker in connection.execute("SELECT campaign_id, worker FROM slice").fetchall():
                if campaign in workers:
                    workers[campaign][worker] += 1
        return all(len(seen) >= PROCESSES for seen in workers.values())

    until(each_is_sent_by_each, 30)
    asked = time.monotonic()
    asks_to_join(instance, "somebodyelse@example.org")
    asked_for = time.monotonic() - asked
    until(lambda: any("somebodyelse@" in each.recipient for each in mail.taken()), 20)
    waited = time.monotonic() - asked
    print(f"confirmation taken after {waited:.2f} s, {asked_for:.2f} s of them for asking")
    for campaign in both:
        state, sums = campaign.look() or ("", Counter())
        assert state == "sending" and 0 < sums["accepted"] < sums["planned"]
    assert waited - asked_for < 2
    for campaign in both:
        campaign.the_end().holds()
