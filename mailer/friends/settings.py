"""What a list offers for telling a friend: nothing, a text to share, or mail by our server (decision 27, ux 2.15)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.friends import letter
from mailer.friends.models import FriendSetting
from mailer.lists import forms
from mailer.lists.models import Form, MailingList
from mailer.policy import packs


@dataclass(frozen=True)
class Offer:
    """A list that may be passed on, and the form by which people join it."""

    list_id: int
    list_name: str
    slug: str
    by_mail: bool


def of(ctx: Context, list_id: int) -> FriendSetting:
    """The switches of a list; both are off until somebody turns them on."""
    return ctx.db.get(FriendSetting, list_id) or FriendSetting(list_id=list_id, shares=False, by_mail=False)


def allowed_by_mail(ctx: Context) -> bool:
    """Whether the policy pack lets our server pass messages on."""
    return packs.current(ctx).friend_mail_by_server


def change(ctx: Context, list_id: int, *, shares: bool, by_mail: bool) -> None:
    """Turn the switches. Raises: InvalidInput naming `by_mail` where the pack, or the message's template, forbids."""
    if by_mail and not allowed_by_mail(ctx):
        raise InvalidInput(field="by_mail", why="The policy pack does not allow mail by our server.")
    if by_mail and not shares:
        raise InvalidInput(field="by_mail", why="Mail by our server needs the page for telling a friend.")
    if by_mail and not letter.bears_the_way_out(ctx):
        raise InvalidInput(field="by_mail", why="The message lacks its link “never write to me again”.")
    before = of(ctx, list_id)
    if (before.shares, before.by_mail) == (shares, by_mail):
        return
    wanted = {"shares": shares, "by_mail": by_mail}
    ctx.db.execute(insert(FriendSetting).values(list_id=list_id, **wanted).on_conflict_do_update(
        index_elements=["list_id"], set_=wanted))
    ctx.db.expire_all()
    trail.record(ctx, "friend_setting_changed", f"list:{list_id}", **wanted)


def offers(ctx: Context) -> Sequence[Offer]:
    """Every list in use that may be passed on and can be joined, oldest first."""
    by_mail = allowed_by_mail(ctx)
    rows = ctx.db.execute(
        select(MailingList.id, MailingList.name, Form.slug, FriendSetting.by_mail).join(
            FriendSetting, FriendSetting.list_id == MailingList.id).join(
            Form, Form.list_id == MailingList.id).where(
            FriendSetting.shares, MailingList.archived.is_(False), Form.archived.is_(False)).ext(
            distinct_on(MailingList.id)).order_by(MailingList.id, Form.id))
    return [Offer(list_id, name, slug, by_mail and wants_mail) for list_id, name, slug, wants_mail in rows]


def offer_of(ctx: Context, list_id: int) -> Offer | None:
    """What one list offers now."""
    return next((each for each in offers(ctx) if each.list_id == list_id), None)


def title(ctx: Context, offer: Offer) -> str:
    """What people would join, as its form says."""
    return forms.Definition.from_json(forms.current(ctx, offer.slug)[1].definition).title
