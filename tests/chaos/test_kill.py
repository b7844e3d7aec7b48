"""Killing everything at random moments of a campaign: nobody twice, nobody lost, the sum holds (T5, item 1 and 2)."""

import random
import signal

import pytest

from tests.chaos.killing import RUN, Toll, kill_while_it_sends, processes, several_at_once, strike
from tests.chaos.live import CONNECTIONS, PEOPLE, PROCESSES
from tests.chaos.mail_server import MailServer
from tests.chaos.sending import Sending, until
from tests.instance import Instance

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

COMES_BACK_WITHIN = 5.0
"""Seconds, decision 36."""


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_random_kills_of_anything_lose_nobody_and_write_to_nobody_twice(
        seed: int, instance: Instance, mail: MailServer) -> None:
    """T5, section 3 items 1 and 2: uncertain is at most one for each connection open at a kill."""
    sending = Sending(instance, [mail], f"Kill {seed}")
    toll = kill_while_it_sends(instance, sending, PEOPLE, 6, random.Random(seed))
    found = sending.the_end()

    found.everybody(PEOPLE)
    assert found.uncertain <= toll.most_unsure(CONNECTIONS, PROCESSES)


def test_random_words_to_end_leave_nobody_unsure_but_those_of_kills(instance: Instance, mail: MailServer) -> None:
    """Engine guarantee 6: SIGTERM costs nothing, wherever it falls; it falls on servers too."""
    sending = Sending(instance, [mail], "Ended")
    kill_while_it_sends(instance, sending, PEOPLE, 5, random.Random(3), [signal.SIGTERM])
    found = sending.the_end()

    found.everybody(PEOPLE)
    assert found.uncertain == 0


@pytest.mark.parametrize("roles", [
    ("worker", "ticker", RUN), pytest.param(("worker", "postgres", "redis"), marks=pytest.mark.soak)])
def test_several_killed_in_one_moment_lose_nobody(
        roles: tuple[str, ...], instance: Instance, mail: MailServer) -> None:
    sending = Sending(instance, [mail], "Several")
    toll = Toll()
    sending.reaches(PEOPLE // 3)
    several_at_once(instance, roles, toll)
    assert sending.count < PEOPLE
    found = sending.the_end()

    found.everybody(PEOPLE)
    assert found.uncertain <= toll.most_unsure(CONNECTIONS, PROCESSES)


@pytest.mark.parametrize("role", ["worker", "ticker", "web", "redis", "postgres"])
def test_whatever_dies_is_started_again_within_five_seconds(role: str, instance: Instance) -> None:
    """Decision 36."""
    until(lambda: bool(processes(instance, role)))
    before = processes(instance, role)
    for each in before:
        strike(each, signal.SIGKILL)

    until(lambda: len({each.pid for each in processes(instance, role)} - {each.pid for each in before}) > 0,
          COMES_BACK_WITHIN)
