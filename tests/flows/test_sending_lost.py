"""Workers that die or lose touch: who was not begun is written to, who may have been is unsure, nobody twice (T5)."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import Any

import psycopg
import pytest
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from mailer.channels.email.transport import open_transport
from mailer.core.channel import Clearance, Fate, Outcome
from mailer.core.messages import CampaignState
from mailer.core.modes import Mode
from mailer.core.wire import Transport
from mailer.outbox import dispatch, record
from mailer.outbox.road import Road, open_road, transaction
from mailer.outbox.seat import Seat, Ways, journal_folder
from tests.flows.world import CONNECTIONS, Sending

PEOPLE = 120
CLEARANCE_ENDS = 0.9
KILLED_AT = 12


class FatalWay:
    """Real SMTP whose process is gone at the beginning of its twelfth hand-over."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.begun = 0

    def open(self, channel: str, mode: Mode) -> Transport:
        def count(clearance: Clearance) -> None:
            self.begun += 1
            if self.begun == KILLED_AT:
                os._exit(9)

        return open_transport(self.url, connections=CONNECTIONS, host_name="localhost", on_begin=count)


class LostAnswer(Road):
    """A connection that breaks once, after the commit of a slice and before its answer."""

    armed = False

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        answer = super().wait(gen, interval, timeout)
        if LostAnswer.armed and self.pgconn.transaction_status == TransactionStatus.IDLE and self.stands():
            LostAnswer.armed = False
            self.close()
            raise psycopg.OperationalError("the server went away")
        return answer

    def stands(self) -> bool:
        """Whether a slice is committed, as another sees it."""
        with psycopg.connect(self.info.dsn) as other:
            return other.execute("SELECT 1 FROM slice").fetchone() is not None


@pytest.fixture
def campaign(world: Sending) -> int:
    world.people(PEOPLE)
    return world.launched()


@pytest.fixture
def journals(world: Sending) -> Path:
    return journal_folder(world.services.settings.data_dir)


def die_in_the_middle(world: Sending, number: int) -> None:
    """A worker process of its own, killed while it hands over."""
    world.sign_of_life("victim")
    child = os.fork()
    if not child:
        world.services.engine.dispose(close=False)
        services = replace(world.services, transports=FatalWay(world.server.url))
        dispatch.take_turn(Seat(services, "victim", Ways(services), lambda: False), number)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def move(journals: Path, folder: Path) -> Path:
    """Take the victim's journals to another folder, as when a disk is carried to another host and back."""
    for journal in journals.glob("victim*.journal"):
        shutil.move(journal, folder / journal.name)
    return folder


def test_a_dead_workers_journal_tells_who_may_have_been_written_to(world: Sending, campaign: int) -> None:
    """Decision 8: at most one unsure for each open connection."""
    die_in_the_middle(world, campaign)
    assert world.states(campaign)["handed"] > CONNECTIONS
    assert world.reap() == 0
    seen = world.status(campaign)
    assert seen.waiting_by_state["handed"] == 0
    assert seen.uncertain <= CONNECTIONS
    seen = world.turns_to_the_end(campaign, "worker2")
    assert seen.state == CampaignState.SENT
    assert seen.accepted + seen.uncertain == PEOPLE
    assert len(world.taken) >= seen.accepted and set(world.taken.values()) == {1}


def test_a_lost_hosts_slice_is_unsure_as_a_whole_until_its_journal_turns_up(
        world: Sending, campaign: int, journals: Path, tmp_path: Path) -> None:
    """Decision 8: a late journal corrects, and who was never begun is written to after all."""
    die_in_the_middle(world, campaign)
    elsewhere = move(journals, tmp_path)
    assert world.reap() == 0
    assert world.states(campaign)["handed"]
    world.lose_host("victim")
    assert world.reap() >= 1
    unsure = world.status(campaign).uncertain
    assert unsure > CONNECTIONS
    move(elsewhere, journals)
    world.reap()
    assert world.status(campaign).uncertain <= CONNECTIONS
    seen = world.turns_to_the_end(campaign, "worker2")
    assert seen.accepted + seen.uncertain == PEOPLE and seen.uncertain <= CONNECTIONS
    assert set(world.taken.values()) == {1}


def test_a_journal_that_turns_up_after_the_campaign_closed_opens_nothing_again(
        world: Sending, campaign: int, journals: Path, tmp_path: Path) -> None:
    """What it says was accepted is accepted; what it says was never begun stays unsure, for a person to decide."""
    die_in_the_middle(world, campaign)
    elsewhere = move(journals, tmp_path)
    world.lose_host("victim")
    world.reap()
    closed = world.turns_to_the_end(campaign, "worker2")
    assert closed.state == CampaignState.SENT and closed.uncertain
    move(elsewhere, journals)
    world.reap()
    seen = world.status(campaign)
    assert (seen.state, seen.waiting) == (CampaignState.SENT, 0)
    assert seen.accepted > closed.accepted
    assert world.sql("SELECT accepted, uncertain FROM campaign WHERE id = :id", id=campaign) == [
        (seen.accepted, seen.uncertain)]
    world.turn(campaign)
    assert set(world.taken.values()) == {1}


def test_a_worker_that_was_given_up_begins_nothing_after_its_clearance(world: Sending, campaign: int) -> None:
    """Decision 7: the fence is time first; a slice is given up long after its last hand-over could begin."""
    held: list[int] = []

    def lose_touch() -> None:
        held.extend(point for point, row in world.rows(campaign).items() if row.state == "handed")
        world.lose_host("worker1")
        assert world.reap() == 1
        world.control("pause", campaign)
        sleep(CLEARANCE_ENDS)

    world.way.between = lose_touch
    world.turn(campaign)
    assert not world.taken
    assert {world.rows(campaign)[point].state for point in held} == {"ready"}
    world.control("resume", campaign)
    assert world.turns_to_the_end(campaign, "worker2").accepted == PEOPLE
    assert set(world.taken.values()) == {1}


def test_a_worker_whose_rows_went_to_another_slice_records_nothing(world: Sending, campaign: int) -> None:
    """The fence: its slice is gone, so what it says of these rows is not heard."""
    def another_takes_over() -> None:
        ((slice_id, month),) = world.sql("SELECT id, month FROM slice")
        mine = [point for point, row in world.rows(campaign).items() if row.slice == slice_id]
        sleep(CLEARANCE_ENDS)
        with world.seat("other") as seat, transaction(seat.road()) as cursor:
            record.record(cursor, record.Place(campaign, month, slice_id, "reaper"),
                          [Outcome(point, Fate.UNBEGUN) for point in mine])
        world.turns_to_the_end(campaign, "worker2")

    world.way.between = another_takes_over
    seen = world.turn(campaign)
    assert (seen.accepted, seen.state) == (PEOPLE, CampaignState.SENT)
    assert set(world.taken.values()) == {1}
    assert not world.sql("SELECT 1 FROM slice")


def test_a_slice_whose_commit_was_never_answered_is_put_back_at_once(world: Sending, campaign: int) -> None:
    """The worker lives on, so no reaper would ever look for it: its rows would wait for ever."""
    world.sign_of_life("worker1")
    seat = Seat(world.services, "worker1", world.ways, lambda: False, lambda engine: open_road(engine, LostAnswer))
    LostAnswer.armed = True
    dispatch.take_turn(seat, campaign)
    seat.close()
    assert not LostAnswer.armed
    assert world.tick(campaign).accepted == PEOPLE
    assert set(world.taken.values()) == {1}
    assert not world.sql("SELECT 1 FROM slice")
