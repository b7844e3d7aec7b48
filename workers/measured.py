"""One worker's road with a way out that accepts at once: what `mailer bench rows` runs as a process of its own."""

import json
import sys
from dataclasses import replace
from time import monotonic, process_time

from mailer import wiring
from mailer.bench.instant import InstantTransport
from mailer.core.jobs import NoJobs
from mailer.core.messages import State
from mailer.outbox import counts
from mailer.outbox.dispatch import take_turn
from mailer.outbox.seat import Seat, Ways
from mailer.services import unit_of_work
from mailer.settings import Settings

NAME = "measured"


def main() -> None:
    """Take turns until nothing is left; print rows accepted, seconds, and seconds of CPU as one JSON array."""
    campaign_id = int(sys.argv[1])
    settings = Settings.from_env()
    services = replace(wiring.build(settings, wiring.open_engine(settings), NoJobs()), transports=InstantTransport())
    ways = Ways(services)
    seat = Seat(services, NAME, ways, lambda: False)
    began, busy = monotonic(), process_time()
    while take_turn(seat, campaign_id).more:
        continue
    seconds, cpu = monotonic() - began, process_time() - busy
    with unit_of_work(services) as ctx:
        accepted = counts.sums(ctx, campaign_id).ended[State.ACCEPTED]
    ways.close()
    seat.close()
    sys.stdout.write(json.dumps([accepted, seconds, cpu]) + "\n")


if __name__ == "__main__":
    main()
