"""Whether messages can be built at all, found out before anybody is planned."""

from mailer.context import Context
from mailer.core.channel import Finding, Frame, Grade, Links
from mailer.core.errors import MailerError
from mailer.outbox.assignment import Assignment


def finding(ctx: Context, task: Assignment) -> Finding:
    """Compiles the message and lays it out as the road does; what would fail every message must be fixed."""
    base = task.public_url
    frame = Frame(ctx.clock.now().replace(microsecond=0), Links(
        leave=f"{base}/u/", one_click=f"{base}/one-click/", preferences=f"{base}/p/", why=f"{base}/why/"), task.domain)
    try:
        ctx.channels[task.terms.channel].compile(task.copy).batch(frame)
    except MailerError as error:
        return Finding(Grade.MUST_FIX, "cannot_build", "settings", str(error.context.get("field", error.code)))
    return Finding(Grade.FINE, "cannot_build", "settings")
