"""Many messages under way over plain sockets that never wait, all in one thread with one poll."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from time import monotonic

from mailer.channels.email.berth import Entry
from mailer.channels.email.calling import Caller, Line
from mailer.channels.email.connection import BROKEN, TOO_LATE, Connection
from mailer.channels.email.pipeline import Pipeline
from mailer.channels.email.poll import OUT, Poll
from mailer.channels.email.relay import AT_ONCE, NOBODY_HOME, STRIKES, Relay, Relays
from mailer.channels.email.replies import Verdict
from mailer.core.channel import Clearance, Journal, Outcome, Parcel
from mailer.core.wire import Settled

LOOK_EVERY = 0.05
"""Seconds between two looks at what is late: connections, clearances, servers."""

GIVE_UP_AFTER = 5.0
"""Seconds for which `close` waits for replies."""

STALE = 1.0
"""Seconds without a turn after which a kept connection is looked at before it is used."""


class SmtpWire:
    """Implements `Wire` and, for its connections, `Owner`."""

    def __init__(self, relays: Relays, connections: int, on_begin: Callable[[Clearance], None] | None = None) -> None:
        self._relays = relays
        self._connections = connections
        self._on_begin = on_begin
        self._queue: deque[Entry] = deque()
        self._settled: list[Settled] = []
        self._under_way = 0
        self._pipelines: dict[int, Pipeline] = {}
        self._idle: list[Connection] = []
        self._poll = Poll()
        self._caller = Caller()
        self._bell = self._caller.fileno()
        self._poll.add(self._bell)
        self._look_at = self._served_at = 0.0
        self._closed = False

    @property
    def unbegun(self) -> int:
        return len(self._queue)

    @property
    def under_way(self) -> int:
        return self._under_way

    def room(self, wanted: int, *, urgent: bool = False) -> int:
        """How many parcels, at most `wanted`, could be begun about now."""
        waiting = len(self._queue)
        return max(0, min(wanted, self._relays.allow(wanted + waiting, urgent=urgent) - waiting))

    def deliver(self, parcels: Sequence[Parcel], journal: Journal) -> None:
        """Queue parcels behind those that wait."""
        self._queue.extend([(parcel, journal) for parcel in parcels])
        self._under_way += len(parcels)

    def turn(self, seconds: float, file: int = -1, events: int = 0) -> int:
        """Move every connection as far as it goes; the events that are true of `file`."""
        self._poll.follow(file, events)
        now = monotonic()
        before = len(self._settled)
        if now >= self._look_at:
            self._look(now)
        if self._queue:
            self._start(now)
        if len(self._settled) > before:
            seconds = 0
        elif seconds > LOOK_EVERY and (self._under_way or self._pipelines):
            seconds = LOOK_EVERY
        return self._serve(self._poll.wait(seconds), now)

    def settled(self) -> list[Settled]:
        """What has ended since last asked."""
        found, self._settled = self._settled, []
        return found

    def recall(self) -> None:
        """Begin nothing more of what is queued."""
        for pipeline in self._pipelines.values():
            pipeline.recalled = True
        self._dismiss(TOO_LATE)

    def call_back(self, rows: Collection[int]) -> None:
        """Begin none of these rows that is still queued."""
        self._take_out(lambda clearance: clearance.row in rows, TOO_LATE)

    def close(self) -> None:
        """Take in the replies still on their way, for a few seconds at most, and say goodbye."""
        if self._closed:
            return
        self.recall()
        until = monotonic() + GIVE_UP_AFTER
        try:
            while self._under_way and monotonic() < until:
                self.turn(LOOK_EVERY)
        finally:
            self._closed = True
            for pipeline in [each for each in self._pipelines.values() if not each.is_idle]:
                pipeline.lose()
            left = list(self._pipelines.values())
            self._goodbye(left, max((each.relay.server.timeouts.quit for each in left), default=0))
            self._relays.restore()
            self._caller.close()
            self._poll.close()

    def take(self, relay: Relay) -> Entry | None:
        """The next message to begin now."""
        queue = self._queue
        if not relay.up:
            return None
        while queue:
            if relay.allowance <= 0:
                relay.ask(max(AT_ONCE, len(queue)), monotonic())
                if relay.allowance <= 0:
                    return None
            entry = queue.popleft()
            clearance = entry[0].clearance
            if monotonic() >= clearance.begin_before:
                self.settle(clearance, TOO_LATE.outcome(clearance.row))
                continue
            relay.allowance -= 1
            relay.begun += 1
            return entry
        return None

    def give_back(self, relay: Relay, entry: Entry) -> None:
        """A message of which no server heard, to be begun on another connection."""
        relay.allowance += 1
        relay.begun -= 1
        self._queue.appendleft(entry)

    def settle(self, clearance: Clearance, outcome: Outcome) -> None:
        """A message has ended."""
        self._settled.append(Settled(clearance, outcome))
        self._under_way -= 1

    def praise(self, relay: Relay) -> None:
        """A server took its first message."""
        self._relays.praise(relay)

    def rest(self, connection: Connection) -> None:
        """A connection has nothing to do."""
        connection.kept = True
        self._idle.append(connection)

    def watch(self, connection: Connection) -> None:
        """A connection has something left to write, or no more."""
        if not connection.closed and connection.watched != bool(connection.plug.left):
            connection.watched = not connection.watched
            self._poll.want_to_write(connection.plug.fd, connection.watched)

    def gone(self, connection: Connection, broke: Verdict | None) -> None:
        """A connection is closed."""
        relay = connection.relay
        relay.open -= 1
        del self._pipelines[connection.plug.fd]
        if connection in self._idle:
            self._idle.remove(connection)
        if broke is not None:
            relay.strikes += 1
            if relay.strikes >= STRIKES:
                self._relays.hold(relay, broke)

    def _serve(self, found: Iterable[tuple[int, int]], now: float) -> int:
        """Let each connection do what it can; the events of the owner's descriptor."""
        self._served_at = now
        ready = 0
        pipelines = self._pipelines
        for fd, event in found:
            pipeline = pipelines.get(fd)
            if pipeline is not None:
                if event & OUT:
                    pipeline.writable()
                if event & ~OUT and not pipeline.closed:
                    pipeline.readable()
                # Parts of a reply win no time: a server that drips them would hold its message for ever.
                if not pipeline.closed and not pipeline.is_midway:
                    pipeline.deadline = now + pipeline.patience
            elif fd == self._poll.file:
                ready = event
            elif fd == self._bell:
                self._answered(now)
        return ready

    def _start(self, now: float) -> None:
        """Put idle connections to work, open more, then let busy ones take an envelope more."""
        if self._idle and now - self._served_at > STALE:
            # Some of them may have been closed by the server since.
            self._serve(self._poll.wait(0), now)
        resting, self._idle = self._idle, []
        if len(self._relays.all) > 1:
            resting.sort(key=lambda each: each.relay.begun / each.relay.weight)
        for pipeline in resting:
            if not pipeline.begin_next():
                self._idle.append(pipeline)
            elif not pipeline.closed:
                pipeline.deadline = now + pipeline.patience
        if self._queue:
            self._call(now)
            for pipeline in [each for each in self._pipelines.values() if each.can_begin and not each.is_idle]:
                pipeline.begin_next()

    def _call(self, now: float) -> None:
        """Open as many connections as there is work for."""
        wanted = min(self._connections, self._under_way)
        while len(self._pipelines) + self._relays.fresh_calls(now) < wanted:
            relay = self._relays.next_to_call(now)
            if relay is None:
                return
            relay.calls.append(now)
            self._caller.call(relay.server)

    def _answered(self, now: float) -> None:
        """Take in what became of calls."""
        for server, answer in self._caller.answers():
            relay = self._relays.of(server)
            relay.calls.popleft()
            if isinstance(answer, Line):
                self._adopt(relay, answer, now)
            elif relay.open:
                relay.take_fewer(now)
            else:
                self._relays.hold(relay, answer)
                self._look_at = 0.0

    def _adopt(self, relay: Relay, line: Line, now: float) -> None:
        if line.heard or len(self._pipelines) >= self._connections:
            line.plug.close()
            if line.heard and not relay.open:
                self._relays.hold(relay, BROKEN)
            return
        pipeline = Pipeline(line, relay, self, self._on_begin)
        self._poll.add(pipeline.plug.fd)
        self._pipelines[pipeline.plug.fd] = pipeline
        relay.open += 1
        pipeline.deadline = now + relay.server.timeouts.command
        if not pipeline.begin_next():
            pipeline.deadline = now + pipeline.patience
            self.rest(pipeline)

    def _look(self, now: float) -> None:
        """Find what is late, and servers that are to be left alone."""
        self._look_at = now + LOOK_EVERY
        self._poll.refresh()
        self._relays.look()
        for relay in self._relays.all:
            if relay.is_dead(now):
                self._relays.hold(relay, NOBODY_HOME)
        for pipeline in list(self._pipelines.values()):
            late = now >= pipeline.deadline
            if pipeline.is_idle and (late or not pipeline.relay.up):
                self._goodbye([pipeline])
            elif late:
                pipeline.expire()
        if self._queue and not self._relays.any_up:
            self._dismiss(self._relays.fault)
        elif self._queue:
            self._drop_late(now)

    def _drop_late(self, now: float) -> None:
        self._take_out(lambda clearance: now >= clearance.begin_before, TOO_LATE if self._pipelines else NOBODY_HOME)

    def _take_out(self, chosen: Callable[[Clearance], bool], verdict: Verdict) -> None:
        """Those of the queue that are chosen will not begin."""
        ending = [parcel.clearance for parcel, _ in self._queue if chosen(parcel.clearance)]
        if ending:
            self._queue = deque(entry for entry in self._queue if not chosen(entry[0].clearance))
            for clearance in ending:
                self.settle(clearance, verdict.outcome(clearance.row))

    def _dismiss(self, verdict: Verdict) -> None:
        """Nothing that is queued will begin."""
        while self._queue:
            clearance = self._queue.popleft()[0].clearance
            self.settle(clearance, verdict.outcome(clearance.row))

    def _goodbye(self, pipelines: Sequence[Connection], wait: float = 0) -> None:
        """Say QUIT, and give the servers so many seconds to hear it."""
        for pipeline in pipelines:
            pipeline.quit()
        until = monotonic() + wait
        waiting = {each.plug.fd for each in pipelines}
        while waiting and monotonic() < until:
            waiting -= {fd for fd, _ in self._poll.wait(LOOK_EVERY)}
        for pipeline in pipelines:
            pipeline.close()
            self.gone(pipeline, None)
