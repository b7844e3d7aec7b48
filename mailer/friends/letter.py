"""The friend's message: its words are ours and fixed, and it always bears the way to say never."""

from mailer.context import Context
from mailer.core.messages import MessageClass
from mailer.organisation import profile
from mailer.outbox import letters
from mailer.outbox.letters import Said
from mailer.policy import notices

TEMPLATE = f"messages/email/{MessageClass.INVITATION}"
EXAMPLE = {"first_name": "Fern", "sender": "fern@example.org", "words": "I thought of you when I read this.",
           "address": "your.friend@example.org"}


def preview(ctx: Context, list_name: str) -> Said:
    """The message with an example's values."""
    house = profile.current(ctx)
    notice = notices.in_force(ctx)
    return letters.render(TEMPLATE, {
        **EXAMPLE, "brand": profile.brand(house, notice.version if notice else ""), "list_name": list_name,
        "page": _page(house.public_url), "join": f"{house.public_url}/join/example"})


def bears_the_way_out(ctx: Context) -> bool:
    """Whether every part of the message holds the link to the friend's own page."""
    return preview(ctx, "").holds(_page(profile.current(ctx).public_url))


def _page(public_url: str) -> str:
    return f"{public_url}/friend/{'a' * 56}"
