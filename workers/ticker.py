"""The ticker: looks every second for work that no nudge will bring, one of them on each host."""

import logging
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any, cast

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from mailer import wiring
from mailer.audit import seal as audit_seal
from mailer.backup import make, sealed
from mailer.campaigns import close, complaints, launch
from mailer.cli.instance import wait_for_database
from mailer.consent import seal
from mailer.context import Context
from mailer.core import logs
from mailer.core.clock import SystemClock
from mailer.core.errors import MailerError
from mailer.core.jobs import Job
from mailer.core.modes import Mode
from mailer.friends import sweep as friends
from mailer.outbox import partitions, reap, retention, singles
from mailer.outbox.journal import remove_drafts
from mailer.outbox.seat import journal_folder
from mailer.rights import watch
from mailer.services import Services, unit_of_work
from mailer.settings import Settings
from mailer.subscriptions import stop_other, sweep
from workers.jobs import DramatiqJobs

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
SWEEP_EVERY = 60
"""Ticks between two sweeps of what has expired."""
LOG_ENDS_EVERY = 3600
"""Ticks between two looks for messages that are kept no more; soon after the start, not at it."""

KEYS_EVERY = 600
"""Ticks between two looks at the archive of keys; one of them takes seconds with a million people."""

ENDING_SECONDS = 1.0
"""For so long one look ends what waits; the next one goes on."""

DRAFTS_ARE_KEPT = timedelta(hours=1)

FULL = 100
"""Nudges that wait: more would only be dropped later."""

IDLE_WORKERS = """
    SELECT c.id, c.mode, (
        SELECT count(*) FROM worker w WHERE w.seen_at > clock_timestamp() - interval '15 seconds'
        AND NOT EXISTS (SELECT FROM slice s WHERE s.campaign_id = c.id AND s.worker = w.id)) AS idle,
        EXISTS (SELECT FROM slice s WHERE s.campaign_id = c.id
                AND s.opened_at > clock_timestamp() - interval '2 seconds') AS begun
    FROM campaign c
    WHERE c.state = 'sending' AND NOT c.stopping
      AND EXISTS (SELECT FROM message_block b WHERE b.campaign_id = c.id AND b.open
                  AND (b.not_before IS NULL OR b.not_before <= clock_timestamp()))
"""


def start_what_is_due(ctx: Context) -> None:
    """Start campaigns whose time has come and go on planning."""
    for campaign_id in launch.due(ctx):
        ctx.nudge(Job.LAUNCH, campaign_id)
    complaints.pause_where_many(ctx)


def end_what_is_over(services: Services) -> None:
    """End what waits of stopped and late campaigns, for a second at most, and close those of which nothing waits.

    Each part is a transaction of its own: nobody who leaves, and no page, waits for more than that.
    """
    ends = monotonic() + ENDING_SECONDS
    with unit_of_work(services) as ctx:
        running = close.running(ctx)
    for campaign_id in running:
        more = True
        while more and monotonic() < ends:
            with unit_of_work(services) as ctx:
                more = close.end_some(ctx, campaign_id)
        with unit_of_work(services) as ctx:
            close.close_if_done(ctx, campaign_id)


def call_workers(ctx: Context) -> None:
    """Call every process that takes no part in a campaign that has rows: it is new, or its nudge was lost.

    A process that is sending it already drops the nudge. Practice wants one process only, so that it can be watched.
    """
    for campaign_id, mode, idle, begun in ctx.db.execute(text(IDLE_WORKERS)):
        wanted = (0 if begun else 1) if mode == Mode.PRACTICE else max(idle, 0 if begun else 1)
        for _ in range(wanted):
            ctx.nudge(Job.DISPATCH, campaign_id)


def nudge_singles(ctx: Context) -> None:
    """Wake a worker for single messages whose time has come."""
    if singles.sweep(ctx):
        ctx.nudge(Job.SINGLES)


def reap_the_dead(services: Services) -> None:
    """Settle what dead processes of this host left, then what lost hosts left."""
    connection = services.engine.raw_connection()
    try:
        driver = cast(psycopg.Connection[tuple[Any, ...]], connection.driver_connection)
        journals = journal_folder(services.settings.data_dir)
        reap.read_journals(driver, journals)
        # Files bear the machine's own time, whatever clock the rules go by.
        remove_drafts(journals, SystemClock().now() - DRAFTS_ARE_KEPT)
        reap.give_up_on_lost_hosts(driver)
    finally:
        connection.close()


def end_the_log(services: Services) -> None:
    """Take away messages past their time, and have the coming month's room ready before anything is launched in it."""
    with services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        driver = cast(psycopg.Connection[tuple[Any, ...]], connection.connection.driver_connection)
        retention.run(driver, services.clock.now())
    with unit_of_work(services) as ctx:
        partitions.ensure_months(ctx, ctx.clock.now())


def renew_keys(services: Services) -> None:
    """Replace the archive of person keys in the backup folder once it is old, so that erasures reach it."""
    folder, recipient = services.settings.backup_dir, services.settings.backup_recipient
    if folder is not None and make.keys_are_due(folder, SystemClock().now()):
        at = services.clock.now()
        make.renew_keys(services.engine, folder, sealed.recipients(recipient), now=at)
        _in_a_unit(services, partial(make.archived, at=at))


def tick(services: Services, jobs: DramatiqJobs, number: int) -> None:
    """One look around; a part that fails is tried again at the next."""
    _try("reap", lambda: reap_the_dead(services))
    _try("end", lambda: end_what_is_over(services))
    parts: list[tuple[str, Callable[[Context], object]]] = [
        ("campaigns", start_what_is_due), ("singles", nudge_singles), ("seal", seal.seal_batch),
        ("audit_seal", audit_seal.seal_batch)]
    if jobs.waiting(Job.DISPATCH) < FULL:
        parts.append(("workers", call_workers))
    if number % SWEEP_EVERY == 0:
        parts += [("stops", stop_other.apply_due), ("sweep", sweep.sweep), ("friends", friends.sweep),
                  ("rights", watch.sweep), ("children", watch.erase_children)]
    for name, part in parts:
        _try(name, partial(_in_a_unit, services, part))
    if number % KEYS_EVERY == 1:
        threading.Thread(target=lambda: _try("keys", lambda: renew_keys(services)), daemon=True).start()
    if number % LOG_ENDS_EVERY == SWEEP_EVERY:
        # It may take minutes, and campaigns must not wait for it.
        threading.Thread(target=lambda: _try("retention", lambda: end_the_log(services)), daemon=True).start()


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
    jobs = DramatiqJobs()
    services = wiring.build(settings, wiring.open_engine(settings), jobs)
    told = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda _number, _frame: told.set())
    number = 0
    while not told.wait(EVERY_SECONDS if number else 0):
        tick(services, jobs, number)
        number += 1


if __name__ == "__main__":
    main()
