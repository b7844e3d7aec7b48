"""Turns of one campaign in one process: nudges that come too many are dropped (engine guarantee 5)."""

import pytest

from workers import runtime


def test_a_nudge_too_many_finds_no_place_and_the_place_comes_free_again() -> None:
    with (runtime.turn(1, 2) as first, runtime.turn(1, 2) as second, runtime.turn(1, 2) as third,
          runtime.turn(2, 2) as of_another):
        assert (first, second, third, of_another) == (True, True, False, True)
    with runtime.turn(1, 1) as free:
        assert free


def test_a_turn_that_fails_frees_its_place() -> None:
    with pytest.raises(ZeroDivisionError), runtime.turn(3, 1):
        raise ZeroDivisionError
    with runtime.turn(3, 1) as free:
        assert free
