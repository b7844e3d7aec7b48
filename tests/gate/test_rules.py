"""The rules besides the table: order, consent, how often, practice, limits."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mailer.core.messages import MessageClass
from mailer.core.modes import Mode
from mailer.core.reasons import SUPPRESSING, Reason
from mailer.gate.rules import CLEAR, Clear, Consent, Facts, Refuse, Sent, Verdict, Wait, capped, verdict

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
IN = Facts(consent=Consent.LIVE, partner=True, mode=Mode.LIVE, consent_mode=Mode.LIVE)
DECIDED_ORDER = (
    "erased never child law friend_only not_me hold domain_rule stopped unsubscribed post_code staff_stop complained "
    "bounced gone_away doubtful no_consent not_confirmed not_topic partner_offers_off paused cap duplicate segment "
    "no_address practice_consent policy_not_effective awaiting_reconsent campaign_stopped limit")
ORDER = list(Reason)

anybody = some.builds(
    Facts, suppressed=some.frozensets(some.sampled_from(SUPPRESSING), max_size=3), team=some.booleans(),
    known=some.booleans(), reachable=some.booleans(), hold=some.booleans(), consent=some.sampled_from(Consent),
    elsewhere=some.booleans(), waiting=some.booleans(), partner=some.booleans(), mode=some.sampled_from(Mode),
    consent_mode=some.none() | some.sampled_from(Mode), trusted=some.booleans(),
    paused_until=some.none() | some.datetimes(datetime(2026, 2, 20), datetime(2026, 3, 10), timezones=some.just(UTC)),
    every_days=some.sampled_from([0, 7, 30]),
    last_campaign_on=some.none() | some.dates(date(2026, 1, 20), date(2026, 3, 2)),
    by_start=some.booleans(),
    sent=some.builds(Sent, some.integers(0, 6), some.integers(0, 6),
                     some.none() | some.just(NOW - timedelta(minutes=5))))


def campaign(facts: Facts) -> Verdict:
    return verdict(facts, MessageClass.CAMPAIGN, NOW)


def test_reasons_answer_in_the_order_that_was_decided() -> None:
    assert " ".join(Reason) == DECIDED_ORDER


@given(some.frozensets(some.sampled_from(SUPPRESSING), min_size=1), anybody)
def test_the_first_reason_in_order_is_the_one_recorded(held: frozenset[Reason], facts: Facts) -> None:
    answer = campaign(facts._replace(suppressed=held, team=False))

    first = min(held, key=ORDER.index)
    assert isinstance(answer, Refuse)
    assert ORDER.index(answer.reason) <= ORDER.index(first)


@given(anybody, some.sampled_from(MessageClass))
def test_whatever_is_known_of_somebody_there_is_one_answer(facts: Facts, kind: MessageClass) -> None:
    assert isinstance(verdict(facts, kind, NOW), Clear | Refuse | Wait)


@given(anybody, some.sampled_from(SUPPRESSING))
def test_one_more_entry_on_the_stop_list_never_lets_a_campaign_through(facts: Facts, more: Reason) -> None:
    """T6: nobody who must not be contacted gets marketing."""
    assert campaign(facts._replace(suppressed=facts.suppressed | {more})) != CLEAR


@pytest.mark.parametrize(("facts", "reason"), [
    (Facts(), Reason.NO_CONSENT),
    (Facts(waiting=True), Reason.NOT_CONFIRMED),
    (Facts(elsewhere=True), Reason.NOT_TOPIC),
    (Facts(consent=Consent.REFUSED), Reason.NO_CONSENT),
    (Facts(consent=Consent.ENDED), Reason.UNSUBSCRIBED),
    (Facts(consent=Consent.ENDED, elsewhere=True), Reason.NOT_TOPIC),
    (IN._replace(hold=True), Reason.HOLD),
    (IN._replace(reachable=False), Reason.NO_ADDRESS),
    (IN._replace(known=False, reachable=False), Reason.ERASED),
    (IN._replace(paused_until=NOW + timedelta(seconds=1)), Reason.PAUSED),
    (IN._replace(team=True), Reason.NO_ADDRESS),
])
def test_what_lacks_is_named(facts: Facts, reason: Reason) -> None:
    assert campaign(facts) == Refuse(reason)


def test_a_break_that_is_over_holds_nobody_back() -> None:
    assert campaign(IN._replace(paused_until=NOW)) == CLEAR


def test_a_partners_offer_needs_a_consent_of_its_own_and_the_topics() -> None:
    """No purpose of consent implies another (decision 1)."""
    offer = MessageClass.PARTNER_OFFER

    assert verdict(IN, offer, NOW) == CLEAR
    assert verdict(IN._replace(partner=False), offer, NOW) == Refuse(Reason.PARTNER_OFFERS_OFF)
    assert verdict(IN._replace(consent=Consent.ENDED), offer, NOW) == Refuse(Reason.UNSUBSCRIBED)
    assert campaign(IN._replace(partner=False)) == CLEAR


@pytest.mark.parametrize("every", [7, 30])
@pytest.mark.parametrize("gap", [0, 1, 6, 7, 8, 29, 30, 31])
def test_one_campaign_in_a_rolling_week_or_month(every: int, gap: int) -> None:
    last = NOW.date() - timedelta(days=gap)

    assert capped(every, last, NOW) is (gap < every)
    assert campaign(IN._replace(every_days=every, last_campaign_on=last)) == (
        Refuse(Reason.CAP) if gap < every else CLEAR)


def test_who_set_no_limit_or_has_had_nothing_yet_is_not_capped() -> None:
    assert not capped(0, NOW.date(), NOW)
    assert not capped(30, None, NOW)


@pytest.mark.parametrize(("mode", "confirmed", "team", "may"), [
    (Mode.LIVE, Mode.LIVE, False, True),
    (Mode.LIVE, Mode.TRIAL, False, False),
    (Mode.LIVE, Mode.PRACTICE, False, False),
    (Mode.LIVE, Mode.TRIAL, True, True),
    (Mode.LIVE, Mode.PRACTICE, True, False),
    (Mode.TRIAL, Mode.PRACTICE, False, True),
    (Mode.PRACTICE, Mode.PRACTICE, False, True),
    (Mode.PRACTICE, Mode.LIVE, False, True),
])
def test_a_consent_that_was_rehearsed_is_none_in_live(mode: Mode, confirmed: Mode, team: bool, may: bool) -> None:
    answer = campaign(IN._replace(mode=mode, consent_mode=confirmed, trusted=team))

    assert answer == (CLEAR if may else Refuse(Reason.PRACTICE_CONSENT))


@pytest.mark.parametrize(("sent", "answer"), [
    (Sent(0, 0, None), CLEAR),
    (Sent(1, 2, NOW), CLEAR),
    (Sent(2, 2, NOW), Refuse(Reason.LIMIT)),
    (Sent(0, 3, NOW - timedelta(days=20)), Refuse(Reason.LIMIT)),
])
def test_an_address_gets_one_confirmation_and_one_resend_a_day_and_three_a_month(sent: Sent, answer: Verdict) -> None:
    assert verdict(Facts(waiting=True, sent=sent), MessageClass.CONFIRMATION, NOW) == answer


def test_fresh_links_wait_a_quarter_of_an_hour_and_end_at_five_a_day() -> None:
    link, lately = MessageClass.FRESH_LINK, NOW - timedelta(minutes=10)

    assert verdict(Facts(sent=Sent(1, 1, lately)), link, NOW) == Wait(Reason.LIMIT, NOW + timedelta(minutes=5))
    assert verdict(Facts(sent=Sent(4, 4, NOW - timedelta(minutes=15))), link, NOW) == CLEAR
    assert verdict(Facts(sent=Sent(5, 5, NOW - timedelta(hours=2))), link, NOW) == Refuse(Reason.LIMIT)


def test_tests_and_staff_mail_go_to_team_addresses_alone() -> None:
    for kind in (MessageClass.TEST, MessageClass.STAFF):
        assert verdict(Facts(team=True), kind, NOW) == CLEAR
        assert verdict(IN, kind, NOW) == Refuse(Reason.NO_ADDRESS)
