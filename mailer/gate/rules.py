"""Who may be written to, with what, and why not. Pure: facts in, verdict out; no database, no clock, no channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from mailer.core.messages import ConsentModel, MessageClass
from mailer.core.modes import Mode
from mailer.core.reasons import Reason
from mailer.gate.table import TABLE, Cell

REQUESTS_A_DAY, REQUESTS_A_MONTH = 2, 3
"""One confirmation request a day and one resend of it, three such mails a month for an address (decision 25)."""
LINKS_A_DAY, LINKS_APART = 5, timedelta(minutes=15)
"""Fresh links to one address (decision 25)."""
ANSWERS_A_DAY = 5
"""Answers to rights requests where others shut the address; the next one waits, none is dropped."""

REQUESTS = frozenset({MessageClass.CONFIRMATION, MessageClass.PRESS, MessageClass.ACKNOWLEDGEMENT})
LIMITED = REQUESTS | {MessageClass.FRESH_LINK, MessageClass.RIGHTS_ANSWER}
MARKETING = frozenset({MessageClass.CAMPAIGN, MessageClass.PARTNER_OFFER})
TEAM_ONLY = frozenset({MessageClass.TEST, MessageClass.STAFF})


class Consent(StrEnum):
    """The best answer that stands for a campaign's topics, best first."""

    LIVE = "live"
    ENDED = "ended"
    REFUSED = "refused"
    NONE = "none"


class Sent(NamedTuple):
    """What one address was already sent of a limited kind, this message's own tries left out."""

    today: int = 0
    month: int = 0
    last_at: datetime | None = None


class Facts(NamedTuple):
    """Everything a verdict rests on. Hashable, so that people who are alike are judged once.

    `suppressed` holds the entries in force here; `elsewhere` is a live consent to another topic of the list;
    `consent_mode` the mode in which the weakest consent needed was confirmed, `trusted` that a team address gave it;
    `team` that a member of staff is written to as such; `known` turns false when the row of the contact point is
    gone; `by_start` is true when the person texted START; `model` is what the policy wants, `customer` that the
    address was given with an order.
    """

    suppressed: frozenset[Reason] = frozenset()
    team: bool = False
    known: bool = True
    reachable: bool = True
    hold: bool = False
    consent: Consent = Consent.NONE
    elsewhere: bool = False
    waiting: bool = False
    partner: bool = False
    mode: Mode = Mode.LIVE
    consent_mode: Mode | None = None
    trusted: bool = False
    paused_until: datetime | None = None
    every_days: int = 0
    last_campaign_on: date | None = None
    by_start: bool = False
    sent: Sent = Sent()
    model: ConsentModel = ConsentModel.CONFIRMED_OPT_IN
    customer: bool = False


@dataclass(frozen=True)
class Clear:
    """It may go."""


@dataclass(frozen=True)
class Refuse:
    """It does not go, now or later."""

    reason: Reason


@dataclass(frozen=True)
class Wait:
    """Ask again at `until`; nothing is recorded meanwhile."""

    reason: Reason
    until: datetime


Verdict = Clear | Refuse | Wait
CLEAR = Clear()
ORDER: Mapping[Reason, int] = {reason: place for place, reason in enumerate(Reason)}


def verdict(facts: Facts, kind: MessageClass, now: datetime) -> Verdict:
    """Whether a message of this class may go to somebody of whom these facts hold (decisions 1-6, 25, 32)."""
    found = [reason for reason in _objections(facts, now) if _stops(reason, kind, facts)]
    if (kind in TEAM_ONLY) != facts.team:
        found.append(Reason.NO_ADDRESS)
    if found:
        return Refuse(min(found, key=ORDER.__getitem__))
    few = any(TABLE[reason][kind] is Cell.FEW for reason in facts.suppressed)
    return _within_limits(facts.sent, kind, now, few=few)


def _objections(facts: Facts, now: datetime) -> set[Reason]:
    """Every reason that holds, whatever the class of the message."""
    found = {
        Reason.ERASED: not facts.known,
        Reason.HOLD: facts.hold,
        Reason.PARTNER_OFFERS_OFF: not facts.partner,
        Reason.PAUSED: facts.paused_until is not None and facts.paused_until > now,
        Reason.CAP: capped(facts.every_days, facts.last_campaign_on, now),
        Reason.NO_ADDRESS: not facts.reachable,
        Reason.PRACTICE_CONSENT: _practised(facts),
    }
    missing = _consent_missing(facts)
    return {reason for reason, holds in found.items() if holds} | facts.suppressed | ({missing} if missing else set())


def capped(every_days: int, last_campaign_on: date | None, now: datetime) -> bool:
    """Whether a person's "how often" is used up: one campaign in a rolling 7 or 30 days (UTC, decision 6)."""
    if not every_days or last_campaign_on is None:
        return False
    return (day(now) - last_campaign_on).days < every_days


def day(now: datetime) -> date:
    """The day that a cap counts: UTC."""
    return now.astimezone(UTC).date()


def _consent_missing(facts: Facts) -> Reason | None:
    """What lacks on the campaign's topics.

    Who has left the topic and still has another of the list did not choose it; who has none left has unsubscribed,
    although confirming elsewhere may have lifted the entry that said so. Where the policy forbids the purpose no
    consent is enough; where it lets customers say no, silence of a customer is (promise A3).
    """
    if facts.model is ConsentModel.FORBIDDEN:
        return Reason.NO_CONSENT
    match facts.consent:
        case Consent.LIVE:
            return None
        case Consent.ENDED:
            return Reason.NOT_TOPIC if facts.elsewhere else Reason.UNSUBSCRIBED
        case Consent.REFUSED:
            return Reason.NO_CONSENT
        case Consent.NONE:
            if facts.model is ConsentModel.OPT_OUT and facts.customer and not facts.elsewhere:
                return None
            if facts.elsewhere:
                return Reason.NOT_TOPIC
            return Reason.NOT_CONFIRMED if facts.waiting else Reason.NO_CONSENT


def _practised(facts: Facts) -> bool:
    """Whether, in Live, the consent was only rehearsed; a team address confirms for real in Trial (decision 32)."""
    if facts.mode is not Mode.LIVE or facts.consent_mode in (None, Mode.LIVE):
        return False
    return not (facts.trusted and facts.consent_mode is Mode.TRIAL)


def _stops(reason: Reason, kind: MessageClass, facts: Facts) -> bool:
    if reason is Reason.UNSUBSCRIBED and reason not in facts.suppressed:
        return kind in MARKETING
    match TABLE[reason][kind]:
        case Cell.YES | Cell.FEW:
            return False
        case Cell.NO:
            return True
        case Cell.ONCE:
            return facts.sent.month > 0
        case Cell.START:
            return not facts.by_start


def _within_limits(sent: Sent, kind: MessageClass, now: datetime, *, few: bool) -> Verdict:
    if kind in REQUESTS and (sent.today >= REQUESTS_A_DAY or sent.month >= REQUESTS_A_MONTH):
        return Refuse(Reason.LIMIT)
    if kind is MessageClass.FRESH_LINK:
        if sent.today >= LINKS_A_DAY:
            return Refuse(Reason.LIMIT)
        if sent.last_at and sent.last_at + LINKS_APART > now:
            return Wait(Reason.LIMIT, sent.last_at + LINKS_APART)
    if kind is MessageClass.RIGHTS_ANSWER and few and sent.last_at and sent.today >= ANSWERS_A_DAY:
        return Wait(Reason.LIMIT, sent.last_at + timedelta(days=1))
    return CLEAR
