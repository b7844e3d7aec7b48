"""The parts on their own, for production: `mailer web`, `mailer worker`, `mailer tick`."""

import os
import sys
from typing import Any, NoReturn

import click
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.util import import_app

from mailer.cli.instance import find, wait_for_database
from mailer.core.errors import BadSettings
from mailer.core.logs import JsonLines
from mailer.settings import Settings, child_environment

PROCESSES, THREADS = 2, 8
REQUEST_SECONDS, GRACE_SECONDS = 60, 5


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn has no types.
    """Errors as JSON lines, and no access log: a path can be a person's link."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonLines())

    def access(self, *_args: Any) -> None:
        return


class Web(BaseApplication):  # type: ignore[misc]  # gunicorn has no types.
    """Gunicorn with our settings and nothing read from its own files or variables."""

    def __init__(self, settings: Settings) -> None:
        self._port = settings.port
        super().__init__()

    def load_config(self) -> None:
        chosen = {
            "bind": [f"127.0.0.1:{self._port}"], "workers": PROCESSES, "threads": THREADS, "worker_class": "gthread",
            "timeout": REQUEST_SECONDS, "graceful_timeout": GRACE_SECONDS, "keepalive": 5, "accesslog": None,
            "errorlog": "-", "logger_class": QuietLogger, "umask": 0o077, "proc_name": "mailer web",
            # It would open a socket in the home folder, outside the data folder.
            "control_socket_disable": True,
            # Loaded before it listens and before it forks: whoever is let in is answered at once, from shared memory.
            "preload_app": True, "post_fork": _begin,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return import_app("wsgi:app")


def serve() -> None:
    """Serve with the settings of the environment, until told to end."""
    Web(Settings.from_env()).run()


@click.command()
def web() -> None:
    """Serve the pages on PORT of this machine; put a proxy with TLS in front of it."""
    settings = _ready()
    if settings != Settings.from_env():
        _become("mailer.cli", "web")
    serve()


@click.command()
def worker() -> None:
    """Run one worker process, which takes work from the queue."""
    _become("workers.main")


@click.command()
def tick() -> None:
    """Run the ticker, which starts what is due and sweeps for strays."""
    _become("workers.ticker")


def _begin(_arbiter: Any, worker: Any) -> None:
    """No two processes may speak on one connection."""
    worker.app.callable.extensions["services"].engine.dispose(close=False)


def _ready() -> Settings:
    settings = find()
    if not settings.redis_url:
        raise BadSettings(setting="REDIS_URL", why="set beside DATABASE_URL")
    wait_for_database(settings)
    return settings


def _become(*command: str) -> NoReturn:
    """Go on as another program that reads its settings from the environment alone."""
    settings = _ready()
    environment = child_environment(DATABASE_URL=settings.database_url, REDIS_URL=settings.redis_url)
    os.execve(sys.executable, [sys.executable, "-P", "-m", *command], environment)  # noqa: S606 (our own modules)
