"""Making a backup: a new generation beside the older ones, and the one archive of keys in the place of the last."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import psycopg
from sqlalchemy import Engine, text

from mailer.backup import dumps, key_archive, sealed
from mailer.backup.errors import BackupFailed
from mailer.backup.sealed import Identities, Recipients
from mailer.context import Context

FORMAT = 1
KEYS = "keys.age"
"""One name, so that an older archive, with keys of people who were erased since, is never kept beside it."""

GENERATION = re.compile(r"generation-\d{8}T\d{6}Z\.age")
OLDEST_KEYS = timedelta(hours=12)
"""An archive older than this is replaced by the ticker, so an erasure reaches it within 24 hours (decision 16)."""

FACTS = text("SELECT CAST(i.id AS text), (SELECT version_num FROM alembic_version) FROM instance i")
ARCHIVED = text("UPDATE instance SET keys_archived_at = :at "
                "WHERE keys_archived_at IS NULL OR keys_archived_at < :at")
ONE_STATE = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
HOSTS = "SELECT DISTINCT host FROM exit_mark ORDER BY host"


@dataclass(frozen=True)
class Backup:
    """What was written."""

    generation: str
    generation_octets: int
    keys_octets: int


def make(engine: Engine, folder: Path, whom: Recipients, *, now: datetime) -> Backup:
    """A generation first and the keys after it, so that everybody in it has theirs. Raises: BackupFailed."""
    _ready(folder)
    name = f"generation-{now:%Y%m%dT%H%M%S}Z.age"
    if (folder / name).exists():
        raise BackupFailed(why=f"{name} is there already; a second has to pass between two backups")
    sealed.seal(folder / name, _header(engine, "generation", now), dumps.dump(_url(engine)), whom)
    renew_keys(engine, folder, whom, now=now)
    return Backup(name, (folder / name).stat().st_size, (folder / KEYS).stat().st_size)


def renew_keys(engine: Engine, folder: Path, whom: Recipients, *, now: datetime) -> None:
    """Put the keys as they are now in the place of the last archive. Raises: BackupFailed."""
    _ready(folder)
    with sealed.alone(folder), _one_state(engine) as connection:
        header = _header(engine, "keys", now) | {"hosts": [row[0] for row in connection.execute(HOSTS)]}
        sealed.seal(folder / KEYS, header, key_archive.read_all(connection), whom)


def archived(ctx: Context, at: datetime) -> None:
    """Note that the archive of keys was begun to be read at `at`: who was erased before is in none any more."""
    ctx.db.execute(ARCHIVED, {"at": at})


def keys_are_due(folder: Path, now: datetime) -> bool:
    """Whether the archive of keys is missing or old; `now` is the machine's own time."""
    try:
        return now.timestamp() - (folder / KEYS).stat().st_mtime > OLDEST_KEYS.total_seconds()
    except OSError:
        return True


def generations(folder: Path) -> list[str]:
    """The generations that lie in a folder, oldest first."""
    return sorted(path.name for path in folder.glob("generation-*.age") if GENERATION.fullmatch(path.name))


def verify(folder: Path, whom: Identities) -> dict[str, Any]:
    """Read everything to its end, and nothing of it shown; what there is. Raises: BackupFailed naming what is bad."""
    found = generations(folder)
    if not found:
        raise BackupFailed(why="no generation lies in this folder")
    headers: list[dict[str, Any]] = []
    for name in found:
        with dumps.loading() as load:
            headers.append(expect("generation", sealed.unseal(folder / name, whom, load.take)))
    reading = key_archive.Reading(lambda *_: None)
    keys = expect("keys", sealed.unseal(folder / KEYS, whom, reading.take))
    if any(header["instance"] != keys["instance"] for header in headers):
        raise BackupFailed(why="generations and keys are of different installations")
    return {"generations": found, "newest": headers[-1]["at"], "keys": reading.finish(), "keys_at": keys["at"],
            "instance": keys["instance"]}


def expect(kind: str, header: dict[str, Any]) -> dict[str, Any]:
    """A header of this kind, in a format that we know. Raises: BackupFailed."""
    if header["mailer"] != kind or header.get("format") != FORMAT:
        raise BackupFailed(why="a file of this folder is not what its name says, or of a newer Mailer")
    return header


def _header(engine: Engine, kind: str, now: datetime) -> dict[str, object]:
    with engine.connect() as connection:
        row = connection.execute(FACTS).first()
    if row is None:
        raise BackupFailed(why="there is nothing to back up yet: the instance was never started")
    return {"mailer": kind, "format": FORMAT, "instance": row[0], "revision": row[1], "at": now.isoformat()}


@contextmanager
def _one_state(engine: Engine) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
    """A connection that sees the database as it is at its first question, however long it reads."""
    connection = engine.raw_connection()
    try:
        driver = cast("psycopg.Connection[tuple[Any, ...]]", connection.driver_connection)
        driver.execute(ONE_STATE)
        yield driver
    finally:
        connection.close()


def _url(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def _ready(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        raise BackupFailed(why="the backup folder cannot be made") from None
