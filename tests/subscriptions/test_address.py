"""A new address counts when its mailbox says so; no opt-out is shed on the way, and nobody is doubled."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from mailer.audience.models import ContactPoint, FieldSource
from mailer.core.errors import BadToken, InvalidInput
from mailer.core.links import Link
from mailer.core.modes import Mode
from mailer.core.reasons import Reason
from mailer.organisation import profile
from mailer.subscriptions import address, claims, fresh, sweep
from mailer.subscriptions.address import Undo
from mailer.subscriptions.links import Outcome
from mailer.subscriptions.models import AddressChange
from tests.builders import AList, World
from tests.conftest import FixedClock
from tests.subscriptions.moving import DANA, NEW, ask, changed, confirm, stop, undo, undo_token


@pytest.fixture
def news(world: World) -> AList:
    made = world.a_list()
    world.a_form(made, partner_offers=True)
    return made


@pytest.fixture
def dana(world: World, news: AList) -> int:
    return world.subscribed(DANA, [news.topics["New releases"], news.topics["Sheet music"]], first_name="Dana")


def count(world: World, model: type) -> int:
    with world.unit() as ctx:
        return ctx.db.scalar(select(func.count()).select_from(model)) or 0


def test_nothing_changes_before_the_new_mailbox_confirmed(world: World, dana: int, clock: FixedClock) -> None:
    """M11."""
    token = ask(world, dana)
    assert token and world.point(DANA) and world.point(NEW) is None
    clock.advance(days=7)
    assert confirm(world, token).outcome is Outcome.EXPIRED
    with world.unit() as ctx:
        sweep.sweep(ctx)
    assert world.point(DANA) and count(world, AddressChange) == 0


def test_the_point_stays_the_same_and_knows_where_its_address_came_from(world: World, dana: int) -> None:
    """M11, M28; links in earlier messages go on working."""
    old_link = world.link(Link.LEAVE, dana).rpartition("/")[2]
    assert changed(world, dana).outcome is Outcome.OPEN
    point = world.point(NEW)
    assert point and point.id == dana and world.point(DANA) is None
    with world.unit() as ctx:
        row = ctx.db.get_one(FieldSource, (point.person_id, "email"))
        assert row.source == "preferences"
        way = claims.read(ctx, old_link, Link.LEAVE)
        assert way.point and way.point.fingerprint == point.fingerprint
    assert set(world.stands(NEW).values()) == {"live"}


def test_the_newest_wish_replaces_an_earlier_one(world: World, dana: int) -> None:
    first = ask(world, dana, "first@example.org")
    second = ask(world, dana, "second@example.org")
    assert confirm(world, first).outcome is Outcome.WITHDRAWN
    assert confirm(world, second).outcome is Outcome.OPEN
    assert confirm(world, second).outcome is Outcome.USED
    assert world.point("second@example.org") and world.point("first@example.org") is None


def test_the_address_we_have_is_no_new_one(world: World, dana: int) -> None:
    with pytest.raises(InvalidInput):
        ask(world, dana, "Dana@Example.org")


def test_whoever_did_not_ask_says_so_and_is_left_alone_for_thirty_days(world: World, dana: int) -> None:
    token = ask(world, dana)
    with world.unit() as ctx:
        address.not_me(ctx, token)
    assert world.stopped(NEW) == {("not_me", 0)}
    assert confirm(world, token).outcome is Outcome.WITHDRAWN and world.point(DANA)


@pytest.mark.parametrize("reason", [Reason.NEVER, Reason.COMPLAINED, Reason.CHILD, Reason.LAW])
def test_a_stop_that_lets_no_confirmation_through_bars_the_press_too(
        world: World, dana: int, reason: Reason) -> None:
    token = ask(world, dana)
    stop(world, NEW, reason)
    assert confirm(world, token).barred
    assert world.point(DANA) and world.point(NEW) is None


def test_an_opt_out_at_the_new_address_is_not_lifted_and_ends_what_it_covers(world: World, dana: int) -> None:
    """Decision 2: nothing but the person's own tick brings it back."""
    stop(world, NEW, Reason.UNSUBSCRIBED)
    changed(world, dana)
    assert world.stopped(NEW) == {("unsubscribed", 0)}
    assert set(world.stands(NEW).values()) == {"ended"}


def test_an_opt_out_at_the_old_address_goes_along(world: World, news: AList, dana: int) -> None:
    stop(world, DANA, Reason.STAFF_STOP, news.id)
    stop(world, DANA, Reason.BOUNCED)
    changed(world, dana)
    assert world.stopped(NEW) == {("staff_stop", news.id)}
    assert set(world.stands(NEW).values()) == {"ended"}


def test_a_mailbox_that_was_only_lent_may_confirm_for_itself(world: World, dana: int) -> None:
    """T5: until the friend confirms, and then no longer."""
    stop(world, NEW, Reason.FRIEND_ONLY)
    token = ask(world, dana)
    assert world.point(NEW) is None and world.stopped(NEW) == {("friend_only", 0)}
    confirm(world, token)
    assert world.stopped(NEW) == set() and set(world.stands(NEW).values()) == {"live"}


def test_the_old_mailbox_can_undo_for_seven_days_and_once(world: World, dana: int, clock: FixedClock) -> None:
    """M11."""
    changed(world, dana)
    token = undo_token(world)
    clock.advance(days=6)
    assert undo(world, token).undone_at == clock.now()
    assert world.point(DANA) and world.point(NEW) is None
    clock.advance(hours=1)
    assert undo(world, token).undone_at == clock.now() - timedelta(hours=1)
    clock.advance(days=1)
    with world.unit() as ctx:
        assert address.look_undo(ctx, token) == Undo()


def test_an_undo_after_seven_days_and_a_second_changes_nothing(world: World, dana: int, clock: FixedClock) -> None:
    changed(world, dana)
    token = undo_token(world)
    clock.advance(days=7, seconds=1)
    assert undo(world, token) == Undo() and world.point(NEW)
    with world.unit() as ctx:
        sweep.sweep(ctx)
    assert undo(world, token) == Undo() and count(world, AddressChange) == 0
    with pytest.raises(BadToken):
        undo(world, token[:-1] + ("a" if token[-1] != "a" else "b"))


def test_an_undo_ends_later_changes_and_open_pages(world: World, dana: int, clock: FixedClock) -> None:
    """Whoever took the address away holds nothing afterwards."""
    changed(world, dana)
    first = undo_token(world)
    clock.advance(hours=1)
    changed(world, dana, "third@example.org")
    second = undo_token(world)
    waiting = ask(world, dana, "fourth@example.org")
    with world.unit() as ctx:
        fresh.ask(ctx, ctx.db.get_one(ContactPoint, dana))
    raw = str(world.letters("fresh_link")[-1].detail["link"]).rpartition("/")[2]
    with world.unit() as ctx:
        page = fresh.press(ctx, raw)
    assert undo(world, first).undone_at and world.point(DANA)
    assert undo(world, second) == Undo()
    assert confirm(world, waiting).outcome is Outcome.WITHDRAWN
    with pytest.raises(BadToken), world.unit() as ctx:
        fresh.read(ctx, page)


def test_an_address_that_was_lent_meanwhile_is_not_gone_back_to(world: World, dana: int) -> None:
    """T5: the undo of an old address is no way in."""
    changed(world, dana)
    stop(world, DANA, Reason.FRIEND_ONLY)
    assert undo(world, undo_token(world)).barred
    assert world.point(DANA) is None and world.stopped(DANA) == {("friend_only", 0)}


def test_a_link_from_practice_changes_nothing_in_live(world: World, dana: int) -> None:
    with world.unit() as ctx:
        profile.ensure_row(ctx).mode = Mode.PRACTICE
    token = ask(world, dana)
    with world.unit() as ctx:
        profile.ensure_row(ctx).mode = Mode.LIVE
    assert confirm(world, token).outcome is Outcome.WITHDRAWN and world.point(DANA)


def test_nobody_learns_whether_a_new_address_is_known(world: World, news: AList, dana: int) -> None:
    """M19: the same happens for a stranger's address and for a subscriber's."""
    world.subscribed("known@example.org", [news.topics["Events"]])
    assert ask(world, dana, "known@example.org") and ask(world, dana, "stranger@example.org")


def test_two_presses_at_once_change_the_address_once_and_tell_once(world: World, dana: int) -> None:
    token = ask(world, dana)
    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(answer.outcome for answer in pool.map(lambda _: confirm(world, token), range(2)))
    assert outcomes == [Outcome.OPEN, Outcome.USED]
    assert len(world.letters("service_notice")) == 1
