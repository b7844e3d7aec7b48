"""The table: which reason stops which class of message. Total: every reason has a cell for every class."""

from collections.abc import Mapping
from enum import StrEnum

from mailer.core.messages import MessageClass
from mailer.core.reasons import Reason


class Cell(StrEnum):
    """What a row says of a class.

    It may go, it may not, once in 30 days, when the person texted START, or a few times a day.
    """

    YES = "yes"
    NO = "no"
    ONCE = "once"
    START = "start"
    FEW = "few"


YES, NO, ONCE, START, FEW = Cell.YES, Cell.NO, Cell.ONCE, Cell.START, Cell.FEW


def _row(marketing: Cell, confirmation: Cell, invitation: Cell, notice: Cell, rights: Cell,
         staff_invitation: Cell = NO) -> Mapping[MessageClass, Cell]:
    """The five columns of the printed table, and those that follow from them (decision 5).

    A tell-a-friend sender's press and an acknowledgement go as a confirmation does, a fresh link as an answer to a
    rights request; a reply to the person's own text always goes; tests and staff mail know no rows.
    """
    return {
        MessageClass.CAMPAIGN: marketing,
        MessageClass.PARTNER_OFFER: marketing,
        MessageClass.CONFIRMATION: confirmation,
        MessageClass.PRESS: confirmation,
        MessageClass.ACKNOWLEDGEMENT: confirmation,
        MessageClass.INVITATION: invitation,
        MessageClass.SERVICE_NOTICE: notice,
        MessageClass.POLICY_NOTICE: notice,
        MessageClass.RIGHTS_ANSWER: rights,
        MessageClass.FRESH_LINK: rights,
        MessageClass.REPLY: YES,
        MessageClass.STAFF_INVITATION: staff_invitation,
        MessageClass.TEST: YES,
        MessageClass.STAFF: YES,
    }


def _only(*kinds: MessageClass) -> Mapping[MessageClass, Cell]:
    return {kind: NO if kind in kinds else YES for kind in MessageClass}


_LEFT = _row(NO, YES, NO, YES, YES)
_TEXT_STOP = _row(NO, START, NO, NO, YES)
_BOUNCED = _row(NO, ONCE, NO, NO, NO)
_SHUT = _row(NO, NO, NO, NO, YES)
_SHUT_BY_OTHERS = _row(NO, NO, NO, NO, FEW)
_JOINS_AGAIN = _row(NO, YES, NO, NO, YES)
_SELDOM = _row(NO, YES, NO, YES, YES)
_CONSENT = _only(MessageClass.CAMPAIGN, MessageClass.PARTNER_OFFER)
_EVERYTHING = _only(*MessageClass)

TABLE: Mapping[Reason, Mapping[MessageClass, Cell]] = {
    Reason.ERASED: _JOINS_AGAIN,
    Reason.NEVER: _SHUT_BY_OTHERS,
    Reason.CHILD: _SHUT_BY_OTHERS,
    Reason.LAW: _SHUT_BY_OTHERS,
    Reason.FRIEND_ONLY: _JOINS_AGAIN,
    Reason.NOT_ME: _SHUT,
    Reason.HOLD: _SHUT,
    Reason.DOMAIN_RULE: _SHUT_BY_OTHERS,
    Reason.STOPPED: _TEXT_STOP,
    Reason.UNSUBSCRIBED: _LEFT,
    Reason.POST_CODE: _LEFT,
    Reason.STAFF_STOP: _LEFT,
    Reason.COMPLAINED: _SHUT,
    Reason.BOUNCED: _BOUNCED,
    Reason.GONE_AWAY: _BOUNCED,
    Reason.DOUBTFUL: _TEXT_STOP,
    Reason.NO_CONSENT: _CONSENT,
    Reason.NOT_CONFIRMED: _CONSENT,
    Reason.NOT_TOPIC: _CONSENT,
    Reason.PARTNER_OFFERS_OFF: _only(MessageClass.PARTNER_OFFER),
    Reason.PAUSED: _SELDOM,
    Reason.CAP: _SELDOM,
    Reason.DUPLICATE: _CONSENT,
    Reason.SEGMENT: _CONSENT,
    Reason.NO_ADDRESS: _EVERYTHING,
    Reason.PRACTICE_CONSENT: _CONSENT,
    Reason.POLICY_NOT_EFFECTIVE: _only(MessageClass.POLICY_NOTICE),
    Reason.AWAITING_RECONSENT: _CONSENT,
    Reason.CAMPAIGN_STOPPED: _CONSENT,
    Reason.LIMIT: _EVERYTHING,
}
