"""A mail server on loopback that counts what it took at the final dot, and fails on demand.

In a test: `with SmtpServer() as server:`. On its own, for tests that kill processes:
`python -m tests.fakes.smtp_server --port 0 --out taken.tsv --fault 'rcpt:451 4.3.0 later*3+10'`. It prints its port,
and appends a line a message: monotonic nanoseconds at the dot, recipient, message id, bytes, and at MAIL FROM. With
`--fast` nothing goes wrong, and it takes thousands a second; `--delay` answers each dot so much later.
"""

import argparse
import asyncio
import ssl
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.fakes.certificates import presenting
from tests.fakes.smtp_behaviour import Behaviour, Delivery, Record, parse_fault
from tests.fakes.smtp_conversation import Conversation
from tests.fakes.smtp_counter import count


class SmtpServer:
    """Runs in a thread of its own from entering to leaving; `behaviour` may be changed meanwhile.

    With `keep=False` nothing is remembered but what `taken` is told.
    """

    def __init__(self, *faults: str, port: int = 0, certificate: Path | None = None, implicit_tls: bool = False,
                 taken: Callable[[Delivery], object] | None = None, **behaviour: object) -> None:
        self.behaviour = Behaviour(**behaviour)  # type: ignore[arg-type]  # the names are Behaviour's own
        self.behaviour.faults = [parse_fault(fault) for fault in faults]
        self.record = Record()
        self.port = port
        self._outer: ssl.SSLContext | None = None
        if certificate is not None:
            context = presenting(certificate)
            self._outer, self.behaviour.tls = (context, None) if implicit_tls else (None, context)
        self._taken = taken
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._done: asyncio.Event = asyncio.Event()
        self._clients: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="fake-smtp", daemon=True)
        self._trouble: OSError | None = None

    @property
    def url(self) -> str:
        return f"{'smtps' if self._outer else 'smtp'}://127.0.0.1:{self.port}"

    def wrong(self, *faults: str) -> None:
        """From now on these faults and no others."""
        self.behaviour.faults = [parse_fault(fault) for fault in faults]

    def hang_up(self) -> None:
        """Close every connection from our side, as a server does with idle clients."""
        self._loop.call_soon_threadsafe(self._cancel)

    def start(self) -> None:
        self._thread.start()
        self._ready.wait(10)
        if self._trouble is not None:
            raise self._trouble

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._done.set)
            self._thread.join(10)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
                 ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self.serve())
        finally:
            self._loop.close()

    async def serve(self) -> None:
        """Serve until `stop`."""
        try:
            server = await asyncio.start_server(self._client, "127.0.0.1", self.port, ssl=self._outer, backlog=256)
        except OSError as trouble:
            self._trouble = trouble
            self._ready.set()
            return
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._done.wait()
        server.close()
        await asyncio.sleep(0)
        while self._clients:
            self._cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)

    def _cancel(self) -> None:
        for client in self._clients:
            client.cancel()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            await Conversation(reader, writer, self.behaviour, self.record, self._note).run()
        except asyncio.CancelledError:
            # Streams log a cancelled client as an error; here it is how a server hangs up.
            return
        finally:
            self._clients.discard(task)

    def _note(self, delivery: Delivery) -> None:
        if self.behaviour.keep:
            self.record.deliveries.append(delivery)
        if self._taken is not None:
            self._taken(delivery)


def line_of(delivery: Delivery) -> bytes:
    """A delivery as the file has it."""
    fields = (delivery.at, delivery.recipient, delivery.message_id, delivery.size, delivery.mail_at)
    return "\t".join(map(str, fields)).encode("utf-8", "surrogateescape") + b"\n"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.smtp_server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fault", action="append", default=[], help="stage[@recipient]:what[*times][+skip]")
    parser.add_argument("--max-messages", type=int, default=0, help="close the connection after so many")
    parser.add_argument("--goodbye", default="", help="a reply said before that close, such as '421 4.7.0 enough'")
    parser.add_argument("--without", action="append", default=[], help="an extension not to offer")
    parser.add_argument("--size", type=int, default=0, help="the largest message, in octets")
    parser.add_argument("--user", default="", help="name:password")
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--smtps", action="store_true")
    parser.add_argument("--delay", type=float, default=0, help="seconds between a dot and its answer")
    parser.add_argument("--backwards", action="store_true", help="answer pipelined commands in the wrong order")
    parser.add_argument("--first-only", action="store_true", help="throw away all but the first pipelined command")
    parser.add_argument("--fast", action="store_true", help="only count, with no other option than --delay")
    return parser.parse_args()


def main() -> None:
    """Run until killed."""
    asked = _arguments()
    with asked.out.open("ab", buffering=0) as out:
        if asked.fast:
            asyncio.run(count(asked.port, out, asked.delay))
            return
        delays = [f"dot:delay={asked.delay}"] if asked.delay else []
        server = SmtpServer(
            *asked.fault, *delays, port=asked.port, certificate=asked.certificate, implicit_tls=asked.smtps,
            taken=lambda delivery: out.write(line_of(delivery)), keep=False,
            backwards=asked.backwards, first_only=asked.first_only,
            max_messages=asked.max_messages, goodbye=asked.goodbye,
            extensions=tuple(word for word in Behaviour.extensions if word not in asked.without),
            users=dict([asked.user.split(":", 1)]) if asked.user else {},
            **({"size": asked.size} if asked.size else {}),
        )
        server.start()
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
