"""Words that every part of sending shares: classes, purposes, states."""

from enum import StrEnum


class Purpose(StrEnum):
    """What a consent is for; none implies another (decision 1)."""

    OWN_OFFERS = "own_offers"
    PARTNER_OFFERS = "partner_offers_sent_by_us"
    SHARE = "share_with_partner"
    SERVICE = "service"


class ConsentModel(StrEnum):
    """How somebody comes to be written to, on one channel and for one purpose; a policy pack says which."""

    CONFIRMED_OPT_IN = "confirmed_opt_in"
    OPT_OUT = "opt_out"
    FORBIDDEN = "forbidden"


class MessageClass(StrEnum):
    """What a message is; the gate's table has a column for each (decisions 1 and 5)."""

    CAMPAIGN = "campaign"
    PARTNER_OFFER = "partner_offer"
    CONFIRMATION = "confirmation"
    FRESH_LINK = "fresh_link"
    INVITATION = "invitation"
    SERVICE_NOTICE = "service_notice"
    POLICY_NOTICE = "policy_notice"
    RIGHTS_ANSWER = "rights_answer"
    REPLY = "reply"
    PRESS = "press"
    ACKNOWLEDGEMENT = "acknowledgement"
    STAFF_INVITATION = "staff_invitation"
    TEST = "test"
    STAFF = "staff"


RESENT_ONCE = frozenset({
    MessageClass.CONFIRMATION, MessageClass.FRESH_LINK, MessageClass.RIGHTS_ANSWER, MessageClass.POLICY_NOTICE,
})
"""Classes whose uncertain message is resent once with the same Message-ID; nothing else ever is (decision 8)."""


class State(StrEnum):
    """States of a message (engine guarantees); `WAITING` are those that may still move on."""

    READY = "ready"
    CLAIMED = "claimed"
    HANDED = "handed"
    DEFERRED = "deferred"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"
    EXPIRED = "expired"
    UNCERTAIN = "uncertain"


WAITING = frozenset({State.READY, State.CLAIMED, State.HANDED, State.DEFERRED})

MOVES: dict[State, frozenset[State]] = {
    State.READY: frozenset({State.CLAIMED, State.HANDED, State.REFUSED, State.EXPIRED}),
    State.CLAIMED: frozenset({State.READY, State.HANDED, State.REFUSED, State.EXPIRED}),
    State.HANDED: frozenset({
        State.READY, State.ACCEPTED, State.DEFERRED, State.FAILED, State.EXPIRED, State.UNCERTAIN,
    }),
    State.DEFERRED: frozenset({State.READY, State.HANDED, State.REFUSED, State.EXPIRED}),
    State.UNCERTAIN: frozenset({State.READY, State.ACCEPTED, State.DEFERRED, State.FAILED}),
    State.ACCEPTED: frozenset(),
    State.REFUSED: frozenset(),
    State.FAILED: frozenset(),
    State.EXPIRED: frozenset(),
}
"""The total table of moves: every state has its row; what is not in it does not happen."""


class CampaignState(StrEnum):
    """States of a campaign, as the command line and the screens name them."""

    DRAFT = "draft"
    NEEDS_APPROVAL = "needs_approval"
    SCHEDULED = "scheduled"
    STARTING = "starting"
    SENDING = "sending"
    PAUSED = "paused"
    STOPPED = "stopped"
    SENT = "sent"
    COULD_NOT_START = "could_not_start"
