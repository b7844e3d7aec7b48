"""Nobody can be found in what a thief would take: dump, files, queue, logs and temporary files (decision 40, T2).

The key file alone is left out; it is kept apart from backups.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from mailer import wiring
from mailer.cli.instance import facts_of
from mailer.core.jobs import NoJobs
from mailer.lists import catalogue, forms
from mailer.lists.forms import Definition
from mailer.policy import notices
from mailer.services import Services, unit_of_work
from mailer.settings import Settings
from mailer.subscriptions.seed import made_up
from tests.chaos.databases import dump
from tests.chaos.mailbox import get, messages, post, unsubscribe_all
from tests.chaos.needles import Needles, disguises
from tests.chaos.sending import until
from tests.fakes.smtp_server import SmtpServer
from tests.instance import Instance, running

PEOPLE, LEAVERS = 600, 20
JOINERS = {"quintessamar.velozzini@example.org": "Quintessamar", "brunhildegard.ofthehill@example.net": "Brunhildegard"}
SUBJECT = "Canaries once more"
"""No secret: that it is found shows that the search looks where things lie."""

ONE_OF_THEM = "perpetuanna.quillfeather@example.com"


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as started:
        yield started


@pytest.fixture
def instance(tmp_path: Path, server: SmtpServer) -> Iterator[Instance]:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with running(tmp_path, MAILER_MODE="live", SMTP_URL=server.url, MAIL_FROM="news@example.org",
                 TMPDIR=str(temporary)) as started:
        yield started


@pytest.mark.parametrize("disguise", range(len(list(disguises(ONE_OF_THEM)))))
def test_the_search_finds_each_disguise_wherever_it_lies(disguise: int) -> None:
    """A search that finds nothing means something only when it could have found it."""
    needles = Needles([made_up(number).address for number in range(50)] + [ONE_OF_THEM])
    hidden = list(disguises(ONE_OF_THEM))[disguise]
    for at in range(9):
        assert needles.within(b"#" * at + hidden + b"tail") == {hidden}
    assert not needles.within(b"#" + hidden[1:] + b"tail")


@pytest.mark.chaos
@pytest.mark.timeout(240)
def test_nobody_can_be_found_in_anything_but_the_messages_themselves(
        tmp_path: Path, instance: Instance, server: SmtpServer) -> None:
    """C9, M25, T23. People seeded and people who joined by the form; written to, asked why, left by one click."""
    live_a_little(instance, server)
    people = [made_up(number) for number in range(1, PEOPLE + 1)]
    needles = Needles([each.address for each in people] + [each.first_name for each in people]
                      + [each.first_name.lower() for each in people]
                      + list(JOINERS) + list(JOINERS.values()))
    assert len(server.record.deliveries) > PEOPLE
    assert all(needles.within(each.body or b"") for each in server.record.deliveries)

    with psycopg.connect(database(instance)) as connection:
        assert connection.execute("SELECT count(*) FROM practice_item").fetchone() == (0,)
    dump(instance, tmp_path / "dump.sql")
    assert needles.within_file(tmp_path / "dump.sql") == set()
    no_secret = Needles([SUBJECT])
    assert no_secret.within_file(tmp_path / "dump.sql")
    queue = redis.Redis.from_url(facts_of(instance.data_dir)["redis_url"])
    assert {value for key in queue.scan_iter() for value in needles.within(key + (queue.dump(key) or b""))} == set()
    queue.config_set("rdbcompression", "no")
    queue.save()
    assert found_in(instance.data_dir, needles) == {}
    instance.stop()

    kept = found_in(instance.data_dir, needles), found_in(tmp_path / "temporary", needles)
    assert kept == ({}, {})
    assert any(path.startswith("postgres/") for path in found_in(instance.data_dir, no_secret))
    assert list((instance.data_dir / "redis").glob("*.rdb")) and list((instance.data_dir / "logs").glob("worker*.log"))


def live_a_little(instance: Instance, server: SmtpServer) -> None:
    """What happens on an ordinary day, good and bad."""
    instance.command("seed", "--people", str(PEOPLE))
    a_form(instance)
    for address, name in JOINERS.items():
        join(instance, server, address, name)
    instance.command("campaign", "create", "--list", "seed", "--subject", "Canaries",
                     "--body", "Hello {first name | there}, words.")
    server.wrong(f"rcpt@{made_up(9).address}:550 5.1.1 <{made_up(9).address}> nobody of that name",
                 f"rcpt@{made_up(10).address}:450 4.2.0 <{made_up(10).address}> come back later*1",
                 f"dot@{made_up(11).address}:close*1")
    instance.command("campaign", "send", "1", "--yes")
    instance.wait_for(1, "sending", "sent")
    instance.command("campaign", "stop", "1", check=False)
    instance.wait_for(1, "stopped", "sent")
    server.wrong()
    instance.command("why", "1", given=made_up(12).address + "\n")
    instance.command("campaign", "create", "--list", "seed", "--subject", SUBJECT,
                     "--body", "Hello {first name | there}, words.")
    instance.command("campaign", "send", "2", "--yes")
    instance.wait_for(2, "sent")
    inbox = messages(server)
    unsubscribe_all([inbox[each] for each in sorted(inbox)[:LEAVERS]])
    (stamp,) = re.findall(r'name="stamp" value="([^"]*)"', get(f"{instance.url}/stop-email"))
    assert post(f"{instance.url}/stop-email", email=made_up(13).address, stamp=stamp)[0] == 200


def join(instance: Instance, server: SmtpServer, address: str, name: str) -> None:
    """By the public form, the mailed link and its button."""
    status, page = post(f"{instance.url}/join/canaries", email=address, first_name=name, form_version="1", topics="1")
    assert status == 200 and "Now check your email" in page
    until(lambda: address in messages(server), 20)
    letter = messages(server)[address].get_body(("plain",))
    assert letter is not None
    (link,) = set(re.findall(r"http://\S+/confirm/\S+", letter.get_content()))
    assert "You are in" in post(link)[1]


def a_form(instance: Instance) -> None:
    services = powers(instance)
    with unit_of_work(services) as ctx:
        listed = catalogue.by_name(ctx, "seed")
        topics = tuple(topic.id for topic in catalogue.topics_of(ctx, listed.id))
        forms.create_form(ctx, slug="canaries", list_id=listed.id, name="Canaries",
                          definition=Definition(title="Get news", topics=topics), notice=notices.in_force(ctx))
    services.engine.dispose()


def powers(instance: Instance) -> Services:
    settings = Settings.from_env(instance.env | {"DATABASE_URL": facts_of(instance.data_dir)["database_url"]})
    return wiring.build(settings, wiring.open_engine(settings), NoJobs())


def database(instance: Instance) -> str:
    return str(facts_of(instance.data_dir)["database_url"]).replace("+psycopg", "")


def found_in(folder: Path, needles: Needles) -> dict[str, set[bytes]]:
    """What lies in each file of a folder, but those of the key file's own."""
    found = {str(path.relative_to(folder)): needles.within_file(path) for path in sorted(folder.rglob("*"))
             if path.is_file() and not path.is_relative_to(folder / "keys")}
    return {path: what for path, what in found.items() if what}
