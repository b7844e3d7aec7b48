"""One connection of the fake mail server: the protocol, and faults where they are asked for (RFC 5321)."""

import asyncio
import base64
import re
import ssl
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

MESSAGE_ID = re.compile(rb"^message-id:\s*(.*?)\s*$", re.IGNORECASE | re.MULTILINE)
PATH = re.compile(r"<([^>]*)>(.*)", re.DOTALL)
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


class Hangup(Exception):
    """The connection ends now."""


class Conversation:
    """Talks to one client until either has had enough."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, behaviour: Behaviour,
                 record: Record, taken: Callable[[Delivery], None]) -> None:
        self._reader, self._writer = reader, writer
        self._does, self._record, self._taken = behaviour, record, taken
        record.connections += 1
        record.open += 1
        record.most_open = max(record.most_open, record.open)
        self._number = record.connections
        self._messages = 0
        self._encrypted = writer.get_extra_info("ssl_object") is not None
        self._signed_in = False
        self._start_over()

    async def run(self) -> None:
        try:
            await self._answer("banner", "220 fake.invalid ESMTP")
            while True:
                await self._command(await self._line())
        except (Hangup, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ssl.SSLError):
            return
        finally:
            self._record.open -= 1
            # Without linger a fault that closes is a reset or an orderly end, as the kernel decides; both occur.
            self._writer.close()

    def _start_over(self) -> None:
        self._sender: str | None = None
        self._mail_at = 0
        self._parameters = ""
        self._recipients: list[str] = []

    async def _line(self) -> str:
        return (await self._reader.readuntil(b"\r\n"))[:-2].decode("utf-8", "surrogateescape")

    async def _say(self, reply: str) -> None:
        self._writer.write(reply.encode() + b"\r\n")
        await self._writer.drain()

    async def _trouble(self, stage: str, recipient: str = "") -> str:
        """The reply that a fault puts in place of the usual one, if any."""
        fault = next((fault for fault in self._does.faults if fault.strikes(stage, recipient)), None)
        if fault is None:
            return ""
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.stall:
            await self._reader.read(-1)
            raise Hangup
        if fault.reply.startswith("421"):
            await self._say(fault.reply)
            raise Hangup
        if fault.close:
            raise Hangup
        return fault.reply

    async def _answer(self, stage: str, reply: str, recipient: str = "") -> bool:
        """Answer as usual unless a fault does; whether it was as usual."""
        instead = await self._trouble(stage, recipient)
        await self._say(instead or reply)
        return not instead

    async def _command(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        verb = verb.upper()
        self._record.commands[verb] += 1
        handler = getattr(self, f"_on_{verb.lower()}", None)
        if handler is None:
            await self._say("502 5.5.2 what?")
        else:
            await handler(rest)

    async def _on_ehlo(self, host: str) -> None:
        if not self._does.ehlo:
            await self._say("502 5.5.1 not here")
            return
        self._record.greetings.append(host)
        offers = list(self._does.extensions)
        if self._does.size is not None:
            offers.append(f"SIZE {self._does.size}")
        if self._does.tls and not self._encrypted:
            offers.append("STARTTLS")
        if self._does.users:
            offers.append(f"AUTH {self._does.mechanisms}")
        lines = ["fake.invalid", *offers]
        reply = "\r\n".join(f"250{' ' if line is lines[-1] else '-'}{line}" for line in lines)
        await self._answer("ehlo", reply)
        self._start_over()

    async def _on_helo(self, host: str) -> None:
        self._record.greetings.append(host)
        await self._answer("helo", "250 fake.invalid")

    async def _on_starttls(self, _: str) -> None:
        if self._does.tls is None:
            await self._say("502 5.5.1 no")
        elif await self._answer("starttls", "220 2.0.0 go"):
            await self._writer.start_tls(self._does.tls)
            self._encrypted = True
            self._start_over()

    async def _on_auth(self, rest: str) -> None:
        mechanism, _, first = rest.partition(" ")
        if mechanism.upper() == "PLAIN":
            user, _, password = self._decoded(first).lstrip("\0").partition("\0")
        else:
            user = self._decoded(first)
            await self._say("334 UGFzc3dvcmQ6")
            password = self._decoded(await self._line())
        self._record.logins.append(user)
        self._signed_in = self._does.users.get(user) == password
        right = "235 2.7.0 welcome" if self._signed_in else "535 5.7.8 Authentication credentials invalid"
        self._signed_in = await self._answer("auth", right) and self._signed_in

    @staticmethod
    def _decoded(text: str) -> str:
        return base64.b64decode(text).decode()

    async def _on_mail(self, rest: str) -> None:
        now = time.monotonic_ns()
        path = PATH.search(rest)
        sender = path[1] if path else ""
        self._record.mails.append((now, sender))
        if self._does.users and not self._signed_in:
            await self._say("530 5.7.0 Authentication required")
        elif await self._answer("mail", "250 2.1.0 ok"):
            self._start_over()
            self._sender, self._mail_at, self._parameters = sender, now, path[2].strip() if path else ""

    async def _on_rcpt(self, rest: str) -> None:
        path = PATH.search(rest)
        recipient = path[1] if path else ""
        if self._sender is None:
            await self._say("503 5.5.1 MAIL first")
        elif await self._answer("rcpt", "250 2.1.5 ok", recipient):
            self._recipients.append(recipient)

    async def _on_data(self, _: str) -> None:
        if not self._recipients:
            await self._say("554 5.5.1 no valid recipients")
        elif await self._answer("data", "354 go ahead"):
            await self._content()

    async def _content(self) -> None:
        if any(fault.stage == "body" for fault in self._does.faults):
            await self._reader.readexactly(1)
            await self._trouble("body", self._recipients[0])
            body = b"?" + await self._until_dot()
        else:
            body = await self._until_dot()
        delivery = self._delivery(body)
        fault = self._refusal_after_dot(delivery.recipient)
        if not fault:
            for recipient in self._recipients:
                self._taken(replace(delivery, recipient=recipient))
            self._messages += 1
        self._start_over()
        await self._answer("dot", "250 2.0.0 taken", delivery.recipient)
        if self._does.max_messages and self._messages >= self._does.max_messages:
            if self._does.goodbye:
                await self._say(self._does.goodbye)
            raise Hangup

    async def _until_dot(self) -> bytes:
        first = await self._reader.readuntil(b"\r\n")
        if first == b".\r\n":
            return b""
        body = first + (b"" if first == b".\r\n" else await self._rest_after(first))
        return body

    async def _rest_after(self, first: bytes) -> bytes:
        raise NotImplementedError
