"""What an SMTP reply means for one message (RFC 5321 section 4.2, RFC 3463, RFC 5248, RFC 7504)."""

import re
from dataclasses import dataclass
from enum import StrEnum

from mailer.core.channel import Fate, Outcome


class Stage(StrEnum):
    """Where in the conversation a reply came."""

    CONNECT = "CONNECT"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DATA_END = "DATA_END"
    ANY = "ANY"


class Action(StrEnum):
    """What to do about a reply."""

    DELIVERED = "delivered"
    CONTINUE = "continue"
    SEND_BODY = "send_body"
    RETRY = "retry"
    UNCERTAIN = "uncertain"
    THROTTLE_DOMAIN = "throttle_domain"
    SPLIT_TRANSACTION = "split_transaction"
    SOFT = "soft"
    HARD = "hard"
    BLOCK = "block"
    NEED_TLS = "need_tls"
    NO_STARTTLS = "no_starttls"
    FALLBACK_HELO = "fallback_helo"
    PROTOCOL_ERROR = "protocol_error"
    CONFIG_ERROR = "config_error"
    NO_RECIPIENTS = "no_recipients"


@dataclass(frozen=True)
class Verdict:
    """A reply, judged; `fate` is None while the conversation goes on."""

    action: Action
    fate: Fate | None
    code: str = ""
    operator: bool = False
    lane_down: bool = False

    def outcome(self, row: int) -> Outcome:
        """The same, said of one row."""
        return Outcome(row, self.fate or Fate.DEFERRED, self.code, self.operator, self.lane_down)


BEFORE_ANY_MESSAGE = frozenset({Stage.CONNECT, Stage.EHLO, Stage.STARTTLS, Stage.AUTH})
OURS = frozenset({Action.BLOCK, Action.NEED_TLS, Action.NO_STARTTLS, Action.CONFIG_ERROR})
GOES_ON = frozenset({Action.CONTINUE, Action.SEND_BODY, Action.FALLBACK_HELO})
LATER = frozenset({Action.RETRY, Action.THROTTLE_DOMAIN, Action.SPLIT_TRANSACTION, Action.NEED_TLS,
                   Action.NO_STARTTLS, Action.CONFIG_ERROR, Action.PROTOCOL_ERROR})

ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?!\S)")
GREYLISTED = re.compile(r"gr[ae]y-?list", re.IGNORECASE)
REFUSED_AS_SPAM = re.compile(r"spam|block(ed|list)|blacklist|reputation|policy|unsolicited", re.IGNORECASE)

NO_SUCH_MAILBOX = frozenset({"1.0", "1.1", "1.2", "1.3", "1.6", "1.10", "2.1"})
ABOUT_THE_SENDER = frozenset({"1.7", "1.8", "3.4"})
BAD_RECIPIENT = frozenset({550, 551, 553})
TAKES_NO_MAIL = frozenset({521, 556})


def read_enhanced(text: str) -> str | None:
    """The enhanced status code that a reply's text begins with, if any (RFC 2034)."""
    found = ENHANCED.match(text)
    return found[1] if found else None


def classify(code: int, enhanced: str | None, text: str, stage: str) -> Verdict:
    """What a reply means at a stage; code 0 is a connection that ended without one.

    The first digit decides even for unknown codes (RFC 5321 section 4.2.1); the enhanced code only refines, also
    when its class disagrees (RFC 3463 section 2). The server's words are read here and kept nowhere.
    """
    at = Stage(stage)
    if code == 0:
        return _silence(at)
    detail = enhanced.partition(".")[2] if enhanced else ""
    action = _action(code, detail, text, at)
    size = action is Action.BLOCK and detail == "3.4"
    later = action in LATER or at in BEFORE_ANY_MESSAGE or (at is Stage.MAIL and action is Action.BLOCK and not size)
    return Verdict(
        action,
        _fate(action, later),
        f"{code} {enhanced}" if enhanced else str(code),
        operator=action in OURS or (at in BEFORE_ANY_MESSAGE and code >= 500),
        lane_down=_lane_down(code, action, at),
    )


def _silence(at: Stage) -> Verdict:
    if at is Stage.DATA_END:
        return Verdict(Action.UNCERTAIN, Fate.UNCERTAIN, "lost", lane_down=True)
    if at is Stage.CONNECT:
        return Verdict(Action.RETRY, Fate.DEFERRED, "connect", lane_down=True)
    fate = Fate.DEFERRED if at in BEFORE_ANY_MESSAGE else Fate.UNBEGUN
    return Verdict(Action.RETRY, fate, "lost", lane_down=True)


def _fate(action: Action, later: bool) -> Fate | None:
    if action in GOES_ON:
        return None
    if action is Action.DELIVERED:
        return Fate.ACCEPTED
    if action is Action.UNCERTAIN:
        return Fate.UNCERTAIN
    return Fate.DEFERRED if later else Fate.FAILED


def _lane_down(code: int, action: Action, at: Stage) -> bool:
    if action in GOES_ON or action is Action.DELIVERED:
        return False
    return code == 421 or action is Action.THROTTLE_DOMAIN or action is Action.NEED_TLS or at in BEFORE_ANY_MESSAGE


def _action(code: int, detail: str, text: str, at: Stage) -> Action:
    match code // 100:
        case 2 if at is Stage.DATA_END:
            return Action.DELIVERED
        case 2 if at is not Stage.DATA:
            return Action.CONTINUE
        case 3 if at is Stage.DATA:
            return Action.SEND_BODY
        case 3 if at is Stage.AUTH:
            return Action.CONTINUE
        case 4:
            return _transient(code, detail, text, at)
        case 5:
            return _permanent(code, detail, text, at)
    # Whatever this says about the message, it does not say that it was refused.
    return Action.UNCERTAIN if at is Stage.DATA_END else Action.PROTOCOL_ERROR


def _transient(code: int, detail: str, text: str, at: Stage) -> Action:
    if code == 452 and detail == "5.3":
        return Action.SPLIT_TRANSACTION
    if detail.startswith("7.") and at not in BEFORE_ANY_MESSAGE and not GREYLISTED.search(text):
        return Action.THROTTLE_DOMAIN
    return Action.RETRY


def _permanent(code: int, detail: str, text: str, at: Stage) -> Action:
    if at in BEFORE_ANY_MESSAGE:
        return _permanent_early(code, at)
    if at is Stage.MAIL:
        return Action.NEED_TLS if code == 530 else Action.BLOCK
    if detail.startswith("7.") or detail in ABOUT_THE_SENDER:
        return Action.BLOCK
    if at is Stage.DATA and detail == "5.1":
        return Action.NO_RECIPIENTS
    if code in TAKES_NO_MAIL or detail in NO_SUCH_MAILBOX:
        return Action.HARD
    if at is Stage.RCPT:
        refused = detail == "4.1" or (not detail and code in BAD_RECIPIENT)
        return Action.HARD if refused else Action.SOFT
    return Action.BLOCK if not detail and REFUSED_AS_SPAM.search(text) else Action.SOFT


def _permanent_early(code: int, at: Stage) -> Action:
    if at is Stage.EHLO and code in (500, 502):
        return Action.FALLBACK_HELO
    if at is Stage.STARTTLS:
        return Action.NO_STARTTLS
    if at is Stage.AUTH:
        return Action.CONFIG_ERROR
    return Action.HARD if code in TAKES_NO_MAIL else Action.BLOCK
