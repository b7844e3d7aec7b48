"""Figures that take long to count are kept for a while; the others are counted each time."""

from time import sleep

from flask import Flask

from mailer.web.staff import counted
from mailer.web.staff.counted import counted as figure


def test_what_is_counted_quickly_is_always_exact(app: Flask) -> None:
    numbers = iter(range(9))
    with app.app_context():
        assert [figure("quick", lambda: next(numbers)) for _ in range(3)] == [0, 1, 2]


def test_what_takes_long_is_counted_once_for_a_while_and_by_its_own_name(app: Flask) -> None:
    """A process spends at most a hundredth of its time on it."""
    numbers = iter(range(9))

    def slowly() -> int:
        sleep(2 * counted.SLOW)
        return next(numbers)

    with app.app_context():
        assert [figure(name, slowly) for name in ("slow", "slow", "other", "slow")] == [0, 0, 1, 0]
