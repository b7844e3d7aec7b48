"""Hands messages to the organisation's mail server over kept connections."""

import contextlib
import math
import queue
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import unquote, urlsplit

from mailer.channels.email.replies import Action, Verdict
from mailer.channels.email.signon import NoSession, Server, Timeouts
from mailer.channels.email.smtp import Session, open_session
from mailer.core.channel import Clearance, Fate, Journal, Outcome, Parcel
from mailer.core.errors import BadSettings

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}

STRIKES = 2
"""So many connections broken in a row, each by the message it was opened for, leave the rest for later."""

LONGEST_WAIT = 3600.0
UNBEGUN = Verdict(Action.RETRY, Fate.UNBEGUN)
NOBODY_HOME = Verdict(Action.RETRY, Fate.UNBEGUN, "connect", lane_down=True)
NOTHING_LEFT = Verdict(Action.RETRY, Fate.UNBEGUN)


def open_transport(url: str, *, connections: int, host_name: str, timeouts: Timeouts | None = None,
                   tls: ssl.SSLContext | None = None, on_begin: Callable[[Clearance], None] | None = None
                   ) -> "SmtpTransport":
    """A transport for `smtp://`, `smtp+starttls://` or `smtps://`, with user and password percent-encoded.

    `connections` is the most that are open at once; `host_name` is what EHLO says; `tls` says which certificates
    are trusted (the machine's, when left out); `on_begin` is called just before each write that holds MAIL FROM.
    Nothing is connected until the first message. Raises: BadSettings.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise BadSettings(setting="SMTP_URL", why="a port is a number up to 65535") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise BadSettings(setting="SMTP_URL", why="smtp://, smtp+starttls:// or smtps:// and a host")
    server = Server(
        scheme=parts.scheme, host=parts.hostname, port=port or PORTS[parts.scheme],
        user=unquote(parts.username or ""), password=unquote(parts.password or ""), host_name=host_name,
        tls=tls or ssl.create_default_context(), timeouts=timeouts or Timeouts(),
    )
    return SmtpTransport(server, connections, on_begin or _nothing)


def _nothing(clearance: Clearance) -> None:
    """The hook when nobody watches."""


class SmtpTransport:
    """Implements `Transport`; may be shared by threads. Each connection is served by one thread at a time.

    `journal`, `stopping` and `on_begin` are called from those threads, several at once.
    """

    def __init__(self, server: Server, connections: int, on_begin: Callable[[Clearance], None]) -> None:
        self._server = server
        self._connections = connections
        self._on_begin = on_begin
        self._crews = ThreadPoolExecutor(connections, thread_name_prefix="smtp")
        self._idle: deque[Session] = deque()
        self._open = 0
        self._counting = threading.Lock()
        self._first = threading.Lock()

    def deliver(self, parcels: Sequence[Parcel], *, journal: Journal, stopping: Callable[[], bool]
                ) -> Iterator[Outcome]:
        """Hand over each parcel at most once and yield one outcome for each, in any order."""
        if not parcels:
            return
        load = _Load(parcels, journal, stopping, crews=min(self._connections, len(parcels)))
        crews = [self._crews.submit(self._work, load) for _ in range(load.crews)]
        try:
            for _ in parcels:
                yield load.next_outcome(crews, nobody_home=lambda: self._open == 0)
        finally:
            load.abandon()

    def close(self) -> None:
        """Say goodbye to the provider, once no `deliver` runs."""
        self._crews.shutdown()
        while self._idle:
            session = self._idle.pop()
            session.quit()
            self._discard()

    def _work(self, load: "_Load") -> None:
        """Serve one connection until nothing is left to hand over."""
        session: Session | None = None
        strikes = 0
        try:
            while strikes < STRIKES and load.waiting:
                session = session or self._borrow(load)
                parcel = load.take()
                if parcel is None:
                    break
                outcome = session.hand_over(parcel, load.journal, self._on_begin)
                if session.broken:
                    strikes += outcome is not None
                    self._discard()
                    session = None
                else:
                    strikes = 0
                load.settle(parcel, outcome, gives_up=strikes == STRIKES)
            if session is not None:
                session.kept = True
                self._idle.append(session)
                session = None
        except NoSession as refusal:
            load.fault = refusal.verdict
        finally:
            if session is not None:
                session.drop()
                self._discard()
            load.leave()

    def _borrow(self, load: "_Load") -> Session:
        """A kept connection or a new one. Raises: NoSession.

        While none is open one thread tries for all, so that a wrong password is offered once a slice.
        """
        with contextlib.suppress(IndexError):
            return self._idle.pop()
        if self._open:
            return self._opened()
        with self._first:
            if load.fault is not None and not self._open:
                raise NoSession(load.fault)
            if not load.waiting:
                raise NoSession(NOTHING_LEFT)
            try:
                return self._opened()
            except NoSession as refusal:
                load.fault = refusal.verdict
                raise

    def _opened(self) -> Session:
        session = open_session(self._server)
        with self._counting:
            self._open += 1
        return session

    def _discard(self) -> None:
        with self._counting:
            self._open -= 1


class _Load:
    """The parcels of one `deliver`, shared by the threads that hand them over."""

    def __init__(self, parcels: Sequence[Parcel], journal: Journal, stopping: Callable[[], bool], crews: int) -> None:
        self.journal = journal
        self.crews = crews
        self.fault: Verdict | None = None
        self._stopping = stopping
        self._left = deque(parcels)
        self._in_hand = 0
        self._abandoned = False
        self._until = max(parcel.clearance.begin_before for parcel in parcels)
        self._lock = threading.Lock()
        self._outcomes: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()

    @property
    def waiting(self) -> bool:
        return bool(self._left)

    def take(self) -> Parcel | None:
        """The next parcel to hand over; none when all are taken or work is to stop."""
        if self._stopping():
            self._leave_behind(UNBEGUN)
        with self._lock:
            if not self._left:
                return None
            self._in_hand += 1
            return self._left.popleft()

    def settle(self, parcel: Parcel, outcome: Outcome | None, *, gives_up: bool) -> None:
        """Say how a parcel ended; without an outcome it goes back to be taken again."""
        if outcome is not None and gives_up:
            self.fault = Verdict(Action.RETRY, Fate.DEFERRED, outcome.code, outcome.operator, lane_down=True)
        with self._lock:
            self._in_hand -= 1
            if outcome is None and not self._abandoned:
                self._left.appendleft(parcel)
                return
        self._outcomes.put(outcome or UNBEGUN.outcome(parcel.clearance.row))

    def leave(self) -> None:
        """A thread has done what it could; the last one says so to `next_outcome`."""
        with self._lock:
            self.crews -= 1
            last = not self.crews
        if last:
            self._outcomes.put(None)

    def next_outcome(self, crews: Sequence[Future[None]], nobody_home: Callable[[], bool]) -> Outcome:
        """Waits for it; what has not begun when the last clearance ends is not waited for."""
        while True:
            try:
                outcome = self._outcomes.get(timeout=min(max(self._until - time.monotonic(), 0), LONGEST_WAIT))
            except queue.Empty:
                if time.monotonic() >= self._until:
                    self._until = math.inf
                    self._leave_behind(NOBODY_HOME if nobody_home() else UNBEGUN)
                continue
            if outcome is not None:
                return outcome
            for crew in crews:
                crew.result()
            self._leave_behind(self.fault or UNBEGUN)

    def abandon(self) -> None:
        """Forget what has not begun and wait for what has: its journal entries are written by then."""
        with self._lock:
            self._abandoned = True
            self._left.clear()
        while self._in_hand and self.crews:
            self._outcomes.get()

    def _leave_behind(self, verdict: Verdict) -> None:
        with self._lock:
            left, self._left = self._left, deque()
        for parcel in left:
            self._outcomes.put(verdict.outcome(parcel.clearance.row))
