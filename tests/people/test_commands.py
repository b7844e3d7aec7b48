"""`mailer exits`, `mailer ledger`, `mailer keys` on a real database."""

import json

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from mailer.cli import exits, keys, ledger
from mailer.cli.output import Commands
from mailer.services import Services, unit_of_work
from tests.people.test_chain import sealed, tamper
from tests.people.test_exits import folder_of, leave, people

MAIN = Commands(commands={"exits": exits.exits, "keys": keys.keys, "ledger": ledger.ledger})


def run(services: Services, *arguments: str, typed: str = "", **env: str) -> Result:
    chosen = services.settings
    return CliRunner().invoke(MAIN, list(arguments), input=typed, env={
        "MAILER_DATA_DIR": str(chosen.data_dir), "DATABASE_URL": chosen.database_url, "REDIS_URL": "redis://localhost",
        "MAILER_KEY_FILE": str(chosen.key_file), **env})


def test_exits_status_and_apply_print_one_object(services: Services) -> None:
    _, [point] = people(services, 1)
    leave(services, point)
    with unit_of_work(services) as ctx:
        ctx.db.execute(text("DELETE FROM exit_mark"))
        ctx.db.execute(text("DELETE FROM suppression"))
    status = run(services, "exits", "status", "--json")
    assert (json.loads(status.stdout)["behind"], json.loads(status.stdout)["missing_hosts"]) == (1, [])
    assert "sends nothing" in run(services, "exits", "status").stdout
    assert json.loads(run(services, "exits", "apply", "--json").stdout) == {"applied": 1}
    assert json.loads(run(services, "exits", "status", "--json").stdout)["behind"] == 0
    assert folder_of(services).is_dir()


def test_ledger_verify_prints_one_object_and_fails_when_the_ledger_was_changed(services: Services) -> None:
    people(services, 2)
    sealed(services)
    fine = run(services, "ledger", "verify", "--json")
    assert (fine.exit_code, json.loads(fine.stdout)) == (0, {"rows": 2, "ok": True, "first_bad": None})
    tamper(services, "UPDATE ledger_entry SET act = 'refused' WHERE seq = 2")
    bad = run(services, "ledger", "verify", "--json")
    assert (bad.exit_code, json.loads(bad.stdout)) == (1, {"rows": 2, "ok": False, "first_bad": 2})


def test_the_recovery_kit_on_paper_brings_the_key_file_back(services: Services) -> None:
    """Decision 15."""
    kit = run(services, "keys", "kit")
    assert kit.exit_code == 0 and "This page IS the master key" in kit.stdout
    assert all(len(line) <= 120 for line in kit.stdout.splitlines())
    lost = services.settings.data_dir / "found.key"
    assert run(services, "keys", "restore", typed=kit.stdout.upper(), MAILER_KEY_FILE=str(lost)).exit_code == 0
    assert json.loads(lost.read_text()) == json.loads(services.settings.key_file.read_text())
    assert lost.stat().st_mode & 0o777 == 0o600
    again = run(services, "keys", "restore", typed=kit.stdout, MAILER_KEY_FILE=str(lost))
    assert again.exit_code == 1 and "already" in again.stderr


SPELLED = keys.spell(1, bytes(range(32)))


@pytest.mark.parametrize("typed", [
    SPELLED[:-1], SPELLED + "A", SPELLED.replace("key 1", "key 2"), SPELLED.replace("1:", "x:"),
    SPELLED.replace("1:", "300:"), SPELLED[:30] + ("B" if SPELLED[30] == "A" else "A") + SPELLED[31:],
    SPELLED[:30] + "1" + SPELLED[31:], "key 1:"])
def test_a_mistyped_letter_of_the_kit_is_named_and_nothing_is_written(services: Services, typed: str) -> None:
    lost = services.settings.data_dir / "found.key"
    result = run(services, "keys", "restore", typed=typed, MAILER_KEY_FILE=str(lost))
    assert result.exit_code == 1 and "look at every group" in result.stderr
    assert not lost.exists()


def test_a_kit_is_not_printed_for_a_key_file_that_is_not_there(services: Services) -> None:
    missing = services.settings.data_dir / "none.key"
    result = run(services, "keys", "kit", MAILER_KEY_FILE=str(missing))
    assert result.exit_code == 1 and not missing.exists()
