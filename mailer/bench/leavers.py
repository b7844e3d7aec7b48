"""People who leave while they are being written to: four at a time, by the one-click address of their message."""

import http.client
import threading
from collections.abc import Callable
from time import monotonic_ns, sleep

from sqlalchemy import text

from mailer.bench.errors import BenchFailed
from mailer.core.links import Link
from mailer.services import Services

AT_A_TIME = 4
BODY = b"List-Unsubscribe=One-Click"
NEXT_BLOCKS = 40
"""Blocks past the last closed one in which somebody next to the working slices is looked for."""

REACH = 1_000
"""Blocks that the slices surely do not walk through between two looks."""

LOOK_EVERY = 0.02
"""Seconds between two looks at where the slices are: choosing somebody costs the database nothing."""

KNOWN_AT_MOST = 50_000
TRIES = 50
WAIT_SECONDS = 30

# Blocks that open again behind the slices, for those who were called back, say nothing of where they are.
NEXT_IN_TURN = text("SELECT coalesce(max(block) FILTER (WHERE NOT open) + 1, :from) FROM message_block "
                    "WHERE campaign_id = :id AND block BETWEEN :from AND :from + :reach HAVING bool_or(open)")
PEOPLE = text("SELECT block, contact_point_id FROM message WHERE campaign_id = :id AND contact_point_id % :every = 0")


class Leavers:
    """Begins with `start`; after `join` it knows when each of them had the answer and how long that took."""

    def __init__(self, services: Services, number: int, many: int, port: int) -> None:
        self.answered: dict[int, int] = {}
        """Contact point to the reading of the monotonic clock, in nanoseconds, after the answer's last byte."""
        self.took: list[int] = []
        self.began = 0
        self.failures: list[str] = []
        self._services, self._number, self._many, self._port = services, number, many, port
        self._ahead: dict[int, list[int]] = {}
        self._first: int | None = 0
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._leave, args=(place,)) for place in range(AT_A_TIME)]
        self._scout = threading.Thread(target=self._look)

    def start(self, people: int) -> None:
        """Once all of so many people are planned."""
        every = max(1, people // KNOWN_AT_MOST)
        with self._services.engine.connect() as connection:
            for block, person in connection.execute(PEOPLE, {"id": self._number, "every": every}):
                self._ahead.setdefault(block, []).append(person)
        self._scout.start()
        self.began = monotonic_ns()
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait for the last answer. Raises: BenchFailed when one was not 200."""
        for thread in self._threads:
            thread.join()
        self._first = None
        self._scout.join()
        if self.failures:
            raise BenchFailed(step="one-click", why=self.failures[0])

    def _look(self) -> None:
        """Follow the slices until the last block is closed."""
        with self._services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while self._first is not None:
                self._first = connection.scalar(NEXT_IN_TURN, {"id": self._number, "from": self._first,
                                                               "reach": REACH})
                sleep(LOOK_EVERY)

    def _leave(self, place: int) -> None:
        web = http.client.HTTPConnection("127.0.0.1", self._port, timeout=WAIT_SECONDS)
        near = place % 2 == 0
        try:
            while not self.failures and (person := self._choose(near)):
                self._post(web, person)
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(type(error).__name__)
        finally:
            web.close()

    def _post(self, web: http.client.HTTPConnection, person: int) -> None:
        token = self._services.signer.sign(Link.ONE_CLICK, person, self._number)
        headers = {"Host": f"localhost:{self._port}", "Content-Type": "application/x-www-form-urlencoded"}
        began = monotonic_ns()
        web.request("POST", f"/one-click/{token}", BODY, headers)
        response = web.getresponse()
        response.read()
        ended = monotonic_ns()
        if response.status != http.HTTPStatus.OK:
            self.failures.append(f"status {response.status}")
        with self._lock:
            self.answered[person] = ended
            self.took.append(ended - began)

    def _choose(self, near: bool) -> int | None:
        """Somebody of a block that is not done: next to the working slices, or anywhere ahead. None at the end."""
        for _ in range(TRIES):
            first, last = self._first, max(self._ahead)
            if first is None:
                return None
            block = min(last, first + self._any(NEXT_BLOCKS if near else max(1, last - first + 1)))
            with self._lock:
                waiting = self._ahead.get(block)
                if self._many <= 0:
                    return None
                if waiting:
                    self._many -= 1
                    return waiting.pop(self._any(len(waiting)))
        return None

    def _any(self, below: int) -> int:
        return int.from_bytes(self._services.tokens.random_bytes(4), "big") % below


def after(answered: dict[int, int], address_of: Callable[[int], str], begun: dict[str, int]) -> int:
    """How many were begun after they had the answer."""
    return sum(begun.get(address_of(person), 0) > moment for person, moment in answered.items())
