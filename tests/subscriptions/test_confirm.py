"""The press that makes somebody a subscriber."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from mailer.audience.models import ContactPoint, PendingRequest, Person, Preference
from mailer.consent import history
from mailer.consent.models import LedgerEntry
from mailer.core.errors import BadToken
from mailer.core.modes import Mode
from mailer.core.reasons import Reason
from mailer.organisation import profile
from mailer.subscriptions import confirm, leave
from mailer.subscriptions.links import Outcome
from mailer.suppression import registry
from tests.builders import AList, World
from tests.conftest import FixedClock

DANA = "dana@example.org"


@pytest.fixture
def news(world: World) -> AList:
    made = world.a_list()
    world.a_form(made)
    return made


def press(world: World, token: str) -> confirm.Answer:
    with world.unit() as ctx:
        return confirm.confirm(ctx, token)


def suppress(world: World, address: str, reason: Reason, list_id: int = 0) -> None:
    with world.unit() as ctx:
        registry.suppress(ctx, channel="email", fingerprint=ctx.sealer.fingerprint("email", address), reason=reason,
                          list_id=list_id)


def test_looking_changes_nothing_and_pressing_grants_exactly_what_was_shown(world: World, news: AList) -> None:
    token = world.asked(DANA, [news.topics["Events"]], every_days=7)
    assert token
    for _ in range(2):
        with world.unit() as ctx:
            assert confirm.look(ctx, token).agreed == ("Events, by email, at most once a week.",)
    assert world.stands(DANA) == {}
    assert press(world, token).outcome is Outcome.OPEN
    assert world.stands(DANA) == {(news.topics["Events"], "own_offers"): "live"}


def test_a_second_press_says_on_which_day_it_was_and_writes_nothing(
        world: World, news: AList, clock: FixedClock) -> None:
    token = world.asked(DANA, list(news.topics.values()))
    assert token
    press(world, token)
    with world.unit() as ctx:
        rows = ctx.db.scalar(select(func.count()).select_from(LedgerEntry))
        day = ctx.clock.now().date()
    clock.advance(days=2)
    answer = press(world, token)
    assert (answer.outcome, answer.day) == (Outcome.USED, day)
    with world.unit() as ctx:
        assert ctx.db.scalar(select(func.count()).select_from(LedgerEntry)) == rows


def test_presses_at_the_same_moment_make_one_person(world: World, news: AList) -> None:
    first = world.asked(DANA, list(news.topics.values()))
    assert first
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: press(world, first).outcome, range(6)))
    assert sorted(answers) == [Outcome.OPEN, *[Outcome.USED] * 5]
    with world.unit() as ctx:
        assert ctx.db.scalar(select(func.count()).select_from(Person)) == 1
        assert ctx.db.scalar(select(func.count()).select_from(PendingRequest)) == 0
        assert ctx.db.scalar(select(func.count()).select_from(LedgerEntry)) == 3


def test_requests_for_two_lists_confirmed_at_once_make_one_person(world: World, news: AList) -> None:
    other = world.a_list("Other", ["Concerts"])
    world.a_form(other, "other")
    tokens = [world.asked(DANA, list(news.topics.values())), world.asked(DANA, [], "other")]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda each: press(world, str(each)).outcome, tokens)) == [Outcome.OPEN] * 2
    with world.unit() as ctx:
        assert ctx.db.scalar(select(func.count()).select_from(Person)) == 1


def test_an_empty_partner_box_is_no_answer_and_only_a_spoken_no_is_a_refusal(world: World) -> None:
    """M1, M12, T12: absence of a field is no yes and no refusal; a no that was said is stored."""
    news = world.a_list()
    world.a_form(news, partner_offers=True, partner_names=("Quay Records",))
    topics = list(news.topics.values())
    world.subscribed("no@example.org", topics, partner_offers=False)
    world.subscribed("silent@example.org", topics)
    world.subscribed("yes@example.org", topics, partner_offers=True)
    world.a_form(news, "plain")
    world.subscribed("unasked@example.org", topics, "plain")
    partner = (0, "partner_offers_sent_by_us")
    assert [world.stands(f"{who}@example.org").get(partner) for who in ("no", "yes", "silent", "unasked")] == [
        "refused", "live", None, None]


def test_the_evidence_holds_words_versions_and_times_and_no_network_address(
        world: World, news: AList, clock: FixedClock) -> None:
    """C3, T8, A12, T21: evidence without IP, with the notice in force; section 3, 5: the wording itself."""
    token = world.asked(DANA, [news.topics["Events"]])
    asked = clock.now().isoformat(timespec="seconds")
    clock.advance(hours=3)
    press(world, str(token))
    point = world.point(DANA)
    assert point
    with world.unit() as ctx:
        [moment] = history.timeline(ctx, world.services.opener, point)
    said = moment.evidence
    assert (moment.at, said["note"]) == (clock.now(), f"asked {asked}")
    assert said["form_version"] and said["wording_sha256"] and said["notice"]
    assert said["source"] == "form:news"
    assert not any(key == "ip" or "address" in key for key in said)


@pytest.mark.parametrize("reason", confirm.MAY_LIFT)
def test_confirming_lifts_what_it_may_lift(world: World, news: AList, reason: Reason) -> None:
    """Decision 2, and only for everything or for this list."""
    suppress(world, DANA, reason)
    suppress(world, DANA, reason, news.id)
    suppress(world, DANA, reason, news.id + 1000)
    world.subscribed(DANA, [news.topics["Events"]])
    assert world.stopped(DANA) == {(reason, news.id + 1000)}


@pytest.mark.parametrize("reason", [Reason.COMPLAINED, Reason.NEVER, Reason.CHILD, Reason.LAW, Reason.HOLD,
                                    Reason.STOPPED, Reason.DOUBTFUL])
def test_confirming_leaves_the_rest_of_the_stop_list_alone(world: World, news: AList, reason: Reason) -> None:
    token = world.asked(DANA, [news.topics["Events"]])
    suppress(world, DANA, reason)
    press(world, str(token))
    assert world.stopped(DANA) == {(reason, 0)}


def test_confirming_again_revives_no_other_consent(world: World, news: AList) -> None:
    """Decision 2."""
    from_all = list(news.topics.values())
    point_id = world.subscribed(DANA, from_all)
    with world.unit() as ctx:
        leave_all(ctx, point_id)
    world.subscribed(DANA, from_all[:1])
    states = world.stands(DANA)
    assert [states[topic, "own_offers"] for topic in from_all] == ["live", "ended", "ended"]
    assert world.stopped(DANA) == set()


def leave_all(ctx: object, point_id: int) -> None:
    leave.leave(ctx, ctx.db.get_one(ContactPoint, point_id), how="test")  # type: ignore[attr-defined, arg-type] # A context.


def test_somebody_known_gets_the_choices_they_have_just_confirmed(world: World, news: AList) -> None:
    point_id = world.subscribed(DANA, [news.topics["Events"]])
    world.subscribed(DANA, [news.topics["Sheet music"]], every_days=30, format="text")
    with world.unit() as ctx:
        preference = ctx.db.get_one(Preference, point_id)
        assert (preference.every_days, preference.format) == (30, "text")


def test_not_me_deletes_the_request_and_takes_none_for_thirty_days(
        world: World, news: AList, clock: FixedClock) -> None:
    topics = list(news.topics.values())
    token = world.asked(DANA, topics)
    for _ in range(2):
        with world.unit() as ctx:
            confirm.not_me(ctx, str(token))
    with world.unit() as ctx:
        assert ctx.db.scalar(select(func.count()).select_from(PendingRequest)) == 0
    assert world.stopped(DANA) == {(Reason.NOT_ME, 0)}
    assert press(world, str(token)).outcome is Outcome.WITHDRAWN
    clock.advance(days=29)
    assert world.asked(DANA, topics) is None
    with world.unit() as ctx:
        assert ctx.db.scalar(select(func.count()).select_from(PendingRequest)) == 0
    clock.advance(days=2)
    assert world.asked(DANA, topics)


def test_a_link_mailed_in_practice_proves_nothing_in_live(world: World, news: AList) -> None:
    """Decision 32: in Practice the mail lay in the Outbox, where staff could press."""
    with world.unit() as ctx:
        profile.ensure_row(ctx).mode = Mode.PRACTICE
    token = world.asked(DANA, list(news.topics.values()))
    with world.unit() as ctx:
        profile.ensure_row(ctx).mode = Mode.LIVE
    assert press(world, str(token)).outcome is Outcome.WITHDRAWN
    assert world.point(DANA) is None


@pytest.mark.parametrize("token", ["", "x", "a" * 26, "A" * 26, "1" * 26, "a" * 5_000_000, "\x00" * 26, "é" * 26])
def test_a_link_we_did_not_make_is_told_apart(world: World, token: str) -> None:
    with pytest.raises(BadToken), world.unit() as ctx:
        confirm.look(ctx, token)
