"""Limits, mail servers that rest, and campaigns that pause themselves, with the product's own roads."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic

import pytest
import redis
from sqlalchemy import select

from mailer.audit.models import AuditEntry
from mailer.campaigns import control
from mailer.core.messages import CampaignState
from mailer.outbox import dispatch, lanes, servers
from mailer.outbox.lanes import Wish
from mailer.outbox.pace import RedisPace
from mailer.outbox.seat import Seat, Ways
from mailer.outbox.send_singles import send_singles
from mailer.services import Services
from mailer.wiring import ModeTransports
from tests.builders import World
from tests.fakes.smtp_server import SmtpServer
from tests.flows.world import Sending

PEOPLE = 120
MORE_THAN_IS_QUEUED = 1_500
SECONDS = 4.0


class Limited(Sending):
    """The world with the product's own way out, limits and server board."""

    def __init__(self, services: Services, server: SmtpServer, redis_url: str, smtp_url: str = "") -> None:
        super().__init__(services, server)
        settings = replace(self.services.settings, smtp_url=smtp_url or server.url)
        pace = RedisPace(services.engine, redis.Redis.from_url(redis_url), services.clock, services.sealer.bucket)
        self.services = replace(self.services, settings=settings, pace=pace, transports=ModeTransports(
            settings, services.engine, services.clock, services.sealer, pace))
        self.ways = Ways(self.services)

    def limit(self, scope: str, name: str, **wish: float) -> None:
        with self.unit() as ctx:
            lanes.set_limit(ctx, lanes.place(ctx, scope, name), Wish(**wish))  # type: ignore[arg-type] # Whole numbers.

    def for_seconds(self, number: int, seconds: float) -> None:
        """What a worker does for so long, a new turn beginning whenever one ends."""
        ends = monotonic() + seconds
        self.sign_of_life("worker1")
        seat = Seat(self.services, "worker1", self.ways, lambda: monotonic() > ends)
        try:
            while monotonic() < ends and dispatch.take_turn(seat, number).more:
                continue
        finally:
            seat.close()


@pytest.fixture
def world(services: Services, server: SmtpServer, redis_url: str) -> Iterator[Limited]:
    made = Limited(services, server, redis_url)
    made.people(PEOPLE)
    yield made
    made.close()


@contextmanager
def sending_through(services: Services, server: SmtpServer, redis_url: str, url: str) -> Iterator[Limited]:
    made = Limited(services, server, redis_url, url)
    made.people(PEOPLE)
    yield made
    made.close()


@pytest.mark.parametrize("scope, name", [("server", "127.0.0.1"), ("sender", "News@Example.org")])
def test_a_limit_is_kept_and_reached(world: Limited, server: SmtpServer, scope: str, name: str) -> None:
    """Decision 38; a turn with a limit goes on as leave comes in."""
    world.limit(scope, name, per_second=10, burst=10)
    number = world.launched()
    world.for_seconds(number, SECONDS)
    taken = len(server.record.deliveries)
    assert 10 + 10 * (SECONDS - 2) <= taken <= 10 + 10 * (SECONDS + 1)
    assert world.tick(number).waiting == PEOPLE - taken


def test_a_confirmation_overtakes_a_campaign_that_used_up_its_servers_leave(
        world: Limited, server: SmtpServer) -> None:
    """Decision 36. What can not go now is not claimed, decided and put back over and over either."""
    world.limit("server", "127.0.0.1", per_second=0.001, burst=2)
    number = world.launched()
    world.for_seconds(number, 1)
    assert len(server.record.deliveries) == 1
    house = World(world.services)
    listed = house.a_list()
    house.a_form(listed)
    house.asked("first.ordinary@example.org", [listed.topics["Events"]])
    world.singles()
    assert world.taken["first.ordinary@example.org"] == 1
    house.asked("second.ordinary@example.org", [listed.topics["Events"]])
    with world.seat() as seat:
        assert not any(send_singles(seat) for _ in range(5))
    assert world.sql("SELECT state, attempt FROM single_message ORDER BY id") == [("accepted", 1), ("ready", 0)]


def test_a_limited_domain_waits_and_the_others_do_not(world: Limited, server: SmtpServer) -> None:
    """Engine guarantee 5."""
    world.limit("domain", "example.com", per_second=0.01, burst=7)
    number = world.launched()
    world.for_seconds(number, SECONDS)
    taken = [each.recipient.rpartition("@")[2] for each in server.record.deliveries]
    assert taken.count("example.com") == 7
    assert world.tick(number).waiting == sum(
        world.address(point).endswith("@example.com") for point in world.rows(number)) - 7


def test_a_wrong_password_stops_sending_tells_the_admin_and_loses_nothing(
        services: Services, redis_url: str) -> None:
    with SmtpServer(users={"news": "right"}) as server:
        url = server.url.replace("//", "//news:wrong@")
        with sending_through(services, server, redis_url, url) as world:
            number = world.launched()
            world.for_seconds(number, 1.5)
            assert world.tick(number).waiting == PEOPLE and not server.record.deliveries
            with world.unit() as ctx:
                (hold,) = servers.holds(ctx)
                assert hold.refused_password and 230 < hold.seconds <= 360
                told = select(AuditEntry.about).where(AuditEntry.act == "mail_server_refused_password")
                assert ctx.db.scalars(told).all() == ["server:127.0.0.1"]
                servers.try_again(ctx, "127.0.0.1")
            server.behaviour.users["news"] = "wrong"
            world.hurry()
            seen = world.turns_to_the_end(number)
            assert (seen.accepted, seen.state) == (PEOPLE, CampaignState.SENT)
            assert set(world.taken.values()) == {1}


def test_while_one_server_rests_the_other_sends_everything(services: Services, redis_url: str) -> None:
    with SmtpServer(users={"news": "right"}) as closed, SmtpServer() as server:
        url = f"{closed.url.replace('//', '//news:wrong@')}?name=a&weight=9 {server.url}?name=b"
        with sending_through(services, server, redis_url, url) as world:
            seen = world.turns_to_the_end(world.launched())
            assert (seen.accepted, seen.state) == (PEOPLE, CampaignState.SENT)
            with world.unit() as ctx:
                assert [hold.server for hold in servers.holds(ctx)] == ["a"]


def test_a_campaign_whose_messages_all_fail_pauses_itself_and_goes_on_when_resumed(
        world: Limited, server: SmtpServer) -> None:
    """Decision 31. What was queued when the twentieth failed may still have gone: that is less than this many."""
    world.people(MORE_THAN_IS_QUEUED)
    everybody = PEOPLE + MORE_THAN_IS_QUEUED
    number = world.launched()
    server.wrong("rcpt:550 5.1.1 nobody")
    with world.seat() as seat:
        rest = dispatch.take_turn(seat, number)
        assert rest.pause == "failures_in_a_row"
        with world.unit() as ctx:
            control.pause_by_itself(ctx, number, rest.pause)
        seen = world.tick(number)
        assert seen.state is CampaignState.PAUSED and 20 <= seen.failed < everybody
        assert not dispatch.take_turn(seat, number).more
        server.wrong()
        world.control("resume", number)
        dispatch.take_turn(seat, number)
    after = world.tick(number)
    assert (after.state, after.failed, after.accepted) == (
        CampaignState.SENT, seen.failed, everybody - seen.failed)
