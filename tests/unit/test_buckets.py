"""The bucket's rule and the ramp, held against what they promise."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mailer.outbox.buckets import DAY_SECONDS, MICROSECONDS, Level, Limit, Rule, take

FIRST = date(2026, 3, 2)

rules = st.builds(Rule, st.floats(0.001, 1000), st.integers(1, 500).map(float))
asks = st.lists(st.tuples(st.integers(0, 90 * MICROSECONDS), st.integers(1, 700)), min_size=1, max_size=40)


@given(rule=rules, asks=asks)
def test_no_stretch_of_time_sees_more_than_the_burst_and_what_flows_in_meanwhile(
        rule: Rule, asks: list[tuple[int, int]]) -> None:
    """Over any window at most burst + rate · t are granted."""
    now, level, granted = 0, None, []
    for pause, wanted in asks:
        now += pause
        taken, (level,) = take([level], [rule], wanted, now)
        granted.append((now, taken))
    for first in range(len(granted)):
        total = 0
        for at, taken in granted[first:]:
            total += taken
            seconds = (at - granted[first][0]) / MICROSECONDS
            assert total <= rule.burst + rule.rate * seconds + 1e-6


@given(limits=st.lists(st.tuples(rules, st.floats(0, 500)), min_size=1, max_size=4), wanted=st.integers(1, 700))
def test_what_every_bucket_has_is_granted_and_each_gives_the_same(
        limits: list[tuple[Rule, float]], wanted: int) -> None:
    """Nothing is withheld that all of them hold, and a bucket that runs dry takes nothing from the others."""
    levels: list[Level | None] = [Level(min(rule.burst, tokens), 0) for rule, tokens in limits]
    taken, after = take(levels, [rule for rule, _ in limits], wanted, 0)
    least = min(level.tokens for level in levels if level)
    assert taken == min(wanted, int(least))
    assert all(abs(before.tokens - left.tokens - taken) < 1e-6
               for before, left in zip(levels, after, strict=True) if before)


@given(rule=rules, wanted=st.integers(1, 700))
def test_what_is_given_back_can_be_taken_again_and_never_overfills(rule: Rule, wanted: int) -> None:
    taken, after = take([None], [rule], wanted, 0)
    _, after = take(after, [rule], -taken, 0)
    assert after == [Level(rule.burst, 0)]
    _, after = take(after, [rule], -wanted, 0)
    assert after[0].tokens == rule.burst


def test_a_clock_that_went_back_neither_fills_nor_empties_a_bucket() -> None:
    taken, (level,) = take([Level(3.0, 10 * MICROSECONDS)], [Rule(1, 10)], 1, 4 * MICROSECONDS)
    assert (taken, level) == (1, Level(2.0, 4 * MICROSECONDS))


@given(per_second=st.floats(0.01, 2000), burst=st.integers(1, 10_000), first=st.integers(24, 100_000),
       factor=st.floats(1.1, 10))
def test_a_day_of_a_ramp_stays_within_its_allowance_until_only_the_limit_is_left(
        per_second: float, burst: int, first: int, factor: float) -> None:
    limit = Limit(per_second, burst, first, factor, FIRST)
    days = limit.days_of_ramp()
    for number in range(min(days, 40)):
        day = FIRST + timedelta(days=number)
        allowed = limit.allowance(day)
        assert allowed is not None
        rule = limit.rule(day)
        assert rule.rate > 0 and 1 <= rule.burst <= max(1, allowed / 24)
        assert rule.burst + rule.rate * DAY_SECONDS <= allowed + 1e-6
        assert rule.rate <= per_second
    assert limit.rule(FIRST + timedelta(days=days)) == Rule(per_second, burst)


def test_a_ramp_doubles_day_by_day() -> None:
    limit = Limit(per_second=1, burst=100, ramp_per_day=1_000, ramp_from=FIRST)
    assert [limit.allowance(FIRST + timedelta(days=number)) for number in (-1, 0, 1, 6, 7)] == [
        1_000, 1_000, 2_000, 64_000, None]
    assert limit.days_of_ramp() == 7
    assert limit.rule(FIRST) == Rule(rate=(1_000 - 41) / DAY_SECONDS, burst=41)
