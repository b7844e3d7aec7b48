"""A database that was put back to an earlier state may not send until it knows who has left since (decision 19)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.databases import dump, put_back
from tests.chaos.mailbox import messages, unsubscribe_all
from tests.fakes.smtp_server import SmtpServer
from tests.instance import Instance, running

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

PEOPLE, LEAVERS = 400, 100


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as started:
        yield started


@pytest.fixture
def instance(tmp_path: Path, server: SmtpServer) -> Iterator[Instance]:
    with running(tmp_path, MAILER_MODE="live", SMTP_URL=server.url, MAIL_FROM="news@example.org") as started:
        yield started


def a_campaign(instance: Instance, subject: str) -> int:
    made = instance.command("campaign", "create", "--list", "seed", "--subject", subject, "--body", "Words.")
    return int(made["id"])


def test_a_database_put_back_before_a_hundred_opt_outs_sends_nothing_until_they_are_applied(
        tmp_path: Path, instance: Instance, server: SmtpServer) -> None:
    """Also by a plain psql of a plain dump, under the running workers."""
    instance.command("seed", "--people", str(PEOPLE))
    first = a_campaign(instance, "First")
    instance.command("campaign", "send", str(first), "--yes", "--wait")
    inbox = messages(server)
    assert len(inbox) == len(server.record.deliveries) == PEOPLE
    dump(instance, tmp_path / "before.sql")
    leavers = sorted(inbox)[:LEAVERS]
    unsubscribe_all([inbox[each] for each in leavers])
    assert instance.command("exits", "status")["behind"] == 0
    server.record.deliveries.clear()

    put_back(instance, tmp_path / "before.sql")

    status = instance.command("exits", "status")
    assert status["behind"] >= LEAVERS and status["refuses"]
    second = a_campaign(instance, "Second")
    refused = instance.command("campaign", "send", str(second), "--yes", check=False)
    assert "put back" in refused["error"] and "exits status" in refused["error"]
    assert instance.command("campaign", "status", str(second))["state"] == "draft"
    assert not server.record.deliveries

    assert instance.command("exits", "apply")["applied"] >= LEAVERS
    assert instance.command("exits", "status") == {
        "behind": 0, "missing_hosts": [], "refuses": False, "unreadable": 0}
    assert instance.command("campaign", "forecast", str(second))["reasons"] == {"unsubscribed": LEAVERS}
    instance.command("campaign", "send", str(second), "--yes")
    sent = instance.wait_for(second, "sent")
    assert sent["refused_by_reason"] == {"unsubscribed": LEAVERS}
    assert sorted(each.recipient for each in server.record.deliveries) == sorted(set(inbox) - set(leavers))
    assert instance.command("ledger", "verify")["ok"]
