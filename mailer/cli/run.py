"""`mailer run`: everything on one machine, kept alive until it is told to end."""

import os
import pkgutil
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import click

from mailer.cli import database, demo, instance, serve
from mailer.cli.first_run import first_run_line
from mailer.core import logs
from mailer.embedded import forks
from mailer.embedded.children import Child
from mailer.embedded.folders import private_folder
from mailer.embedded.lock import only_run
from mailer.embedded.postgres import PrivatePostgres
from mailer.embedded.redis import PrivateRedis
from mailer.embedded.supervisor import Stopped, Supervisor, must_be_free
from mailer.settings import Settings, set_environment

WORK = {name: f"{name}:main" for name in ("workers.main", "workers.ticker")}
"""The product does not know its workers, except by the names under which they are started."""

ALSO_LOADED = "mailer.app"
"""What the web server will ask for."""


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Listen here instead of on PORT (8000).")
@click.option("--demo", "with_demo", is_flag=True, help="With sample data and sample staff.")
@click.option("--seed", type=int, help="Make the sample data from this number.")
@click.option("--clock", metavar="TIME", help="Begin at this time, such as 2026-03-02T15:00:00Z.")
def run(port: int | None, with_demo: bool, seed: int | None, clock: str | None) -> None:
    """Start everything and print one link; Ctrl-C ends everything."""
    os.umask(0o077)
    settings = Settings.from_env()
    settings = replace(settings, port=port or settings.port)
    private_folder(settings.data_dir)
    with only_run(settings.data_dir):
        supervisor = Supervisor(settings.data_dir)
        log_file = private_folder(settings.data_dir / "logs") / "run.log"
        with log_file.open("a", encoding="utf-8") as stream, supervisor.taking_signals():
            logs.set_up(stream)
            must_be_free(settings.port)
            with suppress(Stopped):
                _start(supervisor, settings, {"demo": with_demo, "seed": seed, "clock": clock})
            click.echo("Ending everything …")
        instance.forget(settings.data_dir)


def _start(supervisor: Supervisor, settings: Settings, choices: Mapping[str, object]) -> None:
    settings = _with_servers(supervisor, settings)
    set_environment(DATABASE_URL=settings.database_url, REDIS_URL=settings.redis_url, PORT=str(settings.port),
                    MAILER_DATA_DIR=str(settings.data_dir), MAILER_KEY_FILE=str(settings.key_file))
    instance.note(settings.data_dir, {
        "database_url": settings.database_url, "redis_url": settings.redis_url, "port": settings.port,
        "pid": os.getpid(), **choices,
    })
    click.echo("Bringing the database up to date …")
    with supervisor.interruptible():
        click.echo(f"The schema is at {database.bring_up_to_date(settings)}.")
    demo.prepare(settings, demo=bool(choices["demo"]), seed=cast("int | None", choices["seed"]),
                 clock=cast("str | None", choices["clock"]))
    line = first_run_line(settings)
    click.echo(f"Starting the web server, {settings.worker_processes} workers and the ticker …")
    supervisor.keep(_children(settings.worker_processes))
    supervisor.watch(until=lambda: _answers(settings.port))
    if not supervisor.stopping:
        click.echo(line)
        supervisor.watch()


def _with_servers(supervisor: Supervisor, settings: Settings) -> Settings:
    """Start a private server for each that the environment does not name."""
    database, queue = settings.database_url, settings.redis_url
    if not database or not queue:
        click.echo(f"Starting the private servers in {settings.data_dir} …")
    if not database:
        database = supervisor.start_server(PrivatePostgres(settings.data_dir))
    if not queue:
        queue = supervisor.start_server(PrivateRedis(settings.data_dir))
    return replace(settings, database_url=database, redis_url=queue)


def _children(workers: int) -> list[Child]:
    """Everything is loaded once, here, and shared by all of them."""
    work: dict[str, Callable[[], Any]] = {module: pkgutil.resolve_name(place) for module, place in WORK.items()}
    pkgutil.resolve_name(ALSO_LOADED)
    forks.settle()
    return [Child("web", "mailer.cli web", serve.serve), Child("ticker", "workers.ticker", work["workers.ticker"]),
            *(Child(f"worker-{number}", "workers.main", work["workers.main"]) for number in range(1, workers + 1))]


def _answers(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.settimeout(1)
        return attempt.connect_ex(("127.0.0.1", port)) == 0
