"""Hands nudges to the queue without knowing the actors that take them."""

import logging

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker

from mailer.core.jobs import Job
from workers.broker import broker as default_broker

log = logging.getLogger(__name__)

CAMPAIGNS, SOON = "campaigns", "soon"
QUEUES = {Job.LAUNCH: CAMPAIGNS, Job.DISPATCH: CAMPAIGNS, Job.SINGLES: SOON}
"""Somebody waits for a single message and must not stand behind a campaign's turn, which may take half a minute."""


class DramatiqJobs:
    """The jobs port on Dramatiq: one message a nudge, ids only."""

    def __init__(self, broker: RedisBroker = default_broker) -> None:
        self._broker = broker

    def send(self, job: Job, *args: int) -> None:
        """Enqueue a nudge; where Redis is away the ticker's sweep finds the row later."""
        try:
            self._broker.enqueue(dramatiq.Message(queue_name=QUEUES[job], actor_name=job.value, args=args, kwargs={},
                                                  options={}))
        except (redis.RedisError, dramatiq.BrokerConnectionError):
            log.warning("nudge_lost", extra={"job": job.value})

    def waiting(self, job: Job) -> int:
        """How many nudges nobody has taken yet, of this job and those that share its queue; 0 where Redis is away."""
        try:
            return int(self._broker.client.llen(f"{self._broker.namespace}:{QUEUES[job]}"))
        except redis.RedisError:
            return 0
