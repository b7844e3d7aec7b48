"""The ticker: looks every second for work that no nudge will bring, one of them on each host."""

import logging
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from mailer import wiring
from mailer.campaigns import close, compose, launch
from mailer.cli.instance import wait_for_database
from mailer.consent import seal
from mailer.context import Context
from mailer.core import logs
from mailer.core.errors import MailerError
from mailer.core.jobs import Job
from mailer.outbox import reap, singles
from mailer.outbox.seat import journal_folder
from mailer.services import Services, unit_of_work
from mailer.settings import Settings
from mailer.subscriptions import sweep
from workers.jobs import DramatiqJobs

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
SWEEP_EVERY = 60
"""Ticks between two sweeps of what has expired."""

IDLE_CAMPAIGNS = """
    SELECT c.id FROM campaign c
    WHERE c.state = 'sending' AND NOT c.stopping
      AND EXISTS (SELECT FROM message_block b WHERE b.campaign_id = c.id AND b.open
                  AND (b.not_before IS NULL OR b.not_before <= clock_timestamp()))
      AND NOT EXISTS (SELECT FROM slice s WHERE s.campaign_id = c.id
                      AND s.opened_at > clock_timestamp() - interval '2 seconds')
"""


def nudge_campaigns(ctx: Context) -> None:
    """Start what is due, and wake campaigns that have rows but no worker (a lost nudge, an emptied Redis)."""
    for campaign_id in launch.due(ctx):
        ctx.nudge(Job.LAUNCH, campaign_id)
    for campaign_id in ctx.db.scalars(text(IDLE_CAMPAIGNS)):
        launch.nudge(ctx, compose.find(ctx, campaign_id))
    for campaign_id in close.running(ctx):
        close.close_if_done(ctx, campaign_id)


def nudge_singles(ctx: Context) -> None:
    """Wake a worker for single messages whose time has come."""
    if singles.sweep(ctx):
        ctx.nudge(Job.SINGLES)


def reap_the_dead(services: Services) -> None:
    """Settle what dead processes of this host left, then what lost hosts left."""
    connection = services.engine.raw_connection()
    try:
        driver = cast(psycopg.Connection[tuple[Any, ...]], connection.driver_connection)
        reap.read_journals(driver, journal_folder(services.settings.data_dir))
        reap.give_up_on_lost_hosts(driver)
    finally:
        connection.close()


def tick(services: Services, number: int) -> None:
    """One look around; a part that fails is tried again at the next."""
    _try("reap", lambda: reap_the_dead(services))
    parts: list[tuple[str, Callable[[Context], object]]] = [
        ("campaigns", nudge_campaigns), ("singles", nudge_singles), ("seal", seal.seal_batch)]
    if number % SWEEP_EVERY == 0:
        parts.append(("sweep", sweep.sweep))
    for name, part in parts:
        _try(name, partial(_in_a_unit, services, part))


def _in_a_unit(services: Services, part: Callable[[Context], object]) -> None:
    with unit_of_work(services) as ctx:
        part(ctx)


def _try(name: str, part: Callable[[], object]) -> None:
    try:
        part()
    except (SQLAlchemyError, psycopg.Error, MailerError, OSError) as error:
        log.warning("tick_failed", extra={"part": name, "error": type(error).__name__})


def main() -> None:
    """Tick until SIGTERM or SIGINT."""
    logs.set_up()
    settings = Settings.from_env()
    wait_for_database(settings)
    services = wiring.build(settings, wiring.open_engine(settings), DramatiqJobs())
    told = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda _number, _frame: told.set())
    number = 0
    while not told.wait(EVERY_SECONDS if number else 0):
        tick(services, number)
        number += 1


if __name__ == "__main__":
    main()
