"""Loading the sample, and removing it again."""

from random import Random

from sqlalchemy import select, text

from mailer.audit import trail
from mailer.context import Context
from mailer.lists.models import MailingList
from mailer.sample import campaigns, lists, people
from mailer.subscriptions import seed

SEED = 7


def load(ctx: Context, number: int = SEED) -> None:
    """Add the whole sample; the same number makes the same sample."""
    seed.ensure_house(ctx)
    chance = Random(number)  # noqa: S311 - made-up people, the same each time.
    made = lists.add(ctx)
    people.add(ctx, made, chance)
    campaigns.add(ctx, made, chance)
    trail.record(ctx, "sample_loaded", seed=number)


def is_loaded(ctx: Context) -> bool:
    """Whether anything of the sample is left."""
    return bool(ctx.db.scalar(text("SELECT EXISTS (SELECT FROM person WHERE sample)")))


def remove(ctx: Context) -> None:
    """Remove people, campaigns and stop-list entries of the sample and nothing else; its lists are put out of use."""
    ctx.db.execute(text("DELETE FROM practice_item WHERE campaign_id IN (SELECT id FROM campaign WHERE sample)"))
    for table in ("message", "decision", "message_block"):
        ctx.db.execute(text(f"DELETE FROM {table} WHERE campaign_id IN (SELECT id FROM campaign WHERE sample)"))  # noqa: S608 - names from the line above.
    ctx.db.execute(text("DELETE FROM campaign WHERE sample"))
    ctx.db.execute(text("DELETE FROM person WHERE sample"))
    ctx.db.execute(text("DELETE FROM suppression WHERE sample"))
    for mailing_list in ctx.db.scalars(select(MailingList).where(MailingList.sample, ~MailingList.archived)):
        lists.archive(ctx, mailing_list)
    trail.record(ctx, "sample_removed")
