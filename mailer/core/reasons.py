"""Why a message does not go out: one enum for gate, command line, screens and files (decision 5)."""

from enum import StrEnum


class Reason(StrEnum):
    """In the order in which they answer: the first that applies is the one recorded."""

    ERASED = "erased"
    NEVER = "never"
    CHILD = "child"
    LAW = "law"
    FRIEND_ONLY = "friend_only"
    NOT_ME = "not_me"
    HOLD = "hold"
    DOMAIN_RULE = "domain_rule"
    STOPPED = "stopped"
    UNSUBSCRIBED = "unsubscribed"
    POST_CODE = "post_code"
    STAFF_STOP = "staff_stop"
    COMPLAINED = "complained"
    BOUNCED = "bounced"
    GONE_AWAY = "gone_away"
    DOUBTFUL = "doubtful"
    NO_CONSENT = "no_consent"
    NOT_CONFIRMED = "not_confirmed"
    NOT_TOPIC = "not_topic"
    PARTNER_OFFERS_OFF = "partner_offers_off"
    PAUSED = "paused"
    CAP = "cap"
    DUPLICATE = "duplicate"
    SEGMENT = "segment"
    NO_ADDRESS = "no_address"
    PRACTICE_CONSENT = "practice_consent"
    POLICY_NOT_EFFECTIVE = "policy_not_effective"
    AWAITING_RECONSENT = "awaiting_reconsent"
    CAMPAIGN_STOPPED = "campaign_stopped"
    LIMIT = "limit"


SUPPRESSING = (
    Reason.ERASED, Reason.NEVER, Reason.CHILD, Reason.LAW, Reason.FRIEND_ONLY, Reason.NOT_ME, Reason.HOLD,
    Reason.STOPPED, Reason.UNSUBSCRIBED, Reason.POST_CODE, Reason.STAFF_STOP, Reason.COMPLAINED,
    Reason.BOUNCED, Reason.GONE_AWAY, Reason.DOUBTFUL,
)
"""Reasons that a stop-list entry may carry."""
