"""One worker's road with a way out that accepts at once: what `mailer bench rows` runs as processes of their own.

It says that it is ready, waits for a line, and takes turns until nothing is left.
"""

import json
import sys
from dataclasses import replace
from time import monotonic, process_time

from mailer import wiring
from mailer.bench.instant import InstantTransport
from mailer.core.jobs import NoJobs
from mailer.outbox.dispatch import take_turn
from mailer.outbox.seat import Seat, Ways
from mailer.settings import Settings


def main() -> None:
    """Print when it began and ended by the monotonic clock, and seconds of CPU, as one JSON array."""
    campaign_id, name = int(sys.argv[1]), sys.argv[2]
    settings = Settings.from_env()
    services = replace(wiring.build(settings, wiring.open_engine(settings), NoJobs()), transports=InstantTransport())
    ways = Ways(services)
    seat = Seat(services, name, ways, lambda: False)
    seat.road()
    _say("ready")
    sys.stdin.readline()
    began, busy = monotonic(), process_time()
    while take_turn(seat, campaign_id).more:
        continue
    _say(json.dumps([began, monotonic(), process_time() - busy]))
    ways.close()
    seat.close()


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
