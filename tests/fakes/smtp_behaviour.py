"""How the fake mail server behaves, and what it saw."""

import re
import ssl
from collections import Counter
from dataclasses import dataclass, field

FAULT = re.compile(r"(?P<stage>\w+)(@(?P<recipient>[^:]+))?:(?P<what>.+?)(\*(?P<times>\d+))?(\+(?P<skip>\d+))?")
STAGES = ("banner", "ehlo", "helo", "starttls", "auth", "mail", "rcpt", "data", "body", "dot", "rset")
LARGEST = 64 * 1024 * 1024


@dataclass
class Fault:
    """What goes wrong at a stage: a reply, `close`, `stall` or a delay in seconds before the usual answer.

    It spares the first `skip` chances and happens `times` times (for ever when None), only to `recipient` if named.
    """

    stage: str
    reply: str = ""
    close: bool = False
    stall: bool = False
    delay: float = 0
    times: int | None = None
    skip: int = 0
    recipient: str = ""

    def strikes(self, stage: str, recipient: str) -> bool:
        if stage != self.stage or self.recipient not in ("", recipient) or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(frozen=True)
class Delivery:
    """A message the server has taken: stamped when its final dot was read (monotonic nanoseconds)."""

    at: int
    mail_at: int
    sender: str
    recipient: str
    message_id: str
    size: int
    connection: int
    parameters: str = ""
    body: bytes | None = None


@dataclass
class Behaviour:
    """What the server offers and how it misbehaves; may be changed while it runs."""

    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
    size: int | None = LARGEST
    ehlo: bool = True
    tls: ssl.SSLContext | None = None
    users: dict[str, str] = field(default_factory=dict)
    mechanisms: str = "PLAIN LOGIN"
    max_messages: int = 0
    goodbye: str = ""
    keep: bool = True
    faults: list[Fault] = field(default_factory=list)


@dataclass
class Record:
    """What the server saw."""

    deliveries: list[Delivery] = field(default_factory=list)
    mails: list[tuple[int, str]] = field(default_factory=list)
    """Each MAIL FROM with the monotonic nanosecond it was read."""
    greetings: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    commands: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    open: int = 0
    most_open: int = 0

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """How often each (recipient, message id) was taken."""
        return Counter((delivery.recipient, delivery.message_id) for delivery in self.deliveries)


def parse_fault(text: str) -> Fault:
    """`stage[@recipient]:what[*times][+skip]`; what is `close`, `stall`, `delay=SECONDS` or a reply."""
    found = FAULT.fullmatch(text)
    if found is None or found["stage"] not in STAGES:
        raise ValueError(text)
    what = found["what"]
    return Fault(
        stage=found["stage"], recipient=found["recipient"] or "", close=what == "close", stall=what == "stall",
        delay=float(what.removeprefix("delay=")) if what.startswith("delay=") else 0,
        reply=what if what[0].isdigit() else "", skip=int(found["skip"] or 0),
        times=int(found["times"]) if found["times"] else None,
    )
