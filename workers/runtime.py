"""What the actors of one worker process share: every power, a seat for each thread, and the word to stop."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from mailer import wiring
from mailer.cli.instance import wait_for_database
from mailer.outbox.seat import Pulse, Seat, Ways
from mailer.services import Services
from mailer.settings import Settings
from workers.jobs import DramatiqJobs

STOP = threading.Event()
_turns: set[int] = set()
_counting = threading.Lock()
_places = threading.local()
_seats: list[Seat] = []


@cache
def services() -> Services:
    """Built once a process, when the first nudge comes."""
    settings = Settings.from_env()
    wait_for_database(settings)
    return wiring.build(settings, wiring.open_engine(settings), DramatiqJobs())


@cache
def worker_name() -> str:
    """A random name for this process; its signs of life begin with it."""
    name = services().tokens.random_bytes(6).hex()
    Pulse(services(), name).start()
    return name


@cache
def ways() -> Ways:
    """The process's ways out, whose wires its threads lend each other; SMTP_CONNECTIONS is for each wire."""
    return Ways(services())


def seat() -> Seat:
    """This thread's seat."""
    if not hasattr(_places, "seat"):
        _places.seat = Seat(services(), worker_name(), ways(), STOP.is_set)
        _seats.append(_places.seat)
    return _places.seat  # type: ignore[no-any-return] # A thread-local has no types.


@contextmanager
def turn(campaign_id: int) -> Iterator[bool]:
    """Whether a turn of this campaign may begin here: false where this process is sending it already.

    One turn keeps all connections of the process busy, so a second would win nothing. The nudge for it is dropped:
    the ticker sees which processes take no part in a campaign and nudges again until they do.
    """
    with _counting:
        free = campaign_id not in _turns
        if free:
            _turns.add(campaign_id)
    try:
        yield free
    finally:
        if free:
            with _counting:
                _turns.discard(campaign_id)


def tidy() -> None:
    """Close connections to providers that nobody has wanted for a while."""
    if _seats:
        ways().tidy()


def close() -> None:
    """Say goodbye to providers, which takes in the replies still on their way, and let the journals go."""
    if _seats:
        ways().close()
    for each in _seats:
        each.close()
