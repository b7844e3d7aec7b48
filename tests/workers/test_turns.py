"""Turns of one campaign in one process: one at a time, and others beside it (engine guarantee 5)."""

import pytest

from workers import runtime


def test_a_second_turn_of_a_campaign_finds_no_place_and_another_campaign_does() -> None:
    with runtime.turn(1) as first, runtime.turn(1) as second, runtime.turn(2) as of_another:
        assert (first, second, of_another) == (True, False, True)
    with runtime.turn(1) as free:
        assert free


def test_a_nudge_that_found_no_place_leaves_the_turn_its_own() -> None:
    with runtime.turn(1):
        with runtime.turn(1) as second:
            assert not second
        with runtime.turn(1) as third:
            assert not third


def test_a_turn_that_fails_frees_its_place() -> None:
    with pytest.raises(ZeroDivisionError), runtime.turn(3):
        raise ZeroDivisionError
    with runtime.turn(3) as free:
        assert free
