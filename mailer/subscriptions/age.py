"""The one question about age, where the policy asks it: looked at and dropped, never stored or logged (decision 41)."""

from mailer.core.errors import MailerError
from mailer.core.messages import Purpose
from mailer.policy.pack import Pack

OLDEST = 130
"""Whole years; a larger number was a slip."""


class UnderAge(MailerError):
    """Somebody is too young for what they asked; nothing may be written, and it does not say how young."""

    code = "under_age"
    status = 200


def fault(pack: Pack, typed: str) -> str:
    """What is wrong with the answer itself, as a reason code: it is then asked again; empty where nothing is asked."""
    if not pack.asks_age:
        return ""
    return "" if _years(typed) is not None else "blank"


def check(pack: Pack, typed: str, given_for: str = Purpose.OWN_OFFERS) -> None:
    """Raises: UnderAge below the floor of that purpose, before anything was looked up or written."""
    years = _years(typed) if pack.asks_age else None
    if years is not None and years < pack.floor(given_for):
        raise UnderAge()


def _years(typed: str) -> int | None:
    typed = typed.strip()
    if not (typed.isascii() and typed.isdigit()) or len(typed) > 3:
        return None
    return int(typed) if int(typed) <= OLDEST else None
