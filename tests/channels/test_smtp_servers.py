"""Several mail servers: shares by weight, others step in for one that is down, nothing is lost meanwhile."""

import select
import socket
import ssl
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

import pytest

from mailer.channels.email.calling import Caller
from mailer.channels.email.signon import NOBODY_THERE, Server, Timeouts
from mailer.channels.email.transport import open_transport
from mailer.core.channel import Fate
from mailer.core.errors import BadSettings
from mailer.core.lanes import Bucket, OwnBoard
from tests.channels.smtp_world import MemoryJournal, a_parcel, parcels, send
from tests.fakes.smtp_server import SmtpServer

SHORT = Timeouts(banner=2, command=2, data=2, block=2, dot=2, quit=0.3)


@dataclass(frozen=True)
class Way:
    name: str
    url: str
    weight: int = 1


class Board(OwnBoard):
    """What one process remembers, and what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, str]] = []
        self.cleared: list[str] = []

    def report(self, server: str, code: str) -> None:
        self.told.append((server, code))
        super().report(server, code)

    def clear(self, server: str) -> None:
        self.cleared.append(server)
        super().clear(server)


@dataclass
class Tap:
    """Implements `Pace`: so many for each server, and no more."""

    left: dict[str, int]
    given_back: Counter[str] = field(default_factory=Counter)

    def grant(self, buckets: Sequence[Bucket], wanted: int, *, urgent: bool = False) -> int:
        [bucket] = buckets
        assert bucket.scope == "server"
        given = min(wanted, self.left[bucket.name])
        self.left[bucket.name] -= given
        return given

    def restore(self, buckets: Sequence[Bucket], unused: int) -> None:
        self.given_back[buckets[0].name] += unused

    def limited_lanes(self) -> Sequence[int]:
        return ()


@pytest.fixture
def two() -> Iterator[tuple[SmtpServer, SmtpServer]]:
    with ExitStack() as stack:
        yield stack.enter_context(SmtpServer()), stack.enter_context(SmtpServer())


def ways(*servers: SmtpServer, weights: Sequence[int] = (1, 1)) -> list[Way]:
    return [Way(f"relay{number}", server.url, weight)
            for number, (server, weight) in enumerate(zip(servers, weights, strict=True), 1)]


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        return int(nobody.getsockname()[1])


def test_servers_take_shares_by_their_weights(two: tuple[SmtpServer, SmtpServer]) -> None:
    transport = open_transport(ways(*two, weights=(3, 1)), connections=8, host_name="us.example", timeouts=SHORT)
    with closing(transport.wire()) as wire:
        outcomes = send(wire, parcels(800))

    assert {outcome.fate for outcome in outcomes} == {Fate.ACCEPTED}
    first, second = (len(server.record.deliveries) for server in two)
    assert first + second == 800
    assert 1.2 < first / second < 6
    assert two[0].record.most_open == 6
    assert two[1].record.most_open == 2


def test_where_one_is_down_the_other_takes_everything(two: tuple[SmtpServer, SmtpServer]) -> None:
    board = Board()
    transport = open_transport([Way("down", f"smtp://127.0.0.1:{closed_port()}", 100), *ways(*two[:1], weights=(1,))],
                               connections=4, host_name="us.example", board=board, timeouts=SHORT)
    with closing(transport.wire()) as wire:
        outcomes = send(wire, parcels(50))
        assert wire.room(20) == 20

    assert {outcome.fate for outcome in outcomes} == {Fate.ACCEPTED}
    assert board.told == [("down", "connect")]
    assert board.held() == {"down"}
    assert "relay1" in board.cleared


def test_a_server_that_never_answers_holds_up_nobody(two: tuple[SmtpServer, SmtpServer]) -> None:
    two[0].wrong("banner:stall")
    transport = open_transport(ways(*two, weights=(100, 1)), connections=2, host_name="us.example", timeouts=SHORT)
    with closing(transport.wire()) as wire:
        outcomes = send(wire, [a_parcel(1)], seconds=1.5)

    assert outcomes[0].fate is Fate.ACCEPTED


def test_a_wrong_password_stops_that_server_tells_and_loses_nothing(two: tuple[SmtpServer, SmtpServer]) -> None:
    two[0].behaviour.users = {"news": "right"}
    url = two[0].url.replace("smtp://", "smtp://news:wrong@")
    board, journal = Board(), MemoryJournal()
    transport = open_transport([Way("relay", url)], connections=4, host_name="us.example", board=board, timeouts=SHORT)
    with closing(transport.wire()) as wire:
        outcomes = send(wire, parcels(30), journal)
        assert wire.room(10) == 0
        again = send(wire, parcels(30), journal)

    assert {(each.fate, each.code, each.operator, each.lane_down) for each in outcomes + again} == {
        (Fate.UNBEGUN, "535 5.7.8", True, True)}
    assert two[0].record.logins == ["news"]
    assert board.told == [("relay", "535 5.7.8")]
    assert not journal.begun


def test_what_another_process_held_is_not_called(two: tuple[SmtpServer, SmtpServer]) -> None:
    board = OwnBoard()
    board.report("relay1", "connect")
    transport = open_transport(ways(*two), connections=4, host_name="us.example", board=board, timeouts=SHORT)
    with closing(transport.wire()) as wire:
        assert {outcome.fate for outcome in send(wire, parcels(20))} == {Fate.ACCEPTED}
        board.report("relay2", "connect")
        wire.turn(0.1)
        wire.turn(0.1)
        assert {(each.fate, each.code, each.lane_down) for each in send(wire, parcels(3))} == {
            (Fate.UNBEGUN, "held", True)}

    assert two[0].record.connections == 0
    assert len(two[1].record.deliveries) == 20


def test_what_a_dying_server_had_not_heard_of_goes_to_the_other(two: tuple[SmtpServer, SmtpServer]) -> None:
    two[0].wrong("mail:close+10")
    transport = open_transport(ways(*two), connections=2, host_name="us.example", timeouts=SHORT)
    journal = MemoryJournal()
    with closing(transport.wire()) as wire:
        outcomes = send(wire, parcels(100), journal)

    fates = Counter(outcome.fate for outcome in outcomes)
    assert fates[Fate.ACCEPTED] >= 96
    assert set(fates) <= {Fate.ACCEPTED, Fate.UNBEGUN}
    assert not journal.twice
    assert len(two[0].record.deliveries) + len(two[1].record.deliveries) == fates[Fate.ACCEPTED]


def test_room_is_what_the_servers_limits_leave_and_unused_leave_is_given_back(two: tuple[SmtpServer, SmtpServer]
                                                                              ) -> None:
    tap = Tap({"relay1": 5, "relay2": 7})
    transport = open_transport(ways(*two), connections=4, host_name="us.example", pace=tap, timeouts=SHORT)
    wire = transport.wire()
    assert wire.room(100) == 12
    assert wire.room(100) == 12
    assert {outcome.fate for outcome in send(wire, parcels(10))} == {Fate.ACCEPTED}
    assert wire.room(100) == 2
    wire.close()

    assert len(two[0].record.deliveries) <= 5
    assert len(two[1].record.deliveries) <= 7
    assert sum(tap.given_back.values()) == 2


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example"])
def test_whoever_calls_a_server_gets_an_answer_also_where_its_name_cannot_be_asked_for(host: str) -> None:
    """Otherwise the wire would wait for one that never comes."""
    server = Server("smtp", host, 25, "", "", "us.example", ssl.create_default_context(), SHORT)
    caller = Caller()
    caller.call(server)
    assert select.select([caller], [], [], 10)[0]
    assert caller.answers() == [(server, NOBODY_THERE)]
    caller.close()


def test_a_held_server_rests_longer_each_time_until_it_took_a_message() -> None:
    board = OwnBoard()
    assert board.held() == frozenset()
    board.report("a", "connect")
    board.report("a", "connect")
    assert board.held() == {"a"}
    board.clear("a")
    assert board.held() == frozenset()


def test_no_server_at_all_is_a_fault_of_the_settings() -> None:
    with pytest.raises(BadSettings):
        open_transport([], connections=1, host_name="us.example")
