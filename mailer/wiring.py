"""Picks the real parts: the only place that does."""

import select
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InvalidatePoolError

from mailer import keyfile, tables
from mailer.channels import registry
from mailer.core.channel import Channels
from mailer.core.clock import Clock, SystemClock
from mailer.core.errors import CannotSend
from mailer.core.host_names import is_host_name
from mailer.core.jobs import Jobs
from mailer.core.lanes import Pace
from mailer.core.links import LinkSigner
from mailer.core.mail_signing import MailSigners
from mailer.core.modes import Mode
from mailer.core.tokens import SystemTokens, Tokens
from mailer.core.vault import Opener, Sealer, VaultOpener
from mailer.core.wire import Transport
from mailer.exits.file import ExitsFile
from mailer.organisation.dkim_signers import StoredSigners
from mailer.outbox.pace import RedisPace
from mailer.outbox.servers import Board
from mailer.practice.transport import PracticeTransport, TrialTransport
from mailer.services import Services
from mailer.settings import Settings

TABLES = tables.metadata
"""Every table is known to whoever builds the real parts: foreign keys name each other's tables."""

QUEUE_URL = "redis://127.0.0.1:6379/0"
"""Where Redis listens unless the settings say otherwise."""

CLOCK_IS_READ_EVERY = 0.5
"""Seconds between two looks at the shift that `mailer clock` stores."""


def load_channels(names: Sequence[str]) -> Channels:
    """The pure halves of the channels named. Raises: UnknownChannel."""
    return registry.load(tuple(names))


def open_engine(settings: Settings) -> Engine:
    """One pool of connections; every connection tells the server who it is and gives up after a lock of a minute."""
    url = settings.database_url
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            url = "postgresql+psycopg://" + url.removeprefix(scheme)
    engine = create_engine(url, pool_size=4, max_overflow=20, hide_parameters=True,
                           connect_args={"application_name": "mailer", "options": "-c lock_timeout=60s"})
    event.listen(engine, "checkout", _look_whether_it_ended)
    return engine


def _look_whether_it_ended(connection: psycopg.Connection[Any], _record: object, _proxy: object) -> None:
    """A server that went away has ended the line, which shows without a question for every transaction.

    Whatever lies there unasked, the question is put after all.
    """
    try:
        line = select.poll()
        line.register(connection.fileno(), select.POLLIN)
        if line.poll(0):
            with connection.cursor() as cursor:
                cursor.execute("")
            connection.rollback()
    except psycopg.Error as error:
        raise InvalidatePoolError() from error


def build(settings: Settings, engine: Engine, jobs: Jobs, *, clock: Clock | None = None,
          tokens: Tokens | None = None) -> Services:
    """Every power, from settings. Raises: KeyProblem, BadSettings."""
    tokens = tokens or SystemTokens()
    clock = clock or InstanceClock(engine)
    keys = keyfile.watch(settings.key_file, tokens)
    sealer, opener = Sealer(keys, tokens), VaultOpener(keys)
    pace = open_pace(settings, engine, clock, sealer)
    return Services(
        settings=settings, engine=engine, clock=clock, tokens=tokens, sealer=sealer, opener=opener,
        signer=LinkSigner(keys), channels=load_channels(settings.channels),
        transports=ModeTransports(settings, engine, clock, sealer, pace), jobs=jobs,
        exits_log=ExitsFile(exits_folder(settings), host_name(settings, tokens)),
        pace=pace,
        mail_signers=open_mail_signers(engine, clock, opener))


def open_pace(settings: Settings, engine: Engine, clock: Clock, sealer: Sealer) -> Pace:
    """The limits' buckets; a Redis that is away is waited for a second, since whoever asks also serves connections."""
    client = redis.Redis.from_url(settings.redis_url or QUEUE_URL, socket_timeout=1, socket_connect_timeout=1,
                                  retry=Retry(NoBackoff(), 0))
    return RedisPace(engine, client, clock, sealer.bucket)


def open_mail_signers(engine: Engine, clock: Clock, opener: Opener) -> MailSigners:
    """Who signs mail, by the keys in the database."""
    return StoredSigners(
        engine, opener, sign_with=lambda keys: registry.sign_mail("email", keys, clock),
        domain_of=lambda address: load_channels(("email",))["email"].parse_address(address).domain)


def exits_folder(settings: Settings) -> Path:
    """Where the exits files lie: beside the database, never in it."""
    return settings.data_dir / "exits"


def host_name(settings: Settings, tokens: Tokens) -> str:
    """The random name of this data folder among the hosts of one installation, made on first use."""
    path = settings.data_dir / "host"
    if not path.exists():
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"host.{tokens.random_bytes(6).hex()}")
        draft.write_text(tokens.random_bytes(8).hex())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


class InstanceClock:
    """The machine's clock, shifted by what `mailer clock` stored where the instance runs with `--clock`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._base = SystemClock()
        self._shift: timedelta | None = None
        self._read_at = float("-inf")

    def now(self) -> datetime:
        shift = self._shift
        if shift is None or monotonic() - self._read_at > CLOCK_IS_READ_EVERY:
            # The shift comes first: another thread that asks meanwhile must not take an unread one for none.
            self._shift = shift = self._stored_shift()
            self._read_at = monotonic()
        return self._base.now() + shift

    def _stored_shift(self) -> timedelta:
        try:
            with self._engine.connect() as connection:
                seconds = connection.scalar(text("SELECT clock_shift_seconds FROM instance"))
        except DBAPIError:
            if self._shift is None:
                raise
            return self._shift
        return timedelta(seconds=seconds or 0)


def announced_name(public_url: str) -> str:
    """What we call ourselves to a mail server: PUBLIC_URL's host, else this machine's full name.

    `localhost` where that is no domain name (RFC 5321 section 4.1.1.1).
    """
    host = urlsplit(public_url).hostname or socket.getfqdn()
    return host if is_host_name(host) else "localhost"


class ModeTransports:
    """The way out that a mode allows: Practice keeps everything, Trial all but the team's, Live sends."""

    def __init__(self, settings: Settings, engine: Engine, clock: Clock, sealer: Sealer, pace: Pace) -> None:
        self._settings = settings
        self._pace = pace
        self._engine = engine
        self._clock = clock
        self._sealer = sealer

    def open(self, channel: str, mode: Mode) -> Transport:
        """Raises: CannotSend when no mail server is set and the mode needs one."""
        practice = PracticeTransport(self._engine, self._clock, self._sealer, channel)
        if mode is Mode.PRACTICE:
            return practice
        if not self._settings.smtp_url:
            raise CannotSend(lacks="SMTP_URL")
        real = registry.open_transport(channel, self._settings.smtp_servers, pace=self._pace,
                                       host_name=announced_name(self._settings.public_url),
                                       connections=self._settings.smtp_connections,
                                       board=Board(self._engine, self._clock))
        return TrialTransport(real, practice, self._engine, self._clock, self._sealer) if mode is Mode.TRIAL else real
