"""Fresh links: one use, 30 minutes, and a page that ends by itself."""

import pytest
from sqlalchemy import delete, event, func, select

from mailer.audience.models import ContactPoint, Person
from mailer.core.errors import BadToken
from mailer.core.modes import Mode
from mailer.organisation import profile
from mailer.subscriptions import fresh, links, sweep
from mailer.subscriptions.fresh import LinkOver
from mailer.subscriptions.models import FreshAccess, SingleUseLink
from tests.builders import World
from tests.conftest import FixedClock, RememberedJobs

DANA = "dana@example.org"


@pytest.fixture
def dana(world: World) -> int:
    news = world.a_list()
    world.a_form(news)
    return world.subscribed(DANA, list(news.topics.values()))


def asked(world: World, point_id: int) -> str | None:
    """Ask for a link; the token that was mailed, if one was."""
    before = len(world.letters("fresh_link"))
    with world.unit() as ctx:
        fresh.ask(ctx, ctx.db.get_one(ContactPoint, point_id))
    new = world.letters("fresh_link")[before:]
    return str(new[0].detail["link"]).rpartition("/")[2] if new else None


def pressed(world: World, point_id: int) -> str:
    raw = asked(world, point_id)
    assert raw
    with world.unit() as ctx:
        return fresh.press(ctx, raw)


def opens(world: World, token: str) -> bool:
    try:
        with world.unit() as ctx:
            return fresh.read(ctx, token).point.id > 0
    except BadToken:
        return False


def test_a_press_uses_the_link_up_and_opens_a_page_for_thirty_minutes(
        world: World, dana: int, clock: FixedClock) -> None:
    """Decision 23: a random token in the path, stored hashed, in exchange for a link that works once."""
    raw = asked(world, dana)
    assert raw
    with world.unit() as ctx:
        assert fresh.look(ctx, raw) is links.Outcome.OPEN
        token = fresh.press(ctx, raw)
    with world.unit() as ctx:
        access = fresh.read(ctx, token)
        assert (access.point.id, access.channel, access.whole) == (dana, "email", True)
        link = ctx.db.scalars(select(SingleUseLink).where(SingleUseLink.purpose == "fresh")).one()
        assert (link.outcome, link.contact_point_id) == ("used", None)
        assert ctx.db.scalars(select(FreshAccess)).one().hash != token.encode()
    with pytest.raises(LinkOver) as error, world.unit() as ctx:
        fresh.press(ctx, raw)
    assert error.value.outcome is links.Outcome.USED
    clock.advance(minutes=30)
    assert not opens(world, token)
    with world.unit() as ctx:
        sweep.sweep(ctx)
        assert ctx.db.scalar(select(func.count()).select_from(FreshAccess)) == 0


def test_a_link_that_waited_thirty_minutes_is_over(world: World, dana: int, clock: FixedClock) -> None:
    raw = asked(world, dana)
    assert raw
    clock.advance(minutes=30)
    with pytest.raises(LinkOver), world.unit() as ctx:
        fresh.press(ctx, raw)


def test_one_link_in_fifteen_minutes_and_five_a_day(world: World, dana: int, clock: FixedClock) -> None:
    """Decision 25."""
    got = []
    for _ in range(14):
        got.append(bool(asked(world, dana)))
        clock.advance(minutes=7, seconds=30)
    assert got == [True, False] * 5 + [False] * 4
    clock.advance(days=1)
    assert asked(world, dana)


def test_in_practice_nobody_opens_the_page_of_a_real_person(world: World, dana: int) -> None:
    """M23: the Outbox shows staff every link; it leads nowhere but to who practised."""
    with world.unit() as ctx:
        profile.ensure_row(ctx).mode = Mode.PRACTICE
    raw = asked(world, dana)
    assert raw
    with pytest.raises(LinkOver), world.unit() as ctx:
        fresh.press(ctx, raw)


def test_a_scanner_opens_nothing_and_a_link_to_somebody_erased_is_over(world: World, dana: int) -> None:
    raw = asked(world, dana)
    assert raw
    for _ in range(3):
        with world.unit() as ctx:
            assert fresh.look(ctx, raw) is links.Outcome.OPEN
    with world.unit() as ctx:
        ctx.db.execute(delete(Person))
    with pytest.raises(LinkOver), world.unit() as ctx:
        fresh.press(ctx, raw)


def test_a_token_with_one_character_changed_opens_nothing(world: World, dana: int) -> None:
    token = pressed(world, dana)
    for place in range(len(token)):
        changed = token[:place] + ("a" if token[place] != "a" else "b") + token[place + 1:]
        assert not opens(world, changed)


def test_done_ends_one_page_and_end_all_every_page_and_link(world: World, dana: int, clock: FixedClock) -> None:
    token = pressed(world, dana)
    with world.unit() as ctx:
        fresh.end(ctx, token)
        fresh.end(ctx, token)
    assert not opens(world, token)
    clock.advance(minutes=15)
    token = pressed(world, dana)
    clock.advance(minutes=15)
    raw = asked(world, dana)
    assert raw and opens(world, token)
    with world.unit() as ctx:
        fresh.end_all(ctx, [dana])
    assert not opens(world, token)
    with pytest.raises(LinkOver) as error, world.unit() as ctx:
        fresh.press(ctx, raw)
    assert error.value.outcome is links.Outcome.WITHDRAWN


def test_the_same_is_done_for_an_address_of_ours_and_for_a_strangers(
        world: World, dana: int, jobs: RememberedJobs) -> None:
    """M19, decision 25: equal work, and the mail is queued after the answer."""
    seen = []
    for typed in ("stranger@example.org", DANA, DANA):
        asked_of_the_database: list[str] = []

        def note(*args: object, into: list[str] = asked_of_the_database) -> None:
            into.append(str(args[2]))

        jobs.sent.clear()
        event.listen(world.services.engine, "before_cursor_execute", note)
        with world.unit() as ctx:
            fresh.ask_for(ctx, "email", typed)
        event.remove(world.services.engine, "before_cursor_execute", note)
        seen.append((len(asked_of_the_database), {job for job, _ in jobs.sent}))
    counts = [count for count, _ in seen]
    assert max(counts) - min(counts) <= 2, counts
    assert all(nudged == seen[0][1] and nudged for _, nudged in seen)
    assert len(world.letters("fresh_link")) == 1
