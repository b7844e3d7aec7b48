"""Commands find their instance, say in one sentence what is wrong, and end with the right status."""

import json
import socket
import subprocess
import sys
from pathlib import Path

from mailer.cli import instance
from mailer.cli.output import sentence
from mailer.core.errors import BadSettings, Conflict, InvalidInput
from mailer.embedded.lock import only_run
from mailer.embedded.postgres import PrivatePostgres
from mailer.settings import child_environment


def mailer(folder: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = child_environment(MAILER_DATA_DIR=str(folder), **{"DATABASE_URL": "", "REDIS_URL": ""} | settings)
    return subprocess.run([sys.executable, "-m", "mailer.cli", *arguments], env=environment, text=True,
                          capture_output=True, timeout=90, check=False)


def test_without_an_instance_a_command_says_how_to_start_one(tmp_path: Path) -> None:
    said = mailer(tmp_path, "migrate", "--json")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == "No instance is running; start one with `mailer run`.\n"


def test_facts_left_by_a_run_that_is_gone_are_not_believed(tmp_path: Path) -> None:
    with only_run(tmp_path):
        instance.note(tmp_path, {"database_url": "postgresql+psycopg://mailer@/mailer?host=/nowhere"})
    assert mailer(tmp_path, "migrate").stderr.startswith("No instance is running")


def test_wrong_use_ends_with_status_2(tmp_path: Path) -> None:
    assert mailer(tmp_path, "run", "--port", "none").returncode == 2
    assert mailer(tmp_path, "fly").returncode == 2


def test_a_taken_port_and_a_held_folder_are_one_sentence_each(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = mailer(tmp_path, "run", "--port", str(port))
    assert said.returncode == 1
    assert said.stderr == f"Port {port} is in use by another program; set PORT to a free one.\n"
    with only_run(tmp_path):
        said = mailer(tmp_path, "run")
    assert said.returncode == 1
    assert said.stderr.startswith(f"Another mailer is running on {tmp_path} (process ")


def test_a_setting_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert mailer(tmp_path, "run", PORT="many").stderr == "PORT must be a whole number from 1 to 65535.\n"
    assert mailer(tmp_path, "migrate", DATABASE_URL="mysql://x/y").stderr.startswith("DATABASE_URL must be ")


def test_migrate_finds_the_running_instance_and_prints_one_object(tmp_path: Path) -> None:
    server = PrivatePostgres(tmp_path, durable=False)
    try:
        with only_run(tmp_path):
            instance.note(tmp_path, {"database_url": server.start(), "redis_url": ""})
            first, second = mailer(tmp_path, "migrate", "--json"), mailer(tmp_path, "migrate", "--json")
        assert (tmp_path / "run" / "instance.json").stat().st_mode & 0o777 == 0o600
    finally:
        server.stop()
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert json.loads(first.stdout) == json.loads(second.stdout)


def test_every_error_becomes_a_sentence() -> None:
    assert sentence(BadSettings(setting="PORT", why="a number")) == "PORT must be a number."
    assert sentence(Conflict()) == "Conflict."
    assert sentence(InvalidInput(field="subject", why="empty")) == "Invalid input (field: subject, why: empty)."
