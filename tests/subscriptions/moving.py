"""Changing an address and taking it back, as the two mailboxes do it."""

from mailer.audience.models import ContactPoint
from mailer.core.reasons import Reason
from mailer.subscriptions import address
from mailer.subscriptions.address import Answer, Undo
from mailer.suppression import registry
from tests.builders import World

DANA, NEW = "dana@example.org", "new@example.org"


def ask(world: World, point_id: int, new: str = NEW) -> str:
    """Ask for a new address; the token that was mailed to it, empty where none was."""
    before = {letter.id for letter in world.letters("confirmation")}
    with world.unit() as ctx:
        address.ask(ctx, ctx.db.get_one(ContactPoint, point_id), new, source="preferences")
    letters = [letter for letter in world.letters("confirmation") if letter.id not in before]
    return str(letters[0].detail["link"]).rpartition("/")[2] if letters else ""


def confirm(world: World, token: str) -> Answer:
    with world.unit() as ctx:
        return address.confirm(ctx, world.services.opener, token)


def changed(world: World, point_id: int, new: str = NEW) -> Answer:
    return confirm(world, ask(world, point_id, new))


def undo_token(world: World) -> str:
    return str(world.letters("service_notice")[-1].detail["undo"]).rpartition("/")[2]


def undo(world: World, token: str) -> Undo:
    with world.unit() as ctx:
        return address.undo(ctx, world.services.opener, token)


def stop(world: World, of: str, reason: Reason, list_id: int = 0) -> None:
    with world.unit() as ctx:
        registry.suppress(ctx, channel="email", fingerprint=ctx.sealer.fingerprint("email", of), reason=reason,
                          list_id=list_id)
