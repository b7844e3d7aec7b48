"""The sample's tell-a-friend page, with the policy pack under which our server may pass messages on (decision 27)."""

from sqlalchemy import text

from mailer.context import Context
from mailer.core.modes import Mode
from mailer.friends import settings
from mailer.organisation import profile
from mailer.policy import packs
from mailer.policy.pack import DEFAULT
from mailer.policy.packs import FRIENDS_BY_MAIL
from mailer.sample.lists import SampleList

OTHERS_PASS_ON = text("""
    SELECT EXISTS (SELECT FROM friend_setting f JOIN mailing_list l ON l.id = f.list_id
                   WHERE f.by_mail AND NOT l.sample)
""")


def add(ctx: Context, mailing_list: SampleList) -> None:
    """Offer the list to friends; by mail only in Practice, and only where nobody has chosen a policy pack yet."""
    if profile.mode(ctx) is Mode.PRACTICE and packs.current(ctx) is DEFAULT:
        packs.choose(ctx, FRIENDS_BY_MAIL.name)
    settings.change(ctx, mailing_list.id, shares=True, by_mail=settings.allowed_by_mail(ctx))


def remove(ctx: Context) -> None:
    """Back to the strictest pack, unless a list that is no sample passes messages on under this one."""
    ctx.db.execute(text("DELETE FROM friend_setting WHERE list_id IN (SELECT id FROM mailing_list WHERE sample)"))
    if packs.current(ctx) is FRIENDS_BY_MAIL and not ctx.db.scalar(OTHERS_PASS_ON):
        packs.choose(ctx, DEFAULT.name)
