"""Every power of the product, and the unit of work that lends the safe ones to a use case."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from mailer.context import Context
from mailer.core.channel import Channels
from mailer.core.clock import Clock
from mailer.core.exits import ExitsLog
from mailer.core.jobs import Jobs
from mailer.core.lanes import Pace
from mailer.core.links import LinkSigner
from mailer.core.mail_signing import MailSigners
from mailer.core.modes import Mode
from mailer.core.tokens import Tokens
from mailer.core.vault import Opener, Sealer
from mailer.core.wire import Transport
from mailer.settings import Fixed, Settings


class Transports(Protocol):
    """Opens the way out that a channel and mode call for; each caller keeps and closes its own."""

    def open(self, channel: str, mode: Mode) -> Transport: ...


@dataclass(frozen=True, repr=False)
class Services:
    """Built once a process by wiring.build. Only entry points and outbox.dispatch hold it."""

    settings: Settings
    engine: Engine
    clock: Clock
    tokens: Tokens
    sealer: Sealer
    opener: Opener
    signer: LinkSigner
    channels: Channels
    transports: Transports
    jobs: Jobs
    exits_log: ExitsLog
    pace: Pace
    mail_signers: MailSigners


@contextmanager
def unit_of_work(services: Services, *, actor: str = "system") -> Iterator[Context]:
    """One transaction: commit, then the exits file, then what must be waited for, then nudges to workers.

    Nothing is written or nudged when the block raises. Raises OSError when the exits file cannot be kept.
    """
    with Session(services.engine, expire_on_commit=False) as session:
        ctx = Context(
            db=session, clock=services.clock, tokens=services.tokens, sealer=services.sealer.pinned(),
            signer=services.signer, channels=services.channels, fixed=Fixed.of(services.settings),
            host=services.exits_log.host, actor=actor)
        with session.begin():
            yield ctx
    if ctx.exit_lines:
        services.exits_log.append(ctx.exit_lines)
    for wait in ctx.afterwards:
        with Session(services.engine) as session:
            wait(session)
    for job, args in ctx.nudges:
        services.jobs.send(job, *args)
