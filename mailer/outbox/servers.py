"""Which mail servers are left alone for a while, for every process and host: they were down, or refused our password.

A server rests 5 seconds after a first refusal, twice as long after each further one, up to 300. A refused password
rests it for 300 seconds at once, since asking again can lock the account, and Admins are told. Each rest is up to a
fifth shorter or longer by chance, so that servers that failed together are not asked together.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Final

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from mailer.audit import trail
from mailer.audit.models import AuditEntry
from mailer.context import Context
from mailer.core.clock import Clock
from mailer.core.errors import NotFound

log = logging.getLogger(__name__)

FIRST_SECONDS: Final = 5
LONGEST_SECONDS: Final = 300

FORGET_SECONDS: Final = 600
"""After so many without a fault the rests start over, also where nobody said that a message was taken."""

LOOK_AGAIN = 1.0
"""Seconds for which the table is believed."""

REFUSED_PASSWORD: Final = frozenset({"auth", "530", "534", "535", "538"})
"""A server that offers no way to sign in, and the replies to a password that is wrong or not enough (RFC 4954)."""

SILENT: Final = ("connect", "lost", "held")
"""Why a lane rests that no server answered for."""

WORDS: Final = {
    "connect": "cannot be reached", "lost": "broke the connection", "421": "asked to be left alone for a while",
    "tls": "offers no encryption that can be trusted",
}

# Only the first report after a rest begins another one: many connections meet the same fault at once.
REPORT = text("""
    WITH before AS (
        SELECT split_part(code, ' ', 1) = ANY(:passwords) AS refused FROM server_hold
        WHERE server = :server AND until > clock_timestamp() - make_interval(secs => :forget))
    INSERT INTO server_hold AS h (server, until, since, step, code)
    VALUES (:server, clock_timestamp() + make_interval(secs => :seconds * (0.8 + 0.4 * random())), clock_timestamp(), 1,
            :code)
    ON CONFLICT (server) DO UPDATE SET
        step = CASE WHEN EXISTS (SELECT FROM before) THEN h.step + 1 ELSE 1 END, code = excluded.code,
        since = CASE WHEN EXISTS (SELECT FROM before) THEN h.since ELSE excluded.since END,
        until = clock_timestamp() + make_interval(
            secs => (0.8 + 0.4 * random()) * CASE WHEN :refused THEN :longest
                         WHEN NOT EXISTS (SELECT FROM before) THEN :first
                         ELSE least(:longest, :first * 2 ^ least(h.step, 10)) END)
    WHERE h.until <= clock_timestamp() OR (:refused AND split_part(h.code, ' ', 1) <> ALL(:passwords))
    RETURNING step, coalesce((SELECT refused FROM before), false)""")
CLEAR = text("DELETE FROM server_hold WHERE server = :server AND until <= clock_timestamp()")
FREE = text("DELETE FROM server_hold WHERE server = :server RETURNING code")
FREE_LANES = text("DELETE FROM lane_hold WHERE code = ANY(:codes)")
ROWS = text("SELECT server, until > clock_timestamp() FROM server_hold")
HOLDS = text("""
    SELECT server, since, code, ceil(extract(epoch FROM until - clock_timestamp()))::int FROM server_hold
    WHERE until > clock_timestamp() ORDER BY server""")


@dataclass(frozen=True)
class Hold:
    """A server that rests: since when it has been failing, the code of the last refusal, seconds until the next try."""

    server: str
    since: datetime
    code: str
    seconds: int

    @property
    def refused_password(self) -> bool:
        """Whether only a person can mend it."""
        return is_refused_password(self.code)

    @property
    def why(self) -> str:
        """What the server did, in words that follow its name."""
        if self.refused_password:
            return "refused our user name or password" + ("" if self.code == "auth" else f" ({self.code})")
        return WORDS.get(self.code.partition(" ")[0], f"answered {self.code}")


class Board:
    """Implements `ServerBoard` on the table; may be shared by threads. It never raises."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._rows: Mapping[str, bool] = {}
        self._held: frozenset[str] = frozenset()
        self._read_at = float("-inf")
        self._reading = threading.Lock()

    def held(self) -> frozenset[str]:
        """Names of the servers that rest at the moment."""
        if monotonic() - self._read_at > LOOK_AGAIN and self._reading.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._reading.release()
        return self._held

    def report(self, server: str, code: str) -> None:
        """This server could not be used; `code` is what became of it (`connect`, `tls`, `421`, `535 5.7.8`)."""
        refused = is_refused_password(code)
        try:
            with Session(self._engine) as session, session.begin():
                begun = session.execute(REPORT, {
                    "server": server, "code": code, "refused": refused, "longest": LONGEST_SECONDS,
                    "first": FIRST_SECONDS, "forget": FORGET_SECONDS,
                    "seconds": LONGEST_SECONDS if refused else FIRST_SECONDS,
                    "passwords": list(REFUSED_PASSWORD)}).one_or_none()
                if begun is not None and refused and not begun[1]:
                    session.add(AuditEntry(at=self._clock.now(), actor="system", act="mail_server_refused_password",
                                           about=f"server:{server}", detail={"code": code}))
        except SQLAlchemyError as error:
            log.warning("server_report_lost", extra={"server": server, "error": type(error).__name__})
            return
        if begun is not None:
            log.warning("server_held", extra={"server": server, "code": code, "step": begun[0]})
        self._read_at = float("-inf")

    def clear(self, server: str) -> None:
        """This server took a message: the next fault starts from the shortest rest. It costs nothing while none failed.

        A rest under way goes on: a connection opened earlier says nothing about a password refused since.
        """
        if self._rows.get(server, True):
            return
        self._rows = {name: held for name, held in self._rows.items() if name != server}
        try:
            with Session(self._engine) as session, session.begin():
                session.execute(CLEAR, {"server": server})
        except SQLAlchemyError as error:
            log.warning("server_clear_lost", extra={"server": server, "error": type(error).__name__})

    def _look(self) -> None:
        try:
            with Session(self._engine) as session:
                self._rows = {server: held for server, held in session.execute(ROWS)}
            self._held = frozenset(server for server, held in self._rows.items() if held)
        except SQLAlchemyError as error:
            log.warning("servers_unread", extra={"error": type(error).__name__})
        self._read_at = monotonic()


def is_refused_password(code: str) -> bool:
    """Whether a code says that signing in was refused for good."""
    return code.partition(" ")[0] in REFUSED_PASSWORD


def holds(ctx: Context) -> Sequence[Hold]:
    """The servers that rest now."""
    return [Hold(*row) for row in ctx.db.execute(HOLDS)]


def try_again(ctx: Context, server: str) -> None:
    """Let a server, and lanes that rest because of it, be tried at once, as when its password was put right.

    Raises: NotFound unless it rests.
    """
    if server not in {each.server for each in holds(ctx)}:
        raise NotFound(what="server")
    code = ctx.db.scalar(FREE, {"server": server})
    # Lanes may rest for what this server said, or because it did not answer.
    ctx.db.execute(FREE_LANES, {"codes": [code, *SILENT]})
    trail.record(ctx, "mail_server_tried_again", f"server:{server}")
