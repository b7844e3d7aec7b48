"""One connection of the fake mail server: the protocol, and faults where they are asked for (RFC 5321)."""

import asyncio
import base64
import re
import ssl
import time
from collections.abc import Callable

from tests.fakes.smtp_behaviour import Behaviour, Delivery, Fault, Record

MESSAGE_ID = re.compile(rb"^message-id:\s*(.*?)\s*$", re.IGNORECASE | re.MULTILINE)
PATH = re.compile(r"<([^>]*)>(.*)", re.DOTALL)


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
        self._buffer = bytearray()
        self._unsaid: list[str] = []
        self._encrypted = writer.get_extra_info("ssl_object") is not None
        self._signed_in = False
        self._start_over()

    async def run(self) -> None:
        try:
            await self._answer("banner", "220 fake.invalid ESMTP")
            while True:
                await self._command(await self._line())
                if self._does.first_only:
                    self._buffer.clear()
        except (Hangup, ConnectionError, ssl.SSLError):
            return
        finally:
            self._record.open -= 1
            self._writer.close()

    def _start_over(self) -> None:
        self._sender: str | None = None
        self._mail_at = 0
        self._parameters = ""
        self._recipients: list[str] = []

    async def _line(self) -> str:
        while (end := self._buffer.find(b"\r\n")) < 0:
            await self._more()
        line = self._buffer[:end].decode("utf-8", "surrogateescape")
        del self._buffer[:end + 2]
        return line

    async def _more(self) -> None:
        while self._unsaid:
            self._writer.write(self._unsaid.pop().encode() + b"\r\n")
        chunk = await self._reader.read(1 << 16)
        if not chunk:
            raise Hangup
        self._buffer += chunk

    async def _say(self, reply: str) -> None:
        if self._does.backwards and self._sender is not None:
            self._unsaid.append(reply)
            return
        self._writer.write(reply.encode() + b"\r\n")
        await self._writer.drain()

    def _fault(self, stage: str, recipient: str = "") -> Fault | None:
        return next((fault for fault in self._does.faults if fault.strikes(stage, recipient)), None)

    async def _act(self, fault: Fault | None) -> str:
        """Let the fault happen; the reply that it puts in place of the usual one, if any."""
        if fault is None:
            return ""
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.flood:
            await self._flood(fault.flood)
        if fault.half:
            self._writer.write_eof()
        if fault.stall or fault.half:
            await self._reader.read(-1)
        if fault.reply.startswith("421"):
            await self._say(fault.reply)
        if fault.stall or fault.half or fault.close or fault.reply.startswith("421"):
            raise Hangup
        return fault.reply

    async def _flood(self, octets: int) -> None:
        line = b"250-" + b"all is well " * 60 + b"\r\n"
        for _ in range(octets // len(line) + 1):
            self._writer.write(line)
            await self._writer.drain()

    async def _answer(self, stage: str, reply: str, recipient: str = "") -> bool:
        """Answer as usual unless a fault does; whether it was as usual."""
        instead = await self._act(self._fault(stage, recipient))
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
            # What came in the clear before the handshake is thrown away (RFC 3207 section 6).
            self._buffer.clear()
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
        if self._does.keep:
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
        if not self._buffer:
            await self._more()
        await self._act(self._fault("body", self._recipients[0]))
        body = await self._until_dot()
        now = time.monotonic_ns()
        fault = self._fault("dot", self._recipients[0])
        if fault is None or not fault.reply:
            self._take(now, body)
        self._start_over()
        await self._say(await self._act(fault) or "250 2.0.0 taken")
        if self._does.max_messages and self._messages >= self._does.max_messages:
            if self._does.goodbye:
                await self._say(self._does.goodbye)
            raise Hangup

    async def _until_dot(self) -> bytes:
        searched = 0
        while not self._buffer.startswith(b".\r\n"):
            end = self._buffer.find(b"\r\n.\r\n", searched)
            if end >= 0:
                body = bytes(self._buffer[:end + 2])
                del self._buffer[:end + 5]
                return body[1 if body.startswith(b".") else 0:].replace(b"\r\n..", b"\r\n.")
            searched = max(len(self._buffer) - 4, 0)
            await self._more()
        del self._buffer[:3]
        return b""

    def _take(self, now: int, body: bytes) -> None:
        found = MESSAGE_ID.search(body, 0, max(body.find(b"\r\n\r\n"), 0) or len(body))
        self._messages += 1
        for recipient in self._recipients:
            self._taken(Delivery(
                at=now, mail_at=self._mail_at, sender=self._sender or "", recipient=recipient,
                message_id=found[1].decode("utf-8", "replace") if found else "-", size=len(body),
                connection=self._number, parameters=self._parameters, body=body if self._does.keep else None,
            ))

    async def _on_rset(self, _: str) -> None:
        self._start_over()
        await self._answer("rset", "250 2.0.0 ok")

    async def _on_noop(self, _: str) -> None:
        await self._say("250 2.0.0 ok")

    async def _on_quit(self, _: str) -> None:
        await self._say("221 2.0.0 bye")
        raise Hangup
