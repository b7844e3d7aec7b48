"""A mail server that is down or refuses our password is left alone, by everybody, and tried again."""

from collections.abc import Sequence

import pytest
from sqlalchemy import Row, create_engine, select, text

from mailer.audit.models import AuditEntry
from mailer.core.errors import NotFound
from mailer.outbox import servers
from mailer.outbox.servers import Board
from mailer.services import Services, unit_of_work


@pytest.fixture
def board(services: Services) -> Board:
    return Board(services.engine, services.clock)


def row(services: Services) -> Row[tuple[int, float]]:
    """The step and the seconds of the one rest that is noted."""
    with services.engine.begin() as connection:
        return connection.execute(text(
            "SELECT step, round(extract(epoch FROM until - clock_timestamp())) FROM server_hold")).one()


def let_it_pass(services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("UPDATE server_hold SET until = clock_timestamp() - interval '1 second'"))


def told(services: Services) -> Sequence[str]:
    with unit_of_work(services) as ctx:
        return ctx.db.scalars(select(AuditEntry.about).where(
            AuditEntry.act == "mail_server_refused_password")).all()


def test_a_server_that_is_down_rests_longer_each_time(services: Services, board: Board) -> None:
    """Decision 38: back-off is always on."""
    rests = []
    for _ in range(8):
        board.report("relay", "connect")
        board.report("relay", "421")
        rests.append(float(row(services)[1]))
        assert board.held() == {"relay"}
        let_it_pass(services)
    usual = [5, 10, 20, 40, 80, 160, 300, 300]
    assert all(0.8 * each - 1 <= rest <= 1.2 * each for rest, each in zip(rests, usual, strict=True))
    assert rests != usual, "each by chance a little shorter or longer"
    assert told(services) == []


def test_every_process_leaves_it_alone_and_the_others_are_used(services: Services, board: Board) -> None:
    board.report("relay", "connect")
    other = Board(services.engine, services.clock)
    assert other.held() == {"relay"}


def test_a_message_taken_starts_the_rests_over(services: Services, board: Board) -> None:
    board.report("relay", "connect")
    let_it_pass(services)
    board.report("relay", "connect")
    assert row(services)[0] == 2
    board.held()
    board.clear("relay")
    assert row(services)[0] == 2, "a rest under way goes on"
    let_it_pass(services)
    board = Board(services.engine, services.clock)
    assert board.held() == frozenset()
    board.clear("relay")
    board.report("relay", "connect")
    assert row(services)[0] == 1


@pytest.mark.parametrize("code", ["auth", "535 5.7.8", "534", "530 5.7.0"])
def test_a_refused_password_rests_longest_at_once_and_is_told_once(services: Services, board: Board, code: str
                                                                   ) -> None:
    """Bad input: a wrong SMTP password stops the lane, tells the Admin, and loses nothing."""
    board.report("relay", "421")
    board.report("relay", code)
    assert 239 <= row(services)[1] <= 360
    for _ in range(3):
        let_it_pass(services)
        board.report("relay", code)
    assert told(services) == ["server:relay"]
    with unit_of_work(services) as ctx:
        (hold,) = servers.holds(ctx)
    assert hold.refused_password and hold.code == code and 238 <= hold.seconds <= 360


def test_an_admin_can_have_it_tried_at_once(services: Services, board: Board) -> None:
    board.report("relay", "auth")
    with services.engine.begin() as connection:
        connection.execute(text("INSERT INTO lane_hold (lane, until, step, code) SELECT lane, clock_timestamp() + "
                                "interval '5 minutes', 3, code FROM (VALUES (1, 'auth'), (2, 'connect'), (3, '451')) "
                                "AS l (lane, code)"))
    with unit_of_work(services) as ctx:
        servers.try_again(ctx, "relay")
        assert ctx.db.scalars(text("SELECT lane FROM lane_hold")).all() == [3], "what a domain asked for goes on"
    assert Board(services.engine, services.clock).held() == frozenset()
    with unit_of_work(services) as ctx, pytest.raises(NotFound):
        servers.try_again(ctx, "relay")


def test_a_database_that_is_away_stops_nothing(services: Services) -> None:
    nowhere = create_engine("postgresql+psycopg://u@127.0.0.1:1/none")
    board = Board(nowhere, services.clock)
    board.report("relay", "auth")
    board.clear("relay")
    assert board.held() == frozenset()


def test_what_was_long_ago_is_forgotten(services: Services, board: Board) -> None:
    for _ in range(3):
        board.report("relay", "auth")
        let_it_pass(services)
    with services.engine.begin() as connection:
        connection.execute(text("UPDATE server_hold SET until = clock_timestamp() - interval '11 minutes'"))
    board.report("relay", "connect")
    assert row(services)[0] == 1 and 3 <= row(services)[1] <= 6
    let_it_pass(services)
    board.report("relay", "auth")
    assert told(services) == ["server:relay"] * 2
