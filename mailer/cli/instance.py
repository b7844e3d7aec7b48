"""Which instance a command works on: the one of the settings, or the one that `mailer run` has started here."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy.exc import OperationalError

from mailer.core.errors import MailerError
from mailer.embedded.lock import is_held
from mailer.embedded.processes import wait_until
from mailer.settings import Settings

PATIENCE = 60.0


class NoInstance(MailerError):
    """No `mailer run` holds the data folder and no outside servers are set."""

    code = "no_instance"


class DatabaseSilent(MailerError):
    """The database did not come back in time; `seconds` says how long we waited."""

    code = "database_silent"
    status = 503


def find() -> Settings:
    """The settings with the URLs of the database and of Redis, and a running instance's port, filled in.

    Raises: NoInstance where neither the environment nor a running instance names them; BadSettings.
    """
    settings = Settings.from_env()
    if settings.database_url and settings.redis_url:
        return settings
    facts = facts_of(settings.data_dir) if is_held(settings.data_dir) else {}
    found = replace(
        settings,
        database_url=settings.database_url or str(facts.get("database_url") or ""),
        redis_url=settings.redis_url or str(facts.get("redis_url") or ""),
        port=int(facts.get("port") or settings.port),
    )
    if not found.database_url:
        raise NoInstance()
    return found


def facts_of(data_dir: Path) -> Mapping[str, Any]:
    """What `mailer run` wrote about itself: URLs, port, pid and the choices of a demonstration; empty if nothing."""
    try:
        facts: dict[str, Any] = json.loads(_file(data_dir).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts


def note(data_dir: Path, facts: Mapping[str, object]) -> None:
    """Write those facts whole or not at all, readable by us alone."""
    fresh = _file(data_dir).with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(dict(facts), file)
    fresh.replace(_file(data_dir))


def forget(data_dir: Path) -> None:
    """Remove those facts."""
    _file(data_dir).unlink(missing_ok=True)


def wait_for_database(settings: Settings, seconds: float = PATIENCE) -> None:
    """Wait for a database that is coming back. Raises: DatabaseSilent."""
    engine = sqlalchemy.create_engine(settings.database_url, hide_parameters=True, poolclass=sqlalchemy.NullPool)

    def answers() -> bool:
        try:
            with engine.connect():
                return True
        except OperationalError:
            return False

    if not wait_until(answers, seconds, pause=0.25):
        raise DatabaseSilent(seconds=int(seconds))


def _file(data_dir: Path) -> Path:
    return data_dir / "run" / "instance.json"
