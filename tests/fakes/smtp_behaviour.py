"""How the fake mail server behaves, and what it saw."""

import re
import ssl
from collections import Counter
from dataclasses import dataclass, field

FAULT = re.compile(r"(?P<stage>\w+)(@(?P<recipient>[^:]+))?:(?P<what>.+?)(\*(?P<times>\d+))?(\+(?P<skip>\d+))?"
                   r"(/(?P<every>\d+))?")
STAGES = ("banner", "ehlo", "helo", "starttls", "auth", "mail", "rcpt", "data", "body", "dot", "rset")
LARGEST = 64 * 1024 * 1024


@dataclass
class Fault:
    """What goes wrong at a stage: a reply, `close`, `stall`, `half` (we say no more but still listen), a `flood` of so
    many octets of reply, or a delay in seconds before the usual answer.

    It spares the first `skip` chances, takes each `every`th of the others and happens `times` times (for ever when
    None), only to `recipient` if named; `*@example.org` names everybody there.
    """

    stage: str
    reply: str = ""
    close: bool = False
    stall: bool = False
    half: bool = False
    flood: int = 0
    delay: float = 0
    times: int | None = None
    skip: int = 0
    every: int = 1
    recipient: str = ""
    chances: int = 0

    def strikes(self, stage: str, recipient: str) -> bool:
        if stage != self.stage or self.times == 0 or not self._concerns(recipient):
            return False
        self.chances += 1
        if self.chances <= self.skip or (self.chances - self.skip) % self.every:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def _concerns(self, recipient: str) -> bool:
        if self.recipient.startswith("*"):
            return recipient.endswith(self.recipient[1:])
        return self.recipient in ("", recipient)


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
    backwards: bool = False
    """Answer what came in one piece in the wrong order."""
    first_only: bool = False
    """Read the first command of each piece and throw the others away."""
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
    """`stage[@recipient]:what[*times][+skip][/every]`.

    What is `close`, `stall`, `half`, `flood=OCTETS`, `delay=SECONDS` or a reply.
    """
    found = FAULT.fullmatch(text)
    if found is None or found["stage"] not in STAGES:
        raise ValueError(text)
    what = found["what"]
    return Fault(
        stage=found["stage"], recipient=found["recipient"] or "", close=what == "close", stall=what == "stall",
        half=what == "half", flood=int(what.removeprefix("flood=")) if what.startswith("flood=") else 0,
        delay=float(what.removeprefix("delay=")) if what.startswith("delay=") else 0,
        reply=what if what[0].isdigit() else "", skip=int(found["skip"] or 0),
        every=int(found["every"] or 1), times=int(found["times"]) if found["times"] else None,
    )
