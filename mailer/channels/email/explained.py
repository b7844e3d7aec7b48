"""What a mail server's reply means, in words for a person."""

from mailer.channels.email.replies import Action, Stage, Verdict, classify, read_enhanced
from mailer.channels.email.reply_reader import BrokenReply, ReplyReader, code_of, words_of
from mailer.core.channel import Explanation
from mailer.core.errors import InvalidInput

STAGES = ", ".join(stage.lower().replace("_", "-") for stage in Stage)

SENTENCES = {
    Action.DELIVERED: "The server took the message.",
    Action.CONTINUE: "All is well; the conversation goes on.",
    Action.SEND_BODY: "The server waits for the message itself.",
    Action.RETRY: "Not now: we try again later.",
    Action.UNCERTAIN: "Nobody knows whether the message was taken: it is unsure, and not sent again by itself.",
    Action.THROTTLE_DOMAIN: "Too much or not trusted just now: we slow down for this destination and blame no person.",
    Action.SPLIT_TRANSACTION: "Too many recipients at once: the rest is sent separately.",
    Action.SOFT: "Refused for this message; the address is not struck off.",
    Action.HARD: "There is no such mailbox: nothing more is sent to this address.",
    Action.BLOCK: "Refused because of us, not of the person: the operator is told.",
    Action.NEED_TLS: "The server wants an encrypted connection first: the operator is told.",
    Action.NO_STARTTLS: "The server cannot encrypt now: nothing is sent in the clear.",
    Action.FALLBACK_HELO: "An old server: we greet it with HELO instead.",
    Action.PROTOCOL_ERROR: "This is no answer to what was asked: the connection is closed and the message tried again.",
    Action.CONFIG_ERROR: "User or password are refused: sending over this server stops and the operator is told.",
    Action.NO_RECIPIENTS: "No recipient was left to send to.",
}


def explain_reply(raw: str, stage: str) -> Explanation:
    """What we make of a reply at a stage; an empty one is a connection that ended. Raises: InvalidInput."""
    name = stage.strip().upper().replace("-", "_")
    if name not in Stage.__members__:
        raise InvalidInput(field="stage", why=f"one of {STAGES}")
    verdict = _judge(raw, Stage[name])
    return Explanation({
        "action": str(verdict.action), "fate": verdict.fate and str(verdict.fate), "code": verdict.code,
        "operator": verdict.operator, "lane_down": verdict.lane_down,
    }, SENTENCES[verdict.action])


def _judge(raw: str, stage: Stage) -> Verdict:
    if not raw.strip():
        return classify(0, None, "", stage)
    data = "".join(f"{line}\r\n" for line in raw.strip().splitlines()).encode()
    try:
        [reply] = ReplyReader().feed(data)
    except (BrokenReply, ValueError):
        return classify(-1, None, "", stage)
    words = words_of(reply)
    return classify(code_of(reply), read_enhanced(words), words, stage)
