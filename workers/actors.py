"""One actor a job: a doorbell that calls one verb. Arguments are ids."""

import logging
from functools import partial

import dramatiq

from mailer.campaigns import close, control
from mailer.campaigns import launch as launching
from mailer.core.errors import CannotSend
from mailer.core.jobs import Job
from mailer.outbox import dispatch as road
from mailer.outbox.send_singles import send_singles
from mailer.services import unit_of_work
from workers import runtime
from workers.broker import broker
from workers.jobs import QUEUES

log = logging.getLogger(__name__)

SOONER = -1
"""Of what has been fetched, a single message goes first."""

NO_LIMIT_MS = 10 * 365 * 24 * 3600 * 1000
"""Dispatch has no time limit: it ends its turn by itself (decision 9)."""


@dramatiq.actor(actor_name=Job.LAUNCH.value, queue_name=QUEUES[Job.LAUNCH], broker=broker,
                time_limit=NO_LIMIT_MS)
def launch(campaign_id: int) -> None:
    services = runtime.services()
    more = True
    while more and not runtime.STOP.is_set():
        with unit_of_work(services) as ctx:
            more = launching.step(ctx, campaign_id, services.settings.data_dir / "exits")


@dramatiq.actor(actor_name=Job.DISPATCH.value, queue_name=QUEUES[Job.DISPATCH], broker=broker,
                time_limit=NO_LIMIT_MS)
def dispatch(campaign_id: int) -> None:
    services = runtime.services()
    with runtime.turn(campaign_id) as free:
        if not free:
            return
        try:
            rest = road.take_turn(runtime.seat(), campaign_id, partial(_pause, campaign_id))
        except CannotSend as error:
            log.warning("dispatch_refused", extra={"campaign": campaign_id, "code": error.code})
            return
    with unit_of_work(services) as ctx:
        if rest.more and not rest.pause and not runtime.STOP.is_set():
            ctx.nudge(Job.DISPATCH, campaign_id)
        close.close_if_done(ctx, campaign_id)


def _pause(campaign_id: int, why: str) -> None:
    with unit_of_work(runtime.services()) as ctx:
        control.pause_by_itself(ctx, campaign_id, why)


@dramatiq.actor(actor_name=Job.SINGLES.value, queue_name=QUEUES[Job.SINGLES], broker=broker, priority=SOONER,
                time_limit=NO_LIMIT_MS)
def singles() -> None:
    try:
        while not runtime.STOP.is_set() and send_singles(runtime.seat()):
            continue
    except CannotSend as error:
        log.warning("singles_refused", extra={"code": error.code})
