"""`mailer lane list` and `mailer lane set`: limits from the command line."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from mailer.audit.models import AuditEntry
from mailer.cli.main import main
from mailer.organisation import profile
from mailer.services import Services, unit_of_work
from mailer.settings import Settings


@pytest.fixture
def shell(settings: Settings, services: Services, redis_url: str) -> CliRunner:
    """A shell whose environment names this test's instance and two mail servers."""
    with unit_of_work(services) as ctx:
        profile.ensure_instance(ctx)
    return CliRunner(env={
        "DATABASE_URL": settings.database_url, "REDIS_URL": redis_url, "MAILER_DATA_DIR": str(settings.data_dir),
        "MAILER_KEY_FILE": str(settings.key_file),
        "SMTP_URL": "smtp://127.0.0.1:1?name=a&weight=3 smtp://u:s3cret@127.0.0.1:2?name=b"})


def test_a_fresh_installation_has_no_limit_and_every_server_is_up(shell: CliRunner) -> None:
    said = shell.invoke(main, ["lane", "list"])
    assert said.stdout == "server a (weight 3): up\nserver b (weight 1): up\nNo limit is set.\n"


def test_a_limit_with_a_warm_up_is_set_told_listed_and_taken_away(shell: CliRunner, services: Services) -> None:
    said = shell.invoke(main, ["lane", "set", "server", "a", "--per-second", "0.1", "--warm-up", "2000"])
    assert said.exit_code == 0, said.output
    lines = said.stdout.splitlines()
    assert lines[0].startswith("a: At most 0.1 a second, 1 at once. Warm-up: 2,000 today, each day 2 times as many")
    assert [line.split()[1] for line in lines[1:]] == ["2,000", "4,000", "8,000", "no"]
    listed = json.loads(shell.invoke(main, ["lane", "list", "--json"]).stdout)
    (limit,) = listed["limits"]
    assert (limit["scope"], limit["name"], limit["today"], limit["burst"]) == ("server", "a", 2000, 1)
    assert [(each["name"], each["weight"], each["state"]) for each in listed["servers"]] == [
        ("a", 3, "up"), ("b", 1, "up")]
    assert shell.invoke(main, ["lane", "set", "server", "a", "--none"]).stdout == "a has no limit now.\n"
    assert json.loads(shell.invoke(main, ["lane", "list", "--json"]).stdout)["limits"] == []
    with unit_of_work(services) as ctx:
        assert {(each.act, each.actor) for each in ctx.db.query(AuditEntry) if "limit" in each.act} == {
            ("speed_limit_set", "operator"), ("speed_limit_removed", "operator")}


def test_a_server_that_refused_the_password_and_a_slow_lane_are_listed(shell: CliRunner, services: Services) -> None:
    with unit_of_work(services) as ctx:
        ctx.db.execute(text("INSERT INTO server_hold (server, until, since, step, code) VALUES "
                            "('b', clock_timestamp() + interval '1 hour', clock_timestamp(), 1, '535 5.7.8')"))
        ctx.db.execute(text("INSERT INTO lane_hold (lane, until, step, code) VALUES "
                            "(3, clock_timestamp() + interval '1 hour', 0, '421')"))
    said = shell.invoke(main, ["lane", "list"]).stdout
    assert "server b (weight 1): refused our user name or password (535 5.7.8); tried again in 3600 s" in said
    assert "left alone: small domains together, which answered 421" in said
    assert "s3cret" not in said


@pytest.mark.parametrize("words, status", [
    (["server", "a"], 2), (["server", "a", "--none", "--burst", "3"], 2), (["planet", "a", "--none"], 2),
    (["server", "c", "--per-second", "1"], 1), (["server", "a", "--per-second", "0"], 1),
    (["server", "a", "--none"], 1), (["domain", "no domain", "--per-second", "1"], 1)])
def test_what_cannot_be_done_is_said_in_a_sentence(shell: CliRunner, words: list[str], status: int) -> None:
    said = shell.invoke(main, ["lane", "set", *words])
    assert said.exit_code == status
    assert said.stderr and "Traceback" not in said.stderr
