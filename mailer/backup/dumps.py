"""The database as one stream, by PostgreSQL's own programs; passwords go by the environment, never by arguments."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from mailer.backup.errors import BackupFailed
from mailer.backup.sealed import pieces
from mailer.embedded.errors import ServerFailed
from mailer.embedded.postgres import program
from mailer.embedded.processes import PLAIN_ENVIRONMENT

DUMP = ("pg_dump", "--format=custom", "--compress=1", "--no-owner", "--no-privileges", "--exclude-table-data=vault.*")
RESTORE = ("pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
LOOK = ("pg_restore", "--file=/dev/null")


def dump(database_url: str) -> Iterator[bytes]:
    """Everything but the keys in schema vault, as one consistent dump. Raises: BackupFailed."""
    with _running(DUMP, database_url, stdout=subprocess.PIPE) as process:
        if process.stdout is not None:
            yield from pieces(process.stdout)


class Load:
    """Takes a dump piece by piece: into an empty database, or (no URL) only to see that it is whole."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def take(self, piece: bytes) -> None:
        """A program that has ended is told of by its status, not by the broken pipe."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.write(piece)


@contextmanager
def loading(database_url: str = "") -> Iterator[Load]:
    """Within this block a dump is handed over. Raises: BackupFailed at its end, and then nothing was changed."""
    with _running(RESTORE if database_url else LOOK, database_url, stdin=subprocess.PIPE) as process:
        yield Load(process)


@contextmanager
def _running(words: tuple[str, ...], database_url: str, *, stdin: int = subprocess.DEVNULL,
             stdout: int = subprocess.DEVNULL) -> Iterator["subprocess.Popen[bytes]"]:
    where, secret = _where(database_url)
    process = subprocess.Popen(  # noqa: S603 (PostgreSQL's own programs, no shell)
        [_program(words[0]), *words[1:], *where], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE,
        env=PLAIN_ENVIRONMENT | secret)
    try:
        yield process
        said = _end(process)
    finally:
        if process.returncode is None:
            process.kill()
            _end(process)
    if process.returncode:
        raise BackupFailed(why=f"{words[0]} ended with {process.returncode}" + (
            "; the server is newer than this program" if b"version mismatch" in said else ""))


def _end(process: "subprocess.Popen[bytes]") -> bytes:
    """Close what goes in, take in what it complained of, and wait. What it says may quote rows, so nobody is shown."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    said = _all(process.stderr)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
    return said


def _all(stream: IO[bytes] | None) -> bytes:
    if stream is None:
        return b""
    with stream:
        return stream.read()


def _where(database_url: str) -> tuple[list[str], dict[str, str]]:
    if not database_url:
        return [], {}
    found = conninfo_to_dict(database_url.replace("+psycopg", "", 1))
    password = found.pop("password", None)
    return [f"--dbname={make_conninfo('', **found)}"], {"PGPASSWORD": str(password)} if password else {}


def _program(name: str) -> str:
    """The one that came with the private server, else the machine's. Raises: BackupFailed."""
    own: Path | None = None
    with suppress(ServerFailed):
        own = program(name)
    found = str(own) if own is not None and own.exists() else shutil.which(name)
    if found is None:
        raise BackupFailed(why=f"{name} is not on this machine: install PostgreSQL's client programs")
    return found
