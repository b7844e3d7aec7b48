"""Single messages: to who asked, to people, to the team."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from mailer.core.messages import MessageClass
from mailer.core.modes import Mode
from mailer.core.reasons import Reason
from mailer.gate.decide import Answers, decide_singles
from mailer.organisation.profile import ensure_row
from mailer.outbox.models import SingleMessage
from tests.conftest import FixedClock
from tests.gate.world import World, address_of

CONFIRMATION = MessageClass.CONFIRMATION


def decide(world: World, *messages: SingleMessage) -> Answers:
    return decide_singles(world.ctx, world.services.opener, 7, messages, 99.5)


def recorded(world: World) -> list[tuple[object, ...]]:
    return [tuple(row) for row in world.db.execute(text(
        "SELECT single_id, attempt, cleared, reason FROM single_decision ORDER BY single_id, attempt"))]


def test_a_confirmation_goes_to_the_address_that_asked(world: World) -> None:
    message = world.single(CONFIRMATION, pending=world.asks_to_join("ada@example.org"))

    (clearance,) = decide(world, message).cleared

    assert (clearance.row, clearance.attempt, clearance.address) == (message.id, 1, "ada@example.org")
    assert recorded(world) == [(message.id, 1, True, None)]


def test_each_of_a_mixed_slice_has_its_own_answer(world: World) -> None:
    child = world.person()
    world.stop(child.fingerprint, Reason.CHILD)
    confirmation = world.single(CONFIRMATION, pending=world.asks_to_join())
    notice = world.single(MessageClass.SERVICE_NOTICE, point=child)
    test = world.single(MessageClass.TEST, staff=world.staff("sam@example.org"))

    answers = decide(world, confirmation, notice, test)

    assert {each.row: each.address for each in answers.cleared} == {
        confirmation.id: "waits@example.org", test.id: "sam@example.org"}
    assert answers.refused == [(notice.id, 1, Reason.CHILD)]


def test_who_left_may_ask_to_join_again_and_who_said_never_may_not(world: World) -> None:
    pending = world.asks_to_join()
    world.stop(pending.fingerprint, Reason.UNSUBSCRIBED)
    assert decide(world, world.single(CONFIRMATION, pending=pending)).cleared

    world.stop(pending.fingerprint, Reason.NEVER)
    assert decide(world, world.single(CONFIRMATION, pending=pending)).refused[0].reason is Reason.NEVER


def test_an_address_that_said_not_me_hears_nothing_for_thirty_days(world: World, clock: FixedClock) -> None:
    pending = world.asks_to_join()
    world.stop(pending.fingerprint, Reason.NOT_ME, until=world.now.date() + timedelta(days=30))

    assert decide(world, world.single(CONFIRMATION, pending=pending)).refused[0].reason is Reason.NOT_ME
    clock.advance(days=30)
    assert decide(world, world.single(CONFIRMATION, pending=pending)).cleared


def test_a_bounced_address_gets_one_confirmation_in_thirty_days(world: World, clock: FixedClock) -> None:
    pending = world.asks_to_join()
    world.stop(pending.fingerprint, Reason.BOUNCED)

    assert decide(world, world.single(CONFIRMATION, pending=pending)).cleared
    clock.advance(days=2)
    assert decide(world, world.single(CONFIRMATION, pending=pending)).refused[0].reason is Reason.BOUNCED
    clock.advance(days=29)
    assert decide(world, world.single(CONFIRMATION, pending=pending)).cleared


def test_a_second_try_of_the_same_confirmation_does_not_count_again(world: World) -> None:
    pending = world.asks_to_join()
    world.stop(pending.fingerprint, Reason.BOUNCED)
    message = world.single(CONFIRMATION, pending=pending)
    assert decide(world, message).cleared
    message.attempt = 1

    assert decide(world, message).cleared[0].attempt == 2


def test_three_confirmations_a_month_are_enough_whatever_asks(world: World, clock: FixedClock) -> None:
    pending = world.asks_to_join()
    for _ in range(3):
        assert decide(world, world.single(CONFIRMATION, pending=pending)).cleared
        clock.advance(days=1)

    assert decide(world, world.single(CONFIRMATION, pending=pending)).refused[0].reason is Reason.LIMIT


def test_what_was_sent_in_practice_uses_up_no_limit(world: World) -> None:
    pending = world.asks_to_join()
    ensure_row(world.ctx).mode = Mode.PRACTICE
    world.db.flush()
    for _ in range(5):
        assert decide(world, world.single(CONFIRMATION, pending=pending)).cleared

    assert world.db.scalar(text("SELECT count(*) FROM limit_count")) == 0


def test_a_wait_is_an_answer_that_writes_nothing(world: World) -> None:
    point = world.person()
    assert decide(world, world.single(MessageClass.FRESH_LINK, point=point)).cleared
    second = world.single(MessageClass.FRESH_LINK, point=point)
    before = recorded(world)

    answers = decide(world, second)

    assert answers.waiting == [(second.id, world.now + timedelta(minutes=15))]
    assert (answers.cleared, answers.refused, recorded(world)) == ([], [], before)


def test_a_person_on_hold_gets_answers_to_rights_requests_and_replies_alone(world: World) -> None:
    point = world.person(hold=True)
    may = {kind for kind in MessageClass
           if decide(world, world.single(kind, point=point)).cleared}

    assert may == {MessageClass.RIGHTS_ANSWER, MessageClass.FRESH_LINK, MessageClass.REPLY}


def test_staff_who_were_removed_and_people_get_no_staff_mail(world: World) -> None:
    removed = world.single(MessageClass.STAFF, staff=world.staff("gone@example.org", state="removed"))
    invited = world.single(MessageClass.STAFF, staff=world.staff("new@example.org", state="invited", verified=False))
    person = world.single(MessageClass.TEST, point=world.person())

    answers = decide(world, removed, invited, person)

    assert [each.address for each in answers.cleared] == ["new@example.org"]
    assert answers.refused == [(removed.id, 1, Reason.NO_ADDRESS), (person.id, 1, Reason.NO_ADDRESS)]


def test_a_start_by_text_is_what_a_text_stop_lets_through(world: World) -> None:
    by_form, by_start = world.asks_to_join("a@example.org"), world.asks_to_join("b@example.org", source="start")
    for pending in (by_form, by_start):
        world.stop(pending.fingerprint, Reason.STOPPED)

    answers = decide(world, *(world.single(CONFIRMATION, pending=each) for each in (by_form, by_start)))

    assert [each.address for each in answers.cleared] == ["b@example.org"]
    assert answers.refused[0].reason is Reason.STOPPED


def test_the_limits_are_kept_as_keyed_hashes(world: World) -> None:
    pending = world.asks_to_join(address_of(1))
    decide(world, world.single(CONFIRMATION, pending=pending))

    (bucket,) = world.db.execute(text("SELECT bucket FROM limit_count")).scalars()
    assert pending.fingerprint.hex() not in bytes(bucket).hex()
    assert len(bucket) == 16


def test_the_database_refuses_a_handed_single_without_a_recorded_yes(world: World) -> None:
    message = world.single(CONFIRMATION, pending=world.asks_to_join())

    with pytest.raises(IntegrityError), world.db.begin_nested():
        world.db.execute(text("UPDATE single_message SET state = 'handed', decided = 1, cleared = true"))

    decide(world, message)
    world.db.execute(text("UPDATE single_message SET state = 'handed', decided = 1, cleared = true"))
