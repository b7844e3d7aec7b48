"""One mail server among several: its connections, its limits, and whether it is left alone just now."""

import time
from collections import deque
from collections.abc import Sequence

from mailer.channels.email.replies import Action, Verdict
from mailer.channels.email.signon import Server
from mailer.core.channel import Fate
from mailer.core.lanes import Bucket, Pace, ServerBoard

STRIKES = 2
"""So many connections in a row broken by their first message hold the server."""

SLOW_CALL = 0.25
"""Seconds after which another server is called beside one that has not answered yet."""

DEAD_CALL = 5.0
"""Seconds without an answer after which a server without a connection is held."""

FEWER_FOR = 30.0
"""Seconds for which no more connections are asked for than a server allowed."""

ASK_AGAIN = 0.1
"""Seconds between two questions for leave where there was none."""

AT_ONCE = 50
HELD = Verdict(Action.RETRY, Fate.UNBEGUN, "held", lane_down=True)
NOBODY_HOME = Verdict(Action.RETRY, Fate.UNBEGUN, "connect", lane_down=True)


class Relay:
    """What one wire knows of one server."""

    def __init__(self, server: Server, name: str, weight: int, pace: Pace) -> None:
        self.server = server
        self.name = name
        self.weight = weight
        self.up = True
        self.open = 0
        self.calls: deque[float] = deque()
        self.allowance = 0
        self.begun = 0
        self.strikes = 0
        self.fault = HELD
        self.pipelining = True
        self.praised = False
        self.usual: bytes | None = None
        self._pace = pace
        self._bucket = (Bucket("server", name),)
        self._ask_at = 0.0
        self._cap = 1 << 30
        self._cap_until = 0.0

    def ask(self, wanted: int, now: float, *, urgent: bool = False) -> None:
        """Ask for leave to send so many more."""
        if urgent or now >= self._ask_at:
            granted = self._pace.grant(self._bucket, wanted, urgent=urgent)
            self.allowance += granted
            if granted < wanted:
                self._ask_at = now + ASK_AGAIN

    def restore(self) -> None:
        """Give back the leave that was not used."""
        if self.allowance > 0:
            self._pace.restore(self._bucket, self.allowance)
            self.allowance = 0

    def could_be_called(self, now: float) -> bool:
        """Whether a connection more makes sense, now or when the call that is being made has been answered."""
        if not self.up or (self._probed() and now - self.calls[-1] >= SLOW_CALL):
            return False
        return now >= self._cap_until or self.open + len(self.calls) < self._cap

    def may_be_called(self) -> bool:
        """While none is open one call is made at a time, so that a wrong password is offered once."""
        return not self._probed()

    def _probed(self) -> bool:
        return bool(self.calls) and not self.open

    def take_fewer(self, now: float) -> None:
        """The server takes no more connections than are open."""
        self._cap, self._cap_until = self.open + len(self.calls), now + FEWER_FOR

    def is_dead(self, now: float) -> bool:
        return self.up and not self.open and bool(self.calls) and now - self.calls[0] > DEAD_CALL


class Relays:
    """The servers of one wire, and which of them to use next."""

    def __init__(self, relays: Sequence[Relay], board: ServerBoard) -> None:
        self.all = tuple(relays)
        self._board = board
        self._by_server = {id(relay.server): relay for relay in relays}

    def of(self, server: Server) -> Relay:
        return self._by_server[id(server)]

    def look(self) -> None:
        """Read which servers are held."""
        held = self._board.held()
        for relay in self.all:
            relay.up = relay.name not in held

    def hold(self, relay: Relay, verdict: Verdict) -> None:
        """Leave a server alone for a while."""
        relay.fault = Verdict(verdict.action, Fate.UNBEGUN, verdict.code, verdict.operator, lane_down=True)
        relay.strikes = 0
        relay.praised = False
        self._board.report(relay.name, verdict.code)
        self.look()

    def praise(self, relay: Relay) -> None:
        """A server took a message: what was held against it is forgotten."""
        relay.strikes = 0
        relay.praised = True
        self._board.clear(relay.name)

    @property
    def any_up(self) -> bool:
        return any(relay.up for relay in self.all)

    @property
    def fault(self) -> Verdict:
        """Why nothing can be sent while every server is held; the operator's own fault first."""
        return max((relay.fault for relay in self.all), key=lambda fault: (fault.operator, fault is not HELD))

    def allow(self, wanted: int, *, urgent: bool = False) -> int:
        """Leave to begin so many altogether, as far as it is given."""
        if urgent:
            # Its wire may have rested, with what it knew of the servers.
            self.look()
        up = [relay for relay in self.all if relay.up]
        missing = wanted - sum(relay.allowance for relay in up)
        weights = sum(relay.weight for relay in up)
        now = time.monotonic()
        for relay in up:
            if missing > 0:
                relay.ask(-(-missing * relay.weight // weights), now, urgent=urgent)
        return sum(relay.allowance for relay in up)

    def restore(self) -> None:
        """Give back the leave that was not used."""
        for relay in self.all:
            relay.restore()

    def next_to_call(self, now: float) -> Relay | None:
        """The server with the fewest connections for its weight, when it can be called."""
        able = [relay for relay in self.all if relay.could_be_called(now)]
        if not able:
            return None
        chosen = min(able, key=lambda relay: ((relay.open + len(relay.calls) + 1) / relay.weight, relay.begun))
        return chosen if chosen.may_be_called() else None

    def fresh_calls(self, now: float) -> int:
        """Calls that may soon be answered."""
        return sum(now - began < SLOW_CALL for relay in self.all for began in relay.calls)
