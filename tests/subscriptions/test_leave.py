"""Leaving, taking it back, and a stop for an address that somebody typed."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from mailer.audience.models import ContactPoint
from mailer.consent.models import LedgerEntry
from mailer.core.errors import InvalidAddress
from mailer.core.reasons import Reason
from mailer.subscriptions import stop_other, sweep, undo
from mailer.subscriptions.leave import leave
from mailer.subscriptions.models import DelayedStop, Goodbye
from mailer.suppression import registry
from tests.builders import AList, World
from tests.conftest import FixedClock

DANA = "dana@example.org"


@pytest.fixture
def news(world: World) -> AList:
    made = world.a_list()
    world.a_form(made)
    return made


@pytest.fixture
def other(world: World) -> AList:
    made = world.a_list("Other", ["Concerts"])
    world.a_form(made, "other")
    return made


@pytest.fixture
def dana(world: World, news: AList, other: AList) -> int:
    world.subscribed(DANA, list(news.topics.values()))
    return world.subscribed(DANA, [], "other")


def go(world: World, point_id: int, list_id: int | None = None) -> int:
    with world.unit() as ctx:
        return leave(ctx, ctx.db.get_one(ContactPoint, point_id), list_id=list_id, how="one_click").id


def back(world: World, goodbye_id: int, point_id: int) -> bool:
    with world.unit() as ctx:
        return undo.undo(ctx, goodbye_id, point_id).at is not None


def ledger_rows(world: World) -> int:
    with world.unit() as ctx:
        return ctx.db.scalar(select(func.count()).select_from(LedgerEntry)) or 0


def exits(world: World) -> list[dict[str, object]]:
    folder = world.services.settings.data_dir / "exits"
    return [json.loads(line) for file in folder.glob("*") for line in file.read_text().splitlines()]


def test_leaving_ends_every_consent_and_is_on_the_disk_before_the_answer(world: World, dana: int) -> None:
    """M17, T13; decision 19: the exits file holds it when the unit of work returns."""
    before = len(exits(world))
    go(world, dana)
    assert set(world.stands(DANA).values()) == {"ended"}
    assert world.stopped(DANA) == {(Reason.UNSUBSCRIBED, 0)}
    assert len(exits(world)) == before + 1
    assert "dana" not in str(exits(world))


def test_leaving_one_list_leaves_the_other_alone(world: World, news: AList, other: AList, dana: int) -> None:
    go(world, dana, news.id)
    states = world.stands(DANA)
    assert {states[topic, "own_offers"] for topic in news.topics.values()} == {"ended"}
    assert {states[topic, "own_offers"] for topic in other.topics.values()} == {"live"}
    assert world.stopped(DANA) == {(Reason.UNSUBSCRIBED, news.id)}


def test_leaving_twice_is_leaving_once(world: World, dana: int) -> None:
    """Standards 1.1.7: a second request adds no second event."""
    first = go(world, dana)
    rows, lines = ledger_rows(world), len(exits(world))
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: go(world, dana), range(4))) == {first}
    assert (ledger_rows(world), len(exits(world))) == (rows, lines)


def test_undo_grants_again_exactly_what_was_ended_each_as_a_new_row(
        world: World, news: AList, dana: int) -> None:
    go(world, dana, news.id)
    everything = go(world, dana)
    rows = ledger_rows(world)
    assert back(world, everything, dana)
    states = world.stands(DANA)
    assert [topic for (topic, _), state in states.items() if state == "live"] == [
        topic for topic, _ in states if topic not in news.topics.values()]
    assert ledger_rows(world) == rows + 1
    assert world.stopped(DANA) == {(Reason.UNSUBSCRIBED, news.id)}


def test_undoing_twice_is_undoing_once(world: World, dana: int) -> None:
    goodbye = go(world, dana)
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: back(world, goodbye, dana), range(4)))
    assert ledger_rows(world) == 12
    assert set(world.stands(DANA).values()) == {"live"}
    assert world.stopped(DANA) == set()


def test_undo_is_over_after_a_day_and_its_row_is_forgotten(world: World, dana: int, clock: FixedClock) -> None:
    goodbye = go(world, dana)
    clock.advance(hours=24)
    assert not back(world, goodbye, dana)
    with world.unit() as ctx:
        sweep.sweep(ctx)
        assert ctx.db.get(Goodbye, goodbye) is None
    assert not back(world, goodbye, dana)
    assert world.stopped(DANA) == {(Reason.UNSUBSCRIBED, 0)}


def test_undo_of_a_list_does_not_override_a_later_goodbye_to_everything(
        world: World, news: AList, dana: int) -> None:
    small = go(world, dana, news.id)
    go(world, dana)
    assert not back(world, small, dana)
    assert set(world.stands(DANA).values()) == {"ended"}


def test_another_persons_goodbye_cannot_be_undone(world: World, news: AList, dana: int) -> None:
    eve = world.subscribed("eve@example.org", list(news.topics.values()))
    assert not back(world, go(world, dana), eve)


def typed(world: World, address: str, network: str = "n1") -> stop_other.Stopped:
    with world.unit() as ctx:
        return stop_other.stop(ctx, "email", address, network=network)


def test_a_typed_stop_ends_a_known_consent_at_once_and_tells_the_address(world: World, dana: int) -> None:
    """T13, decision 22."""
    assert not typed(world, "DANA@Example.ORG").delayed
    assert set(world.stands(DANA).values()) == {"ended"}
    [letter] = world.letters("service_notice")
    assert letter.subject == f"contact_point:{dana}"
    assert letter.detail["undo_until"] == "16 March 2026"


def test_a_typed_stop_for_an_unknown_address_is_kept_and_mails_nobody(world: World, news: AList) -> None:
    typed(world, "nobody@example.org")
    assert world.stopped("nobody@example.org") == {(Reason.UNSUBSCRIBED, 0)}
    assert world.letters() == []


def test_only_the_address_that_was_typed_is_stopped(world: World, news: AList, dana: int) -> None:
    """T14: each address stands alone."""
    world.subscribed("dana@example.net", list(news.topics.values()))
    typed(world, DANA)
    assert set(world.stands("dana@example.net").values()) == {"live"}


def test_the_notice_can_be_undone_for_fourteen_days_and_comes_once_in_thirty(
        world: World, news: AList, dana: int, clock: FixedClock) -> None:
    def notices() -> int:
        return len(world.letters("service_notice"))

    def goodbye() -> int:
        with world.unit() as ctx:
            return ctx.db.scalar(select(func.max(Goodbye.id))) or 0

    typed(world, DANA)
    typed(world, DANA)
    assert notices() == 1
    clock.advance(days=13)
    assert back(world, goodbye(), dana)
    typed(world, DANA)
    assert notices() == 2, "an undo begins the thirty days anew"
    clock.advance(days=15)
    assert not back(world, goodbye(), dana)
    world.subscribed(DANA, list(news.topics.values()))
    typed(world, DANA)
    assert notices() == 2


@pytest.mark.parametrize("reason", [Reason.COMPLAINED, Reason.NEVER])
def test_no_notice_follows_a_complaint_or_a_never(world: World, dana: int, reason: Reason) -> None:
    with world.unit() as ctx:
        registry.suppress(ctx, channel="email", fingerprint=ctx.sealer.fingerprint("email", DANA), reason=reason)
    typed(world, DANA)
    assert world.letters("service_notice") == []


def test_the_sixth_stop_an_hour_waits_longer_each_time_and_is_never_refused(
        world: World, clock: FixedClock) -> None:
    """Section 3, 25: a prank is slowed, told and undoable; a genuine stop acts at once."""
    now = clock.now()
    waits = [(typed(world, f"a{n}@example.org").at - now).total_seconds() / 60 for n in range(17)]
    assert waits[:5] == [0] * 5
    assert waits[5:8] == [10, 20, 40]
    assert waits == sorted(waits)
    assert waits[-1] == 24 * 60
    assert not typed(world, "own@example.org", network="another").delayed
    clock.advance(hours=1)
    assert not typed(world, "later@example.org").delayed


def test_a_stop_that_waits_takes_effect_when_it_is_due(
        world: World, dana: int, clock: FixedClock) -> None:
    for n in range(5):
        typed(world, f"a{n}@example.org")
    assert typed(world, DANA).delayed
    assert set(world.stands(DANA).values()) == {"live"}
    clock.advance(minutes=10)
    with world.unit() as ctx:
        stop_other.apply_due(ctx)
        assert ctx.db.scalar(select(func.count()).select_from(DelayedStop)) == 0
    assert set(world.stands(DANA).values()) == {"ended"}
    assert len(world.letters("service_notice")) == 1


@pytest.mark.parametrize("raw", ["", "x", "a\nb@example.org", "a\x00@example.org", "x" * 5_000_000])
def test_what_is_no_address_is_said_to_be_none(world: World, raw: str) -> None:
    with pytest.raises(InvalidAddress):
        typed(world, raw)


@pytest.mark.parametrize(("seconds", "undone"), [(-1, True), (1, False)])
def test_fourteen_days_to_undo_end_to_the_second(
        world: World, dana: int, clock: FixedClock, seconds: int, undone: bool) -> None:
    """Decision 22, and T14: it is not lifted by itself afterwards either."""
    typed(world, DANA)
    with world.unit() as ctx:
        number = ctx.db.scalar(select(func.max(Goodbye.id))) or 0
    clock.advance(days=14, seconds=seconds)
    assert back(world, number, dana) is undone
    assert ((Reason.UNSUBSCRIBED, 0) in world.stopped(DANA)) is not undone
