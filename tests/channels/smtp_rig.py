"""Handing over to a fake server with short patience."""

from contextlib import closing

from mailer.channels.email.signon import Timeouts
from mailer.channels.email.transport import open_transport
from mailer.channels.email.wire import SmtpWire
from mailer.core.channel import Fate, Outcome, Parcel
from tests.channels.smtp_world import MemoryJournal
from tests.channels.smtp_world import send as over
from tests.fakes.smtp_server import SmtpServer

SHORT = Timeouts(banner=0.3, command=0.3, data=0.3, block=0.3, dot=0.3, quit=0.3)


def send(wire: SmtpWire, sent: list[Parcel], journal: MemoryJournal | None = None) -> dict[int, Outcome]:
    journal = journal or MemoryJournal()
    outcomes = over(wire, sent, journal)
    assert not journal.twice
    return {outcome.row: outcome for outcome in outcomes}


def through(server: SmtpServer, sent: list[Parcel], journal: MemoryJournal | None = None, connections: int = 1
            ) -> dict[int, Outcome]:
    transport = open_transport(server.url, connections=connections, host_name="us.example", timeouts=SHORT)
    with closing(transport.wire()) as wire:
        return send(wire, sent, journal)


def facts(outcome: Outcome) -> tuple[Fate, str, bool, bool]:
    return outcome.fate, outcome.code, outcome.operator, outcome.lane_down
