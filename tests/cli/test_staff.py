"""`mailer staff`: links that people can open, and a plain word when there is nobody to make one for."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailer.cli.first_run import first_run_line
from mailer.cli.main import main
from mailer.services import Services, unit_of_work
from mailer.settings import Settings
from mailer.staff import accounts, links
from mailer.staff.roles import Role


@pytest.fixture
def shell(settings: Settings, services: Services) -> CliRunner:
    """A shell whose environment names this test's instance."""
    return CliRunner(env={"DATABASE_URL": settings.database_url, "MAILER_DATA_DIR": str(settings.data_dir),
                          "MAILER_KEY_FILE": str(settings.key_file), "PUBLIC_URL": "https://news.cadenza.example"})


def test_invite_and_link_print_one_object_with_a_link_that_works(shell: CliRunner, services: Services) -> None:
    invited = shell.invoke(main, ["staff", "invite", "Cem@example.org", "--role", "composer", "--role", "sender",
                                  "--json"])
    link = json.loads(invited.stdout)["link"]
    assert set(json.loads(invited.stdout)) == {"link"}
    assert link.startswith("https://news.cadenza.example/staff/invitation/")
    with unit_of_work(services) as ctx:
        staff_id = links.look(ctx, link.rpartition("/")[2], "invitation").staff_id
        assert staff_id is not None and accounts.roles_of(ctx, staff_id) == {Role.COMPOSER, Role.SENDER}
        accounts.add(ctx, email="sue@example.org", name="Sue", roles=[Role.SENDER])
    came = shell.invoke(main, ["staff", "link", "sue@example.org", "--json"])
    token = json.loads(came.stdout)["link"].removeprefix("https://news.cadenza.example/staff/link/")
    with unit_of_work(services) as ctx:
        assert links.look(ctx, token, "sign_in").staff_id


def test_a_link_for_nobody_and_a_role_that_is_none_are_refused_in_words(shell: CliRunner) -> None:
    nobody = shell.invoke(main, ["staff", "link", "nobody@example.org"])
    assert (nobody.exit_code, nobody.stderr) == (1, "Nobody who works here has this address.\n")
    assert shell.invoke(main, ["staff", "invite", "a@example.org", "--role", "king"]).exit_code == 2
    assert shell.invoke(main, ["staff", "invite", "not an address", "--role", "admin"]).exit_code == 1


def test_each_start_prints_a_fresh_one_time_link_until_there_is_an_admin(settings: Settings, services: Services,
                                                                         tmp_path: Path) -> None:
    first, second = first_run_line(settings), first_run_line(settings)
    assert first.startswith("Open http://localhost:8000/start/") and first.endswith(" (works once)")
    assert first != second
    with unit_of_work(services) as ctx:
        links.look(ctx, second.split("/start/")[1].split()[0], "start")
        accounts.add(ctx, email="ana@example.org", name="Ana", roles=[Role.ADMIN])
    assert first_run_line(settings) == "Open http://localhost:8000/staff"
