"""What the organisation is at this moment: the environment's word first, then the screen's."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy.dialects.postgresql import insert

from mailer.context import Context
from mailer.core.channel import Brand
from mailer.core.modes import Mode
from mailer.organisation.models import Instance, Organisation


@dataclass(frozen=True)
class Profile:
    """Effective values. `fixed` names those that the environment sets and the screen greys."""

    name: str
    postal_address: str
    help_email: str
    public_url: str
    time_zone: str
    mode: Mode
    fixed: frozenset[str]

    @property
    def domain(self) -> str:
        """The host that stands in List-Id and Message-ID (RFC 2919 §3)."""
        host = urlsplit(self.public_url).hostname or "localhost"
        return host if "." in host else f"{host}.localdomain"


def current(ctx: Context) -> Profile:
    """The organisation as it now is; empty texts before first run."""
    row = ctx.db.get(Organisation, 1) or Organisation(
        name="", postal_address="", help_email="", public_url="", time_zone="UTC", mode=Mode.PRACTICE)
    # A session knows a row again only while somebody holds it, and this one is asked for several times.
    ctx.db.info[Organisation] = row
    fixed = ctx.fixed
    named = {"mode": fixed.mode, "public_url": fixed.public_url, "postal_address": fixed.postal_address,
             "mail_from": fixed.mail_from}
    return Profile(
        name=row.name,
        postal_address=fixed.postal_address or row.postal_address,
        help_email=row.help_email,
        public_url=fixed.public_url or row.public_url or fixed.local_url,
        time_zone=row.time_zone,
        mode=fixed.mode or Mode(row.mode),
        fixed=frozenset(name for name, value in named.items() if value),
    )


def mode(ctx: Context) -> Mode:
    """The mode in force: `current(ctx).mode`, without a look where the settings say it."""
    return ctx.fixed.mode or current(ctx).mode


def brand(profile: Profile, notice_version: str) -> Brand:
    """The organisation as messages print it."""
    return Brand(profile.name, profile.postal_address, profile.help_email, profile.public_url, notice_version)


def ensure_row(ctx: Context) -> Organisation:
    """The organisation's row, made when it is missing."""
    ctx.db.execute(insert(Organisation).values(
        one=1, name="", postal_address="", help_email="", public_url="", time_zone="UTC",
        mode=Mode.PRACTICE).on_conflict_do_nothing())
    return ctx.db.get_one(Organisation, 1)


def ensure_instance(ctx: Context) -> Instance:
    """This installation's identity, made once."""
    ctx.db.execute(insert(Instance).values(
        one=1, id=ctx.tokens.new_id(), created_at=ctx.clock.now(), key_required=ctx.sealer.fingerprint_version,
        key_settled=ctx.sealer.fingerprint_version).on_conflict_do_nothing())
    return ctx.db.get_one(Instance, 1)
