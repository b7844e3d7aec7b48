"""Putting back: an old generation and the newest keys, so that who was erased since stays unreadable (decision 16)."""

from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, text

from mailer.backup import dumps, key_archive, sealed
from mailer.backup.errors import BackupFailed
from mailer.backup.make import KEYS, expect, generations
from mailer.backup.sealed import Identities

ANYTHING = text("""
    SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname IN ('public', 'vault') AND c.relkind IN ('r', 'p', 'v', 'S'))
""")


def choose(folder: Path, whom: Identities, wanted: str = "") -> str:
    """The generation to put back, the newest unless said; it and the keys fit each other. Raises: BackupFailed."""
    found = generations(folder)
    if not found:
        raise BackupFailed(why="no generation lies in this folder")
    name = wanted or found[-1]
    if name not in found:
        raise BackupFailed(why="there is no such generation in this folder")
    generation = expect("generation", sealed.header_of(folder / name, whom))
    if generation["instance"] != expect("keys", sealed.header_of(folder / KEYS, whom))["instance"]:
        raise BackupFailed(why="this generation and the keys are of different installations")
    return name


def must_be_empty(connection: Connection) -> None:
    """Raises: BackupFailed for a database with anything in it: a restore never writes over one."""
    if connection.scalar(ANYTHING):
        raise BackupFailed(why="this database is not empty; put back into an empty one, or into a new data folder")


def generation(database_url: str, path: Path, whom: Identities) -> dict[str, Any]:
    """Put a generation into an empty database, all or nothing; its header. Raises: BackupFailed."""
    with dumps.loading(database_url) as load:
        return sealed.unseal(path, whom, load.take)


def hosts(folder: Path, whom: Identities) -> list[str]:
    """Hosts that had written an exit when the keys were archived; archives of older Mailers name none."""
    return [str(host) for host in sealed.header_of(folder / KEYS, whom).get("hosts", [])]


def keys(connection: "psycopg.Connection[tuple[object, ...]]", folder: Path, whom: Identities) -> tuple[int, int]:
    """Put the keys in; how many, and how many people have none any more. Never commits. Raises: BackupFailed."""
    return key_archive.put_in(connection, lambda take: sealed.unseal(folder / KEYS, whom, take))
