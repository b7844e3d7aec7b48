"""What a channel must do. One folder under mailer/channels implements this once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, Protocol


class Address(Protocol):
    """An address we could send to, valid by construction."""

    @property
    def normalised(self) -> str:
        """The form to store and send to."""

    @property
    def identity(self) -> str:
        """The form that tells whether two are the same: key of fingerprint, suppression and limits."""

    @property
    def domain(self) -> str:
        """The group it is delivered with: for e-mail the A-label domain."""


@dataclass(frozen=True)
class Brand:
    """Who speaks: printed at the end of every message and page."""

    name: str
    postal_address: str
    help_email: str
    public_url: str
    notice_version: str


@dataclass(frozen=True)
class Mailbox:
    """A sender of the organisation's own."""

    name: str
    address: str


@dataclass(frozen=True)
class Copy:
    """What one content version says, with the frame it is said in."""

    subject: str
    preview_line: str
    markdown: str
    language: str
    brand: Brand
    sender: Mailbox
    list_name: str
    list_label: str
    one_click: bool = True
    subject_prefix: str = ""


class Links(NamedTuple):
    """The only links that differ from person to person (promise T19, no tracking)."""

    leave: str
    one_click: str
    preferences: str
    why: str


class Recipient(NamedTuple):
    """The holes of a message, filled for one person. It prints nothing of itself."""

    address: str
    text_only: bool
    fields: Mapping[str, str]
    links: Links
    message_id: str
    envelope_sender: str
    date: datetime

    def __repr__(self) -> str:
        return "Recipient()"


class Frame(NamedTuple):
    """What is the same in every message of a slice: a link is its base and a token, an identifier a token and a host.
    """

    date: datetime
    bases: Links
    host: str


class Batch(Protocol):
    """A program within its frame: one message is one join."""

    def build(self, address: str, text_only: bool, fields: Mapping[str, str], tokens: Sequence[bytes]) -> bytes:
        """The finished message, as `Program.build` gives it. Raises: MailerError when the address cannot be printed.

        `tokens` are those of Links in order, then the one of the Message-ID: of our own making, taken as they are.
        """


class Program(Protocol):
    """A content version compiled once; building one message is cheap."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The personal fields it names, such as `first name`; a clearance opens exactly these."""

    def build(self, recipient: Recipient) -> bytes:
        """The finished message, ready for the wire: no line begins with a dot, each ends with CR LF."""

    def batch(self, frame: Frame) -> Batch:
        """The program for the messages of one slice. Raises: MailerError when a base or host cannot be printed."""


@dataclass(frozen=True, repr=False)
class Letter:
    """A single message, said once: confirmation, notice, invitation, test."""

    sender: Mailbox
    to: str
    subject: str
    text: str
    html: str | None
    message_id: str
    date: datetime
    language: str = "en"
    headers: Sequence[tuple[str, str]] = ()


NO_FIELDS: Mapping[str, str] = MappingProxyType({})


class Clearance(NamedTuple):
    """Leave to send one message to one address, once, and soon. Only gate/decide.py makes these.

    `begin_before` is a reading of the monotonic clock in seconds: no hand-over may begin later (decision 7).
    """

    slice: int
    row: int
    attempt: int
    channel: str
    address: str
    begin_before: float
    text_only: bool = False
    fields: Mapping[str, str] = NO_FIELDS

    def __repr__(self) -> str:
        return f"Clearance(slice={self.slice}, row={self.row}, attempt={self.attempt})"


class Parcel(NamedTuple):
    """A cleared message, built and addressed. `sender` is the envelope sender (RFC 5321 reverse-path).

    `tidy` promises that every line of the body ends in CRLF and none begins with a dot, so that it can travel as it
    is, and that it is ASCII where both addresses are; without it the transport looks.
    """

    clearance: Clearance
    sender: str
    body: bytes
    campaign_id: int | None = None
    tidy: bool = False

    def __repr__(self) -> str:
        return f"Parcel({self.clearance!r}, {len(self.body)} octets)"


class Fate(StrEnum):
    """How one hand-over ended."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    UNBEGUN = "unbegun"


class Outcome(NamedTuple):
    """What the provider answered for one row; `code` is its code alone (`250`, `450 4.2.1`), never its words."""

    row: int
    fate: Fate
    code: str = ""
    operator: bool = False
    """Whether the fault is ours (credentials, policy block): the campaign is slowed, no person is blamed."""
    lane_down: bool = False
    """Whether this destination should be left alone for a while (421, connection refused, 4.7.x)."""


class Journal(Protocol):
    """Remembers, outside the database, which hand-overs had begun when a process died."""

    def begin(self, clearance: Clearance) -> None:
        """Written before the final dot goes out. Raises OSError when it cannot be kept: then nothing is sent."""

    def end(self, clearance: Clearance, outcome: Outcome) -> None:
        """Written after the reply."""


class Grade(StrEnum):
    """How much a finding of preflight weighs; only `MUST_FIX` holds a campaign back (decision 28)."""

    MUST_FIX = "must_fix"
    LOOK = "look"
    FINE = "fine"


@dataclass(frozen=True)
class Finding:
    """What one check of preflight found; `code` names the check, `field` the field of Copy it is about.

    `detail` is the author's own (a link, a field's name), `at` the character of `field` where it stands.
    """

    grade: Grade
    code: str
    field: str
    detail: str = ""
    at: int | None = None


@dataclass(frozen=True)
class Explanation:
    """What we make of an address: the fields that tools compare, and a sentence for a person."""

    fields: Mapping[str, object]
    sentence: str
    why: str = ""


EXAMPLE = "This is example text."
"""Stands in every starter text; preflight does not let it leave."""


class Channel(Protocol):
    """The half that every use case may hold: pure, cannot send."""

    slug: str

    def parse_address(self, raw: str) -> Address:
        """Raises: InvalidAddress."""

    def mask(self, normalised: str) -> str:
        """The address as staff see it in tables: d•••@example.org."""

    def compile(self, copy: Copy) -> Program: ...

    def compose(self, letter: Letter) -> bytes: ...

    def fields(self, *texts: str) -> tuple[str, ...]:
        """The personal fields that these texts name, each once."""

    def explain(self, raw: str) -> Explanation:
        """What we make of what someone typed; it never raises for a bad address."""

    def explain_reply(self, raw: str, stage: str) -> Explanation:
        """What we make of a provider's reply at a stage of the conversation. Raises: InvalidInput."""

    def say(self, markdown: str, *, title: str, language: str, brand: Brand) -> tuple[str, str]:
        """A letter's body in the channel's frame, as text and as HTML."""

    def literal(self, text: str) -> str:
        """A text made safe to stand inside the Markdown that `say` takes."""

    def preview_html(self, copy: Copy, recipient: Recipient) -> str:
        """What this (made-up) person sees; empty where they read text only."""

    def preview_text(self, copy: Copy, recipient: Recipient) -> str:
        """What this (made-up) person reads as text."""

    def size(self, copy: Copy) -> int:
        """Octets of the largest part, as it travels."""

    def check(self, copy: Copy) -> list[Finding]:
        """What preflight has to say about the content alone; each check yields at least one finding."""


Channels = Mapping[str, Channel]
