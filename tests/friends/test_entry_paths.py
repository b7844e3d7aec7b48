"""An address known from telling a friend alone gets in by no way but the friend's own press (T6, section 3 item 8)."""

import pytest

from mailer.subscriptions import address, asked_by_staff, confirm
from mailer.subscriptions.asked_by_staff import Fate
from mailer.subscriptions.imports import Approval, Basis, ImportRow, import_people
from mailer.subscriptions.reapply import apply_exits
from tests.friends.world import FAY, Friends

DANA = "dana.known@example.org"


@pytest.fixture
def known(friends: Friends) -> Friends:
    """Fay has had her one message; Dana is a subscriber."""
    friends.house.subscribed(DANA, [friends.news.topics["Events"]])
    friends.passed_on()
    return friends


def reaches_nobody(known: Friends) -> None:
    """A campaign goes to Dana alone, and no row of ours is Fay's."""
    assert known.house.point(FAY) is None
    assert ("friend_only", 0) in known.house.stopped(FAY)
    number = known.sending.launched(known.news.name)
    assert known.sending.turns_to_the_end(number).accepted == 1
    assert known.to(FAY) == 1


def test_a_form_that_somebody_else_filled_in_leads_nowhere_without_the_press(known: Friends) -> None:
    """By our form and by the one that other sites embed, which is the same."""
    assert known.house.asked(FAY, [known.news.topics["Events"]])
    reaches_nobody(known)


def test_an_invitation_by_staff_is_left_out(known: Friends) -> None:
    with known.unit() as ctx:
        assert asked_by_staff.invite(ctx, "email", FAY, list_id=known.news.id) is Fate.LEFT_OUT
    assert known.sql("SELECT count(*) FROM pending_request") == [(0,)]
    reaches_nobody(known)


def test_a_correction_at_the_desk_is_left_out(known: Friends) -> None:
    point = known.house.point(DANA)
    assert point
    with known.unit() as ctx:
        assert asked_by_staff.correct_address(ctx, point, FAY) is Fate.LEFT_OUT
    assert known.sql("SELECT count(*) FROM address_change") == [(0,)]
    reaches_nobody(known)


def test_a_change_of_ones_own_address_waits_for_the_friends_own_press(known: Friends) -> None:
    point = known.house.point(DANA)
    assert point
    with known.unit() as ctx:
        address.ask(ctx, point, FAY, source="self")
    reaches_nobody(known)


def test_an_old_address_that_became_a_friends_is_not_gone_back_to(friends: Friends) -> None:
    friends.house.subscribed(FAY, [friends.news.topics["Events"]])
    point = friends.house.point(FAY)
    assert point
    with friends.unit() as ctx:
        address.ask(ctx, point, DANA, source="self")
    (asked,) = [each for each in friends.house.letters("confirmation") if each.subject.startswith("address_change")]
    with friends.unit() as ctx:
        address.confirm(ctx, friends.services.opener, str(asked.detail["link"]).rpartition("/")[2])
    (told,) = friends.house.letters("service_notice")
    friends.passed_on()
    assert friends.states() == [("accepted", "250 2.0.0")]
    with friends.unit() as ctx:
        undone = address.undo(ctx, friends.services.opener, str(told.detail["undo"]).rpartition("/")[2])
    assert undone.barred and undone.undone_at is None and friends.house.point(FAY) is None


@pytest.mark.parametrize("approval", [None, Approval("staff:1", "letter 7")])
def test_an_import_leaves_it_out_whatever_proof_it_brings(known: Friends, approval: Approval | None) -> None:
    with known.unit() as ctx:
        row = ImportRow(1, FAY, Basis("trade fair", ctx.clock.now().date(), "Send me the news."), "Fay")
        done = import_people(ctx, [row], list_id=known.news.id, approval=approval)
    assert (done.new, dict(done.left_out)) == (0, {"friend_only": 1})
    reaches_nobody(known)


def test_a_database_put_back_knows_it_again_from_the_exits_file(known: Friends) -> None:
    known.sql("DELETE FROM suppression WHERE reason = 'friend_only'")
    known.sql("DELETE FROM exit_mark WHERE detail ->> 'reason' = 'friend_only'")
    with known.unit() as ctx:
        applied = apply_exits(ctx, known.services.settings.data_dir / "exits", forget=lambda _ctx, _line: None)
    assert applied == 1
    known.asked_and_pressed(sender="a.second@example.org")
    known.sending.singles()
    assert known.states()[-1] == ("refused", "friend_only")
    reaches_nobody(known)


def test_the_friends_own_press_lets_them_in_and_the_page_still_shuts_it(known: Friends) -> None:
    token = known.house.asked(FAY, [known.news.topics["Events"]])
    assert token
    with known.unit() as ctx:
        confirm.confirm(ctx, token)
    assert known.house.stopped(FAY) == set()
    number = known.sending.launched(known.news.name)
    assert known.sending.turns_to_the_end(number).accepted == 2
