"""Nobody after leaving: no hand-over begins after a goodbye was answered (M17, section 3 item 3, decision 7)."""

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import pytest
from sqlalchemy import text

from mailer.audience.models import ContactPoint
from mailer.campaigns import compose, launch, schedule
from mailer.channels.email.transport import open_transport
from mailer.consent import ledger
from mailer.consent.ledger import Evidence
from mailer.core.channel import Clearance
from mailer.core.modes import Mode
from mailer.core.reasons import Reason
from mailer.core.wire import Transport
from mailer.outbox import dispatch
from mailer.outbox.seat import Seat, Ways
from mailer.services import Services, unit_of_work
from mailer.subscriptions import seed
from mailer.subscriptions.leave import leave
from mailer.suppression import registry
from tests.chaos.mail_server import serving

WORKERS = 4
LEAVERS = 64
LEAVINGS = 1_000
PEOPLE = 20_000
Leaving = Callable[[Services, int], None]


class WatchedWay:
    """Opens real SMTP that notes, just before the write that holds MAIL FROM, when each hand-over begins."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.begun: dict[int, float] = {}

    def open(self, channel: str, mode: Mode) -> Transport:
        def note(clearance: Clearance) -> None:
            self.begun[clearance.row] = monotonic()

        return open_transport(self.url, connections=WORKERS, host_name="localhost", on_begin=note)


def leave_by_the_protocol(services: Services, point_id: int) -> None:
    """As one-click does it."""
    with unit_of_work(services) as ctx:
        leave(ctx, ctx.db.get_one(ContactPoint, point_id), how="one_click")


def leave_without_the_wait(services: Services, point_id: int) -> None:
    """The facts alone: what a naive product does."""
    with unit_of_work(services) as ctx:
        point = ctx.db.get_one(ContactPoint, point_id)
        ledger.end_all(ctx, point, evidence=Evidence(how="one_click"))
        registry.suppress(ctx, channel="email", fingerprint=point.fingerprint, reason=Reason.UNSUBSCRIBED)


@pytest.fixture
def live(services: Services) -> Services:
    """A campaign to many that is being sent."""
    return being_sent(services, PEOPLE)


def being_sent(services: Services, people: int) -> Services:
    """A Live instance on loopback with a campaign that is being sent to so many people."""
    settings = replace(services.settings, mode=Mode.LIVE, smtp_url="smtp://127.0.0.1:1",
                       public_url="http://localhost:8000", mail_from="news@example.org")
    ready = replace(services, settings=settings)
    with unit_of_work(ready) as ctx:
        for _ in seed.seed(ctx, people, "everybody"):
            continue
        listed = seed.ensure_list(ctx, "everybody")
        campaign = compose.create(ctx, list_id=listed.id, words=compose.Words("Leaving", "Words."))
        schedule.send(ctx, campaign.id, undo=False)
        number = campaign.id
    more = True
    while more:
        with unit_of_work(ready) as ctx:
            more = launch.step(ctx, number, settings.data_dir / "exits")
    return ready


def next_ones(services: Services) -> Sequence[int]:
    """People in the slices at work and the ones after."""
    with services.engine.connect() as connection:
        return list(connection.execute(text("""
            SELECT contact_point_id FROM message WHERE state IN ('ready', 'handed')
            ORDER BY block, contact_point_id LIMIT 600""")).scalars())


def begun_after_leaving(services: Services, tmp_path: Path, go: Leaving, leavings: int) -> tuple[int, int]:
    """How many leavings were answered, and how many hand-overs began after that."""
    answered: dict[int, float] = {}
    chance, taking, end = random.Random(7), threading.Lock(), threading.Event()

    def leaver() -> None:
        while not end.is_set():
            with taking:
                chosen = [each for each in next_ones(services) if each not in answered]
                if len(answered) >= leavings or not chosen:
                    return
                point_id = chance.choice(chosen)
                answered[point_id] = float("inf")
                delay = chance.uniform(0, 0.2)
            sleep(delay)
            go(services, point_id)
            answered[point_id] = monotonic()

    with serving(tmp_path / "taken.tsv", "dot:delay=0.004") as server:
        way = WatchedWay(server.url)
        ways = Ways(replace(services, transports=way))
        seats = [Seat(services, f"worker{number}", ways, end.is_set) for number in range(WORKERS)]
        with ThreadPoolExecutor(WORKERS + LEAVERS) as pool:
            work = [pool.submit(_send_all, seat, end) for seat in seats]
            for leaving in [pool.submit(leaver) for _ in range(LEAVERS)]:
                leaving.result()
            end.set()
            for each in work:
                each.result()
    late = sum(1 for point, at in answered.items() if way.begun.get(point, 0.0) > at)
    return len(answered), late


def _send_all(seat: Seat, end: threading.Event) -> None:
    while not end.is_set() and dispatch.take_turn(seat, 1).more:
        continue


@pytest.mark.chaos
@pytest.mark.timeout(240)
@pytest.mark.parametrize("leavings", [LEAVINGS // 4, pytest.param(LEAVINGS, marks=pytest.mark.soak)])
def test_no_hand_over_begins_after_a_goodbye_was_answered(leavings: int, live: Services, tmp_path: Path) -> None:
    """M17: 64 leave at a time against 4 workers, next to the working slices."""
    left, late = begun_after_leaving(live, tmp_path, leave_by_the_protocol, leavings)

    assert left == leavings
    assert late == 0


@pytest.mark.chaos
@pytest.mark.timeout(240)
def test_the_same_measure_finds_fault_when_the_wait_is_left_out(live: Services, tmp_path: Path) -> None:
    """What the test above measures can fail: without lock and wait, hand-overs do begin after the answer."""
    _, late = begun_after_leaving(live, tmp_path, leave_without_the_wait, LEAVINGS // 4)

    assert late > 0
