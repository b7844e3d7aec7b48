"""A campaign that fails pauses itself (decision 31), held against an obvious model."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.core.channel import Fate, Outcome
from mailer.outbox.failures import IN_A_ROW, TOO_MANY, Watch, Watches

MIXED = st.lists(st.tuples(st.sampled_from(list(Fate)), st.integers(1, 60)), max_size=120)


def obvious(fates: list[Fate]) -> str:
    """The reason to pause after these, by counting all of them again."""
    known = [fate for fate in fates if fate in (Fate.ACCEPTED, Fate.FAILED)]
    if len(known) >= 20 and set(known[-20:]) == {Fate.FAILED}:
        return IN_A_ROW
    return TOO_MANY if known[-1000:].count(Fate.FAILED) > 100 else ""


@settings(deadline=None, max_examples=150)
@given(runs=MIXED, several=st.integers(1, 30))
def test_the_watch_says_what_counting_everything_again_would_say(runs: list[tuple[Fate, int]], several: int) -> None:
    outcomes = [Outcome(1, fate) for fate, times in runs
                for _ in range(times if fate is not Fate.FAILED else times % 24)]
    watch, seen = Watch(), 0
    while seen < len(outcomes):
        said = watch.add(outcomes[seen:seen + several])
        first = next((why for n in range(seen + 1, min(seen + several, len(outcomes)) + 1)
                      if (why := obvious([each.fate for each in outcomes[:n]]))), "")
        assert said == first
        if said:
            return
        seen += several


def test_twenty_in_a_row_are_enough_and_nineteen_are_not() -> None:
    watch = Watch()
    failed = Outcome(1, Fate.FAILED, "550 5.1.1")
    assert watch.add([failed] * 19 + [Outcome(1, Fate.ACCEPTED, "250")] + [failed] * 19) == ""
    assert watch.add([Outcome(1, Fate.DEFERRED, "451"), Outcome(1, Fate.UNBEGUN)]) == ""
    assert watch.add([failed]) == IN_A_ROW


def test_a_hundred_of_a_thousand_are_borne_and_one_more_is_not() -> None:
    watch = Watch()
    tenth = [Outcome(1, Fate.ACCEPTED, "250")] * 9 + [Outcome(1, Fate.FAILED, "550")]
    assert watch.add(tenth * 300) == ""
    assert watch.add(tenth[-1:]) == TOO_MANY


def test_a_provider_that_blocks_us_pauses_the_campaign_before_everybody_has_failed() -> None:
    assert Watch().add([Outcome(1, Fate.FAILED, "550 5.7.1", operator=True)] * 20) == IN_A_ROW


def test_threads_of_a_process_count_together_and_a_campaign_that_went_on_is_counted_anew() -> None:
    failed = [Outcome(1, Fate.FAILED, "550")] * 10
    watches = Watches()
    assert watches.of(1, 3).add(failed) == ""
    assert watches.of(2, 3).add(failed) == watches.of(1, 4).add(failed) == ""
    assert watches.of(1, 3).add(failed) == IN_A_ROW
    for campaign in range(Watches.KEPT):
        watches.of(campaign + 5, 1)
    assert watches.of(1, 3).add(failed) == "", "what was long ago is forgotten"
