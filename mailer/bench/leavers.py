"""People who leave while they are being written to: eight at a time, by the one-click address of their message."""

import http.client
import threading
from collections.abc import Callable
from time import monotonic_ns

from sqlalchemy import Connection, text

from mailer.bench.errors import BenchFailed
from mailer.core.links import Link
from mailer.services import Services

AT_A_TIME = 8
BODY = b"List-Unsubscribe=One-Click"
NEXT_BLOCKS = 40
"""Blocks past the first open one in which somebody next to the working slices is looked for."""

TRIES = 20
WAIT_SECONDS = 30

FIRST_OPEN = text("SELECT min(block) FROM message_block WHERE campaign_id = :id AND open AND block >= :from")
LAST = text("SELECT max(block) FROM message_block WHERE campaign_id = :id")
WAITING = text("SELECT contact_point_id FROM message WHERE campaign_id = :id AND block = :block AND state = 'ready'")


class Leavers:
    """Begins with `start`; after `join` it knows when each of them had the answer and how long that took."""

    def __init__(self, services: Services, number: int, many: int, port: int) -> None:
        self.answered: dict[int, int] = {}
        """Contact point to the reading of the monotonic clock, in nanoseconds, after the answer's last byte."""
        self.took: list[int] = []
        self.began = 0
        self.failures: list[str] = []
        self._services, self._number, self._many, self._port = services, number, many, port
        self._taken: set[int] = set()
        self._from = 0
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._leave, args=(place,)) for place in range(AT_A_TIME)]

    def start(self) -> None:
        self.began = monotonic_ns()
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait for the last answer. Raises: BenchFailed when one was not 200."""
        for thread in self._threads:
            thread.join()
        if self.failures:
            raise BenchFailed(step="one-click", why=self.failures[0])

    def _leave(self, place: int) -> None:
        web = http.client.HTTPConnection("127.0.0.1", self._port, timeout=WAIT_SECONDS)
        try:
            with self._services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                near = place % 2 == 0
                while not self.failures and (person := self._choose(connection, near)):
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

    def _choose(self, connection: Connection, near: bool) -> int | None:
        """Somebody not yet handed over: next to the working slices, or anywhere ahead. None at the end."""
        for _ in range(TRIES):
            first = connection.scalar(FIRST_OPEN, {"id": self._number, "from": self._from})
            last = connection.scalar(LAST, {"id": self._number})
            if first is None or last is None:
                return None
            self._from = max(self._from, first)
            block = min(last, first + self._any(NEXT_BLOCKS if near else last - first + 1))
            waiting: list[int] = list(connection.scalars(WAITING, {"id": self._number, "block": block}))
            with self._lock:
                if len(self._taken) >= self._many:
                    return None
                free = [each for each in waiting if each not in self._taken]
                if free:
                    person = free[self._any(len(free))]
                    self._taken.add(person)
                    return person
        return None

    def _any(self, below: int) -> int:
        return int.from_bytes(self._services.tokens.random_bytes(4), "big") % below


def after(answered: dict[int, int], address_of: Callable[[int], str], begun: dict[str, int]) -> int:
    """How many were begun after they had the answer."""
    return sum(begun.get(address_of(person), 0) > moment for person, moment in answered.items())
