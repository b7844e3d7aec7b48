"""Loading the sample, and removing it again."""

from dataclasses import dataclass
from random import Random

from sqlalchemy import select, text

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import Conflict
from mailer.lists.models import MailingList
from mailer.sample import campaigns, friends, lists, people, privacy
from mailer.subscriptions import seed

SEED = 7
OF_A_CAMPAIGN = ("message", "decision", "message_block", "receipt")
UNDER_WAY = text("SELECT id FROM campaign WHERE sample AND state IN ('starting', 'sending', 'paused') LIMIT 1")
STOPS = """FROM suppression WHERE sample OR (channel, fingerprint) IN (
    SELECT channel, fingerprint FROM contact_point JOIN person ON person.id = person_id WHERE person.sample)"""
FORGET_STOPS = text(f"DELETE {STOPS}")  # noqa: S608 - the words above.
CONTENTS = text(f"""
    SELECT (SELECT count(*) FROM person WHERE sample), (SELECT count(*) FROM campaign WHERE sample),
           (SELECT count(*) {STOPS}), (SELECT count(*) FROM mailing_list WHERE sample AND NOT archived)""")  # noqa: S608 - the words above.


@dataclass(frozen=True)
class Contents:
    """The sample in numbers; `lists` are those in use."""

    people: int
    campaigns: int
    stops: int
    lists: int


def load(ctx: Context, number: int = SEED) -> None:
    """Add the whole sample; the same number makes the same sample."""
    seed.ensure_house(ctx)
    chance = Random(number)  # noqa: S311 - made-up people, the same each time.
    made = lists.add(ctx)
    people.add(ctx, made, chance)
    campaigns.add(ctx, made, chance)
    friends.add(ctx, made.news)
    privacy.add(ctx)
    trail.record(ctx, "sample_loaded", seed=number)


def is_loaded(ctx: Context) -> bool:
    """Whether anything of the sample is left."""
    return bool(ctx.db.scalar(text("SELECT EXISTS (SELECT FROM person WHERE sample)")))


def what_goes(ctx: Context) -> Contents:
    """How much there is of the sample, for the page that asks before removing it."""
    return Contents(*ctx.db.execute(CONTENTS).one())


def remove(ctx: Context) -> None:
    """Remove people, campaigns and stop-list entries of the sample and nothing else; its lists are put out of use.

    Lists and forms are archived, not deleted, because the proof of a real person's consent may point to them.
    Raises: Conflict while one of its campaigns is on its way.
    """
    under_way = ctx.db.scalar(UNDER_WAY)
    if under_way is not None:
        raise Conflict(campaign=under_way)
    ctx.db.execute(text("DELETE FROM practice_item WHERE campaign_id IN (SELECT id FROM campaign WHERE sample)"))
    for table in OF_A_CAMPAIGN:
        ctx.db.execute(text(f"DELETE FROM {table} WHERE campaign_id IN (SELECT id FROM campaign WHERE sample)"))  # noqa: S608 - names from above.
    ctx.db.execute(text("DELETE FROM campaign WHERE sample"))
    ctx.db.execute(FORGET_STOPS)
    privacy.remove(ctx)
    ctx.db.execute(text("DELETE FROM person WHERE sample"))
    friends.remove(ctx)
    for mailing_list in ctx.db.scalars(select(MailingList).where(MailingList.sample, ~MailingList.archived)):
        lists.archive(ctx, mailing_list)
    trail.record(ctx, "sample_removed")
