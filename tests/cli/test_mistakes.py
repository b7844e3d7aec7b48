"""Wrong use of the command line: one clear sentence, the right exit status, and never a traceback."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailer.cli.main import main
from mailer.core.modes import Mode
from mailer.services import Services, unit_of_work
from mailer.settings import Settings
from mailer.subscriptions import seed

HUGE = str(10**30)


@pytest.fixture
def shell(settings: Settings, services: Services) -> CliRunner:
    """A shell of an instance with five people on the list `seed`, and the draft number 1."""
    with unit_of_work(services) as ctx:
        for _ in seed.seed(ctx, 5):
            continue
    made = CliRunner(env={"DATABASE_URL": settings.database_url, "REDIS_URL": "unix:///nowhere", "MAIL_FROM": "",
                          "MAILER_MODE": "", "SMTP_URL": "", "MAILER_DATA_DIR": str(settings.data_dir),
                          "MAILER_KEY_FILE": str(settings.key_file)})
    done = made.invoke(main, ["campaign", "create", "--list", "seed", "--subject", "Hi", "--body", "Words", "--json"])
    assert json.loads(done.stdout) == {"id": 1, "state": "draft"}
    return made


def refused(said: Result, status: int = 1) -> str:
    """The one sentence on standard error."""
    assert (said.exit_code, said.stdout) == (status, "")
    assert said.exception is None or isinstance(said.exception, SystemExit)
    assert "Traceback" not in said.stderr
    return said.stderr


@pytest.mark.parametrize("number", ["0", "99", HUGE])
@pytest.mark.parametrize("words", [
    ["campaign", "forecast"], ["campaign", "status"], ["campaign", "pause"], ["campaign", "resume"],
    ["campaign", "stop"], ["campaign", "send", "--yes"], ["why"]])
def test_a_campaign_that_does_not_exist_is_not_found(shell: CliRunner, words: list[str], number: str) -> None:
    said = shell.invoke(main, [*words, number, "--json"], input="ana@example.org\n")
    assert refused(said) == f"Not found (campaign: {number}).\n"


@pytest.mark.parametrize("words", [
    ["campaign", "create", "--list", "nobody", "--subject", "Hi", "--body", "Words"],
    ["campaign", "create", "--list", "seed", "--subject", "", "--body", "Words"],
    ["campaign", "create", "--list", "seed", "--subject", "a\r\nBcc: b@example.org", "--body", "Words"],
    ["campaign", "create", "--list", "seed", "--subject", "Hi", "--body", "a\0b"],
    ["campaign", "create", "--list", "seed", "--subject", "Hi", "--body", "Words", "--topic", "none"],
    ["campaign", "create", "--list", "\udcff", "--subject", "Hi", "--body", "Words"],
    ["campaign", "send", "1", "--yes", "--at", "soon", "--zone", "UTC"],
    ["campaign", "send", "1", "--yes", "--at", "2020-01-01T09:00", "--zone", "UTC"],
    ["campaign", "send", "1", "--yes", "--at", "9999-12-31T23:59", "--zone", "America/Los_Angeles"],
    ["campaign", "send", "1", "--yes", "--at", "0001-01-01T00:00", "--zone", "Asia/Tokyo"],
    ["campaign", "send", "1", "--yes", "--at", "2030-01-01T09:00", "--zone", "Nowhere/Land"],
    ["campaign", "pause", "1"], ["campaign", "resume", "1"], ["campaign", "stop", "1"],
    ["list", "create", "\udcff"], ["list", "create", "a\nb"], ["list", "create", "seed"], ["list", "show", "none"],
])
def test_what_cannot_be_is_said_in_a_sentence(shell: CliRunner, words: list[str]) -> None:
    assert refused(shell.invoke(main, [*words, "--json"])).count("\n") == 1


def test_a_body_file_that_holds_no_text_is_refused(shell: CliRunner, tmp_path: Path) -> None:
    body = tmp_path / "body.md"
    body.write_bytes(b"\xff\xfe")
    words = ["campaign", "create", "--list", "seed", "--subject", "Hi", "--body-file"]
    assert refused(shell.invoke(main, [*words, str(body)])) == "What was given is not text in UTF-8.\n"
    assert "does not exist" in refused(shell.invoke(main, [*words, str(tmp_path / "none")]), 2)


@pytest.mark.parametrize("mode", [Mode.TRIAL, Mode.LIVE])
def test_without_a_mail_server_nothing_is_sent_outside_practice(shell: CliRunner, mode: Mode) -> None:
    said = shell.invoke(main, ["campaign", "send", "1", "--yes", "--json"], env={"MAILER_MODE": mode})
    assert "a mail server (SMTP_URL)" in refused(said)


def test_live_names_everything_that_it_lacks_away_from_this_machine(shell: CliRunner) -> None:
    """Decision 29."""
    said = shell.invoke(main, ["campaign", "send", "1", "--yes", "--json"], env={
        "MAILER_MODE": "live", "SMTP_URL": "smtp://mail.example.org", "PUBLIC_URL": "http://news.example.org",
        "REDIS_URL": "redis://queue.example.org"})
    sentence = refused(said)
    for lack in ("SMTP_URL", "PUBLIC_URL", "REDIS_URL"):
        assert lack in sentence
    assert "DATABASE_URL" not in sentence and "MAIL_FROM" not in sentence
