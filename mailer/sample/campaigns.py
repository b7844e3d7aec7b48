"""The sample's campaigns: one ready to be sent, and six that were sent in the months before."""

import random
from datetime import timedelta

from sqlalchemy import text

from mailer.campaigns import compose
from mailer.campaigns.compose import Words
from mailer.campaigns.models import Campaign
from mailer.content import starter
from mailer.context import Context
from mailer.core.messages import CampaignState
from mailer.outbox.partitions import ensure_month, month_of
from mailer.sample.lists import Lists

PAST: tuple[tuple[str, int], ...] = (
    ("What the autumn sounds like", 380), ("Ten quartets for ten evenings", 300), ("Our shop is two years old", 220),
    ("Recorded in one take", 150), ("Scores that turn their own pages", 80), ("A new organ, an old church", 25),
)
"""Subject, and how many days ago it was sent."""

BODY = """# {subject}

Hello {{first name | there}},

a few lines about what we heard, and where to hear it.

[Listen](https://example.org/listen){{button}}
"""


def add(ctx: Context, lists: Lists, chance: random.Random) -> None:
    """Write them all."""
    said = starter.SAMPLE
    compose.create(ctx, list_id=lists.news.id, sample=True,
                   words=Words(said.subject, said.markdown, said.preview_line))
    for subject, days in PAST:
        words = Words(subject, BODY.format(subject=subject))
        campaign = compose.create(ctx, list_id=lists.news.id, words=words, sample=True)
        _was_sent(ctx, campaign, days, chance)


def _was_sent(ctx: Context, campaign: Campaign, days: int, chance: random.Random) -> None:
    """Give it the sums of a campaign to everybody who had joined by then; their rows are past their retention."""
    started = ctx.clock.now() - timedelta(days=days)
    planned = int(ctx.db.scalar(text("""
        SELECT count(DISTINCT contact_point_id) FROM standing WHERE list_id = :id AND since < :at"""),
        {"id": campaign.list_id, "at": started}) or 0)
    reasons = {"unsubscribed": chance.randint(1, 6), "bounced": chance.randint(0, 4), "paused": chance.randint(0, 3)}
    failed = chance.randint(0, 2)
    refused = min(sum(reasons.values()), planned)
    accepted = max(planned - refused - failed, 0)
    failed = planned - refused - accepted
    month = month_of(started)
    ensure_month(ctx, month)
    campaign.month, campaign.started_at, campaign.finished_at = month, started, started + timedelta(minutes=4)
    campaign.created_at = started - timedelta(days=1)
    campaign.planning_done = True
    campaign.planned, campaign.accepted, campaign.refused = planned, accepted, refused
    campaign.failed, campaign.expired, campaign.uncertain = failed, 0, 0
    campaign.state = CampaignState.SENT
    counted = [("planned", "", planned), ("accepted", "", accepted), ("failed", "550 5.1.1", failed)]
    counted += [("refused", reason, n) for reason, n in reasons.items()] if planned else []
    ctx.db.flush()
    for state, detail, n in counted:
        if n:
            ctx.db.execute(text("INSERT INTO campaign_count (campaign_id, worker, state, detail, n) "
                                "VALUES (:id, 'closed', :state, :detail, :n)"),
                           {"id": campaign.id, "state": state, "detail": detail, "n": n})
