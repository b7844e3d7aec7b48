"""Back up a running installation, let people leave and be erased, lose the machine, and put everything back."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyrage
import pytest

from mailer import wiring
from mailer.audience import contact_points
from mailer.backup import sealed
from mailer.cli.instance import facts_of
from mailer.core.jobs import NoJobs
from mailer.rights.erase import erase
from mailer.services import unit_of_work
from mailer.settings import Settings
from tests.chaos.mailbox import messages, unsubscribe_all
from tests.chaos.needles import Needles
from tests.fakes.smtp_server import SmtpServer
from tests.instance import Instance, command, running

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

PEOPLE, LEAVERS, ERASED = 300, 100, 50


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as started:
        yield started


def live(folder: Path, server: SmtpServer) -> dict[str, str]:
    return {"MAILER_MODE": "live", "SMTP_URL": server.url, "MAIL_FROM": "news@example.org",
            "MAILER_KEY_FILE": str(folder / "keys" / "mailer.key")}


def erase_all(instance: Instance, addresses: list[str]) -> None:
    settings = Settings.from_env(instance.env | {"DATABASE_URL": facts_of(instance.data_dir)["database_url"]})
    services = wiring.build(settings, wiring.open_engine(settings), NoJobs())
    for address in addresses:
        with unit_of_work(services) as ctx:
            point = contact_points.find(ctx, "email", contact_points.parse(ctx, "email", address))
            assert point is not None
            erase(ctx, point.person_id, by="self")
    services.engine.dispose()


def a_campaign(instance: Instance, subject: str) -> int:
    made = instance.command("campaign", "create", "--list", "seed", "--subject", subject, "--body", "Words.")
    return int(made["id"])


class Story:
    """An installation that sent a campaign, was backed up, and then lost people and its machine."""

    def __init__(self, folder: Path, server: SmtpServer) -> None:
        self.server = server
        self.secret = pyrage.x25519.Identity.generate()
        self.identity, self.backup = folder / "identity.txt", folder / "backup"
        self.identity.write_text(str(self.secret))
        self.old, self.new = folder / "old", folder / "new"
        self.old.mkdir()
        self.env = live(folder, server)
        self.inbox: list[str] = []
        self.gone: list[str] = []

    def happens(self, *, newest_keys: bool) -> None:
        """Until the machine is lost; the keys in the backup folder are the newest, or those of its generation."""
        with running(self.old, **self.env, MAILER_BACKUP_DIR=str(self.backup),
                     MAILER_BACKUP_RECIPIENT=str(self.secret.to_public())) as first:
            first.command("seed", "--people", str(PEOPLE))
            first.command("campaign", "send", str(a_campaign(first, "First")), "--yes", "--wait")
            letters = messages(self.server)
            self.inbox = sorted(letters)
            first.command("backup")
            kept = (self.backup / "keys.age").read_bytes()
            self.gone = self.inbox[:LEAVERS + ERASED]
            unsubscribe_all([letters[each] for each in self.gone[:LEAVERS]])
            erase_all(first, self.gone[LEAVERS:])
            assert first.command("exits", "status")["behind"] == 0
            first.command("backup", str(self.backup / "later"))
            newest = (self.backup / "later" / "keys.age").read_bytes()
            (self.backup / "keys.age").write_bytes(newest if newest_keys else kept)
        self.server.record.deliveries.clear()

    def put_back(self) -> tuple[Instance, dict[str, Any]]:
        """On a new machine, with this host's exits file; what the command said."""
        (self.new / "var").mkdir(parents=True)
        for name in ("exits", "host"):
            shutil.move(str(self.old / "var" / name), self.new / "var" / name)
        instance = Instance(self.new, **self.env)
        return instance, command(instance.env, "restore", str(self.backup), "--identity", str(self.identity))


@pytest.mark.parametrize("newest_keys", [True, False], ids=["newest keys", "keys from before the erasure"])
def test_nobody_who_left_or_was_erased_since_the_backup_is_written_to_or_readable(
        tmp_path: Path, server: SmtpServer, newest_keys: bool) -> None:
    """Item 20: sending is blocked until exits are applied, and then reaches everybody else alone."""
    story = Story(tmp_path, server)
    story.happens(newest_keys=newest_keys)
    instance, said = story.put_back()
    assert (said["missing_hosts"], said["without_key"]) == ([], ERASED if newest_keys else 0)
    try:
        instance.start()
        assert instance.command("exits", "status")["refuses"]
        second = a_campaign(instance, "Second")
        assert "put back" in instance.command("campaign", "send", str(second), "--yes", check=False)["error"]
        assert not server.record.deliveries
        assert instance.command("exits", "apply")["applied"] >= LEAVERS + ERASED
        instance.command("campaign", "send", str(second), "--yes")
        instance.wait_for(second, "sent")
        assert sorted(each.recipient for each in server.record.deliveries) == story.inbox[LEAVERS + ERASED:]
        assert instance.command("ledger", "verify")["ok"]
        with psycopg.connect(str(facts_of(instance.data_dir)["database_url"]).replace("+psycopg", "")) as connection:
            left = connection.execute("SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM vault.person_key), "
                                      "(SELECT count(*) FROM contact_point)").fetchone()
            assert left == (PEOPLE - ERASED,) * 3
    finally:
        instance.stop()
    names_nobody(story)


def names_nobody(story: Story) -> None:
    """Neither as it lies there nor to whoever has the identity and no key file."""
    needles = Needles(story.inbox)
    plain: list[bytes] = []
    for path in sorted(story.backup.rglob("*.age")):
        assert needles.within_file(path) == set()
        sealed.unseal(path, [story.secret], plain.append)
    assert needles.within(b"".join(plain)) == set()
