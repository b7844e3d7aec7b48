"""What staff start and only the person finishes: invitations, corrected addresses, fresh links."""

import pytest
from sqlalchemy import select

from mailer.audience.models import ContactPoint, FieldSource, PendingRequest
from mailer.core.errors import InvalidInput
from mailer.core.personal import Place, Whom
from mailer.core.reasons import Reason
from mailer.subscriptions import address, asked_by_staff, confirm, fresh, personal_data, preferences
from mailer.subscriptions.asked_by_staff import Fate
from mailer.subscriptions.links import Outcome
from mailer.subscriptions.models import AddressChange, FreshAccess, Goodbye
from mailer.subscriptions.preferences import Choices
from mailer.suppression import registry
from tests.builders import AList, World

DANA, NEW = "dana@example.org", "new@example.org"


@pytest.fixture
def news(world: World) -> AList:
    made = world.a_list()
    world.a_form(made)
    return made


@pytest.fixture
def dana(world: World, news: AList) -> int:
    return world.subscribed(DANA, [news.topics["New releases"]], first_name="Dana")


def invite(world: World, of: str, list_id: int, *topics: int) -> Fate:
    with world.unit() as ctx:
        return asked_by_staff.invite(ctx, "email", of, list_id=list_id, topic_ids=topics)


def stop(world: World, of: str, reason: Reason) -> None:
    with world.unit() as ctx:
        registry.suppress(ctx, channel="email", fingerprint=ctx.sealer.fingerprint("email", of), reason=reason)


def requests(world: World) -> int:
    with world.unit() as ctx:
        return len(ctx.db.scalars(select(PendingRequest)).all())


def test_an_invitation_asks_and_only_the_press_subscribes(world: World, news: AList) -> None:
    """T2: no entry by anybody else's hand; the words that were agreed to stand on the page of the press."""
    assert invite(world, NEW, news.id, news.topics["Events"]) is Fate.ASKED
    [letter] = world.letters("staff_invitation")
    assert world.point(NEW) is None and requests(world) == 1
    with world.unit() as ctx:
        answer = confirm.confirm(ctx, str(letter.detail["link"]).rpartition("/")[2])
    assert answer.outcome is Outcome.OPEN
    assert world.stands(NEW) == {(news.topics["Events"], "own_offers"): "live"}


@pytest.mark.parametrize("reason", [Reason.UNSUBSCRIBED, Reason.FRIEND_ONLY, Reason.NEVER, Reason.ERASED,
                                    Reason.COMPLAINED, Reason.STAFF_STOP])
def test_whoever_is_on_the_stop_list_is_left_out_by_every_desk(
        world: World, news: AList, dana: int, reason: Reason) -> None:
    """T5, T13: staff never bring back who left, nor an address that was only lent."""
    stop(world, NEW, reason)
    assert invite(world, NEW, news.id) is Fate.LEFT_OUT
    with world.unit() as ctx:
        assert asked_by_staff.correct_address(ctx, ctx.db.get_one(ContactPoint, dana), NEW) is Fate.LEFT_OUT
        assert not address.waiting(ctx, dana)
    assert requests(world) == 0 and not world.letters("staff_invitation") and world.point(DANA)


def test_who_is_there_waits_or_said_no_is_not_asked_again(world: World, news: AList, dana: int) -> None:
    releases, events = news.topics["New releases"], news.topics["Events"]
    assert invite(world, DANA, news.id, releases) is Fate.HERE
    with world.unit() as ctx:
        preferences.save(ctx, ctx.db.get_one(ContactPoint, dana), Choices())
    assert invite(world, DANA, news.id, releases) is Fate.SAID_NO
    assert invite(world, DANA, news.id, events) is Fate.ASKED
    assert invite(world, DANA, news.id, events) is Fate.WAITS


@pytest.mark.parametrize(("list_id", "topics", "field"), [
    (0, (), "list"), (1 << 64, (), "list"), (1, (999,), "topics")])
def test_a_list_or_topic_that_there_is_not_is_named(
        world: World, news: AList, list_id: int, topics: tuple[int, ...], field: str) -> None:
    with pytest.raises(InvalidInput) as error:
        invite(world, NEW, list_id, *topics)
    assert error.value.context["field"] == field


def test_a_corrected_address_waits_for_its_own_mailbox_and_a_name_is_corrected_at_once(
        world: World, dana: int) -> None:
    """M11: corrections by staff confirm as the person's own do."""
    with world.unit() as ctx:
        point = ctx.db.get_one(ContactPoint, dana)
        assert asked_by_staff.correct_address(ctx, point, NEW) is Fate.ASKED
        asked_by_staff.correct_name(ctx, point, "Daniela")
        asked_by_staff.send_fresh_link(ctx, point)
        person_id = point.person_id
    assert world.point(DANA) and len(world.letters("fresh_link")) == 1
    token = str(world.letters("confirmation")[-1].detail["link"]).rpartition("/")[2]
    with world.unit() as ctx:
        address.confirm(ctx, world.services.opener, token)
        assert {row.field: row.source for row in ctx.db.scalars(select(FieldSource).where(
            FieldSource.person_id == person_id))}.items() >= {("email", "staff"), ("first_name", "staff")}
    assert world.point(NEW)


def whom(world: World, point_id: int) -> Whom:
    with world.unit() as ctx:
        point = ctx.db.get_one(ContactPoint, point_id)
        return Whom(point.person_id, ctx.tokens.new_id(), (Place(point.id, "email", point.fingerprint, 1),))


def test_a_copy_shows_changes_and_goodbyes_and_an_erasure_ends_them(world: World, news: AList, dana: int) -> None:
    """Item 24: nothing that this room holds of somebody is left out or left behind."""
    other = world.subscribed("other@example.org", [news.topics["Events"]])
    with world.unit() as ctx:
        point = ctx.db.get_one(ContactPoint, dana)
        address.ask(ctx, point, NEW, source="preferences")
        address.ask(ctx, ctx.db.get_one(ContactPoint, other), DANA, source="preferences")
        preferences.save(ctx, point, Choices())
        fresh.ask(ctx, point)
    with world.unit() as ctx:
        fresh.press(ctx, str(world.letters("fresh_link")[-1].detail["link"]).rpartition("/")[2])
    with world.unit() as ctx:
        held = personal_data.export(ctx, world.services.opener, whom(world, dana))
        assert [change["new"] for change in held["address_changes"]] == [NEW]
        assert len(held["goodbyes"]) == len(held["open_pages"]) == 1
    with world.unit() as ctx:
        personal_data.erase(ctx, whom(world, dana))
        for model in (AddressChange, FreshAccess, Goodbye):
            assert not ctx.db.scalars(select(model)).all()
