"""The mailboxes of the organisation's own that campaigns come from."""

from email.utils import parseaddr

from sqlalchemy import select, update

from mailer.audit import trail
from mailer.context import Context
from mailer.core.channel import Mailbox
from mailer.core.errors import InvalidAddress, InvalidInput, NotFound
from mailer.organisation.models import Sender

LONGEST_NAME = 80


def default(ctx: Context) -> Mailbox | None:
    """The sender of a message that names none: MAIL_FROM where it is set, else the one chosen on the screen."""
    if ctx.fixed.mail_from:
        name, address = parseaddr(ctx.fixed.mail_from)
        return Mailbox(name, address)
    row = ctx.db.scalar(select(Sender).where(Sender.archived.is_(False)).order_by(
        Sender.is_default.desc(), Sender.id).limit(1))
    return Mailbox(row.name, row.address) if row else None


def listed(ctx: Context) -> list[Sender]:
    """Those in use, the default one first."""
    return list(ctx.db.scalars(select(Sender).where(Sender.archived.is_(False)).order_by(
        Sender.is_default.desc(), Sender.id)))


def add(ctx: Context, *, name: str, address: str) -> Sender:
    """A new sender; the first is the default. Raises: InvalidInput naming `sender_name` or `sender_address`."""
    sender = Sender(name=check_name(name), address=check_address(ctx, address), is_default=not listed(ctx),
                    archived=False)
    ctx.db.add(sender)
    ctx.db.flush()
    trail.record(ctx, "sender_added", f"sender:{sender.id}")
    return sender


def make_default(ctx: Context, sender_id: int) -> None:
    """Campaigns that choose no sender come from this one. Raises: NotFound."""
    chosen = _in_use(ctx, sender_id)
    ctx.db.execute(update(Sender).values(is_default=False))
    chosen.is_default = True
    trail.record(ctx, "sender_made_default", f"sender:{sender_id}")


def archive(ctx: Context, sender_id: int) -> None:
    """Take a sender out of use; past campaigns keep it. Raises: NotFound; InvalidInput for the default one."""
    sender = _in_use(ctx, sender_id)
    if sender.is_default:
        raise InvalidInput(field="senders", why="Make another sender the default first.")
    sender.archived = True
    trail.record(ctx, "sender_archived", f"sender:{sender_id}")


def check_name(raw: str) -> str:
    """The name that stands before the address. Raises: InvalidInput."""
    name = " ".join(raw.split())
    if not name:
        raise InvalidInput(field="sender_name", why="Type the name that people see, such as your organisation's.")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput(field="sender_name", why=f"Use one line of at most {LONGEST_NAME} characters.")
    return name


def check_address(ctx: Context, raw: str) -> str:
    """The address to write from. Raises: InvalidInput."""
    try:
        return ctx.channels["email"].parse_address(raw).normalised
    except InvalidAddress as error:
        raise InvalidInput(field="sender_address", why="Type an address such as news@example.org.") from error


def _in_use(ctx: Context, sender_id: int) -> Sender:
    sender = ctx.db.get(Sender, sender_id)
    if sender is None or sender.archived:
        raise NotFound(what="sender")
    return sender
