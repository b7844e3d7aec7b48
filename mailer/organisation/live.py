"""What must be there before anything may leave for people: asked by the mode switch and again at each hand-over."""

from urllib.parse import urlsplit

from sqlalchemy import text

from mailer.context import Context
from mailer.organisation import profile as organisation
from mailer.organisation import senders
from mailer.settings import LOOPBACK

MAIL_SERVER = "a mail server (SMTP_URL)"

NOTICE_IN_FORCE = text("SELECT EXISTS (SELECT FROM notice WHERE effective_at <= :now)")


def lacking(ctx: Context) -> list[str]:
    """What Live lacks, in words; empty when messages may leave (decision 29).

    Plain SMTP, PostgreSQL, Redis and http are taken on this machine alone, where they serve a test or a relay.
    """
    profile = organisation.current(ctx)
    found = {
        MAIL_SERVER: bool(ctx.fixed.mail_server),
        "an encrypted way to the mail server (SMTP_URL)": ctx.fixed.mail_server != "plain",
        "an encrypted way to the database (DATABASE_URL)": "DATABASE_URL" not in ctx.fixed.plain_servers,
        "an encrypted way to Redis (REDIS_URL)": "REDIS_URL" not in ctx.fixed.plain_servers,
        "a web address with https (PUBLIC_URL)": is_safe(profile.public_url),
        "a sender (MAIL_FROM)": senders.default(ctx) is not None,
        "a postal address (POSTAL_ADDRESS)": bool(profile.postal_address.strip()),
        "a published privacy notice": bool(ctx.db.scalar(NOTICE_IN_FORCE, {"now": ctx.clock.now()})),
    }
    return [what for what, there in found.items() if not there]


def is_safe(public_url: str) -> bool:
    """Whether links may point there: https, or this machine."""
    parts = urlsplit(public_url)
    return parts.scheme == "https" or parts.hostname in LOOPBACK
