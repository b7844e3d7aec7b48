"""Everything a use case may touch, passed by hand as `ctx`. It can neither send nor open an address."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from mailer.core.channel import Channels
from mailer.core.clock import Clock
from mailer.core.exits import ExitLine
from mailer.core.jobs import Job
from mailer.core.links import LinkSigner
from mailer.core.tokens import Tokens
from mailer.core.vault import Sealer
from mailer.settings import Fixed


@dataclass(frozen=True)
class Context:
    """One unit of work: a session, and the powers that are safe in every hand."""

    db: Session
    clock: Clock
    tokens: Tokens
    sealer: Sealer
    signer: LinkSigner
    channels: Channels
    fixed: Fixed
    host: str
    actor: str = "system"
    """Who acts, for the audit trail: `staff:3`, `operator`, `system`."""
    nudges: list[tuple[Job, tuple[int, ...]]] = field(default_factory=list)
    exit_lines: list[ExitLine] = field(default_factory=list)
    afterwards: list[Callable[[Session], None]] = field(default_factory=list)
    """Run after the commit and before the answer, each in a session of its own (leaving waits here)."""

    def nudge(self, job: Job, *args: int) -> None:
        """Ask for work after commit. The row is the truth; a lost nudge only means later."""
        self.nudges.append((job, args))
