"""A database that does not know an exit which the file of this host remembers sends nothing (decision 19)."""

import pytest
from sqlalchemy import text

from mailer.core.errors import BehindExits
from mailer.core.messages import CampaignState
from mailer.outbox import dispatch
from mailer.outbox.send_singles import send_singles
from mailer.rights.erase import erase_again
from mailer.subscriptions.reapply import apply_exits
from tests.flows.world import Sending

PEOPLE = 30


@pytest.fixture
def put_back(world: Sending) -> list[int]:
    """Five have left, and the database is put back to a state before that."""
    leavers = world.people(PEOPLE)[:5]
    before = world.sql("SELECT contact_point_id, topic_id, state, since FROM standing")
    for each in leavers:
        world.leave(each)
    with world.unit() as ctx:
        for table in ("exit_mark", "suppression", "goodbye"):
            ctx.db.execute(text(f"DELETE FROM {table}"))
        for point, topic, state, since in before:
            ctx.db.execute(text("UPDATE standing SET state = :state, since = :since WHERE contact_point_id = :point "
                                "AND topic_id = :topic"),
                           {"state": state, "since": since, "point": point, "topic": topic})
    return leavers


def test_a_campaign_does_not_start_and_says_why(world: Sending, put_back: list[int]) -> None:
    number = world.launched()
    assert world.status(number).state == CampaignState.COULD_NOT_START
    assert world.sql("SELECT why_not_started FROM campaign") == [("behind_exits",)]


def test_a_running_campaign_is_not_dispatched(world: Sending) -> None:
    leaver, *_ = world.people(PEOPLE)
    number = world.launched()
    world.leave(leaver)
    world.sql("DELETE FROM exit_mark")
    world.sql("DELETE FROM suppression")
    with world.seat() as seat, pytest.raises(BehindExits):
        dispatch.take_turn(seat, number)
    with world.seat() as seat, pytest.raises(BehindExits):
        send_singles(seat)
    assert not world.taken


def test_once_the_exits_are_applied_all_but_the_leavers_are_written_to(world: Sending, put_back: list[int]) -> None:
    with world.unit() as ctx:
        assert apply_exits(ctx, world.services.settings.data_dir / "exits", forget=erase_again) == len(put_back)
    seen = world.turns_to_the_end(world.launched())
    assert dict(seen.refused_by_reason) == {"unsubscribed": len(put_back)}
    assert {world.address(each) for each in put_back}.isdisjoint(world.taken)
    assert seen.accepted == len(world.taken) == PEOPLE - len(put_back)
