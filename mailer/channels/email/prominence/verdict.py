"""Everything that keeps the way out of a message from being noticed."""

from mailer.channels.email.prominence import page, plain
from mailer.channels.email.prominence.tricks import Fault


def faults(html: str, text: str, leave: str) -> list[Fault]:
    """The faults of both parts as they arrive, each once; `leave` is the way out's address as it stands in them."""
    before = page.words_before(html, leave)
    return list(dict.fromkeys([*page.faults(html, leave), *plain.faults(text, leave, before)]))
