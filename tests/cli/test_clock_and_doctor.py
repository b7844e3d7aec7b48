"""`mailer clock` moves only a clock that was lent; `mailer doctor` names what is wrong."""

import json
import os
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from mailer.audit.models import AuditEntry
from mailer.cli.listening import bound_publicly
from mailer.cli.main import main
from mailer.consent import seal
from mailer.core.clock import SystemClock
from mailer.organisation import profile
from mailer.outbox.seat import Pulse
from mailer.services import Services, unit_of_work
from mailer.settings import Settings
from tests.people.builders import a_list, join


@pytest.fixture
def shell(settings: Settings, services: Services, redis_url: str) -> CliRunner:
    """A shell whose environment names this test's instance."""
    with unit_of_work(services) as ctx:
        profile.ensure_instance(ctx)
    return CliRunner(env={"DATABASE_URL": settings.database_url, "REDIS_URL": redis_url,
                          "MAILER_DATA_DIR": str(settings.data_dir), "MAILER_KEY_FILE": str(settings.key_file)})


def checks(result: Result) -> dict[str, bool]:
    return {check["name"]: check["ok"] for check in json.loads(result.stdout)["checks"]}


def test_the_clock_of_an_instance_that_goes_by_the_machine_is_not_moved(shell: CliRunner) -> None:
    said = shell.invoke(main, ["clock", "+8d"])
    assert (said.exit_code, said.stdout) == (1, "")
    assert "--clock" in said.stderr


def test_a_lent_clock_moves_on_and_the_move_is_noted(shell: CliRunner, services: Services) -> None:
    with unit_of_work(services) as ctx:
        ctx.db.execute(text("UPDATE instance SET clock_shift_seconds = 0"))
    for step, total in (("+30m", timedelta(minutes=30)), ("+8d", timedelta(days=8, minutes=30))):
        said = shell.invoke(main, ["clock", step, "--json"])
        now = datetime.fromisoformat(json.loads(said.stdout)["now"])
        assert abs(SystemClock().now() + total - now) < timedelta(seconds=20)
    with unit_of_work(services) as ctx:
        noted = [(entry.actor, entry.detail) for entry in ctx.db.query(AuditEntry) if entry.act == "clock_moved"]
    assert noted == [("operator", {"seconds": 1800}), ("operator", {"seconds": 691_200})]


@pytest.mark.parametrize("step", ["8", "+0d", "+8y", "tomorrow", "+99999w", "+1.5h", "+٣d"])
def test_a_step_that_is_none_is_wrong_use(shell: CliRunner, step: str) -> None:
    assert shell.invoke(main, ["clock", step]).exit_code == 2


def test_the_doctor_finds_nothing_wrong_where_all_is_well(shell: CliRunner, services: Services) -> None:
    Pulse(services, "worker-1").beat()
    said = shell.invoke(main, ["doctor", "--json"])
    assert checks(said) == dict.fromkeys((
        "key_file", "disk", "journal", "web_binding", "redis", "redis_binding", "database", "database_binding",
        "schema", "workers", "ticker", "exits", "keys", "key_archive", "mode"), True)
    assert said.exit_code == 0
    plain = shell.invoke(main, ["doctor"]).stdout
    assert "The mode is practice. Live lacks a mail server (SMTP_URL)" in plain


def test_the_doctor_misses_workers_ticker_and_what_live_needs(shell: CliRunner, services: Services) -> None:
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx, "News", ("Duets",))
        join(ctx, "quillonia@example.org", made.id, topics)
    said = shell.invoke(main, ["doctor", "--json"], env={"MAILER_MODE": "live"})
    assert said.exit_code == 1
    assert {name for name, ok in checks(said).items() if not ok} == {"workers", "ticker", "mode"}
    with unit_of_work(services) as ctx:
        seal.seal_batch(ctx)
    assert checks(shell.invoke(main, ["doctor", "--json"]))["ticker"]


def test_the_doctor_sees_a_key_that_others_can_read_and_makes_none(shell: CliRunner, settings: Settings) -> None:
    os.chmod(settings.key_file, 0o644)
    said = shell.invoke(main, ["doctor", "--json"])
    assert (said.exit_code, checks(said)["key_file"]) == (1, False)
    settings.key_file.unlink()
    assert not checks(shell.invoke(main, ["doctor", "--json"]))["key_file"]
    assert not settings.key_file.exists()


def test_the_doctor_says_when_the_servers_are_silent(shell: CliRunner) -> None:
    said = shell.invoke(main, ["doctor", "--json"], env={
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"})
    assert said.exit_code == 1
    found = checks(said)
    assert not found["database"] and not found["redis"] and "127.0.0.1" not in said.stdout


@pytest.mark.parametrize(("address", "public"), [
    ("0.0.0.0", True), ("*", True), ("-::*", True), ("::", True), ("[::]", True), ("93.184.216.34", True),
    ("2606:4700::1111", True), ("", False), ("localhost", False), ("127.0.0.1", False), ("-::1", False),
    ("10.1.2.3", False), ("192.168.0.7", False), ("fd00::1", False)])
def test_a_server_that_the_internet_can_reach_is_told(address: str, public: bool) -> None:
    """Promise A8."""
    assert bound_publicly(address) is public
