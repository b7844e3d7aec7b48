"""What became of a campaign, from counters alone: how messages ended, how many left, bounced and complained."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from mailer.campaigns import status
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.messages import CampaignState
from mailer.outbox import counts

REPORTED = frozenset({CampaignState.SENT, CampaignState.STOPPED})
SETTLES_AFTER = timedelta(hours=1)

RECEIPTS = text("""
    SELECT kind, sum(n) FROM (
        SELECT kind, count(*) AS n FROM receipt WHERE campaign_id = :id AND at < :hour GROUP BY kind
        UNION ALL SELECT detail, n FROM campaign_count WHERE campaign_id = :id AND state = :receipt) AS each
    GROUP BY kind""")


@dataclass(frozen=True)
class Report:
    """The figures as they are; who shows them keeps the small ones back (decision 31).

    `left`, `bounced` and `complained` stand still until the next full hour, so that two looks tell nothing apart.
    """

    ended: status.Status
    left: int
    bounced: int
    complained: int
    counted_until: datetime
    settled: bool

    @property
    def reasons(self) -> Mapping[str, int]:
        return self.ended.refused_by_reason


def of(ctx: Context, campaign: Campaign) -> Report:
    """The report of a campaign that has ended."""
    now = ctx.clock.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    received = {kind: int(n) for kind, n in ctx.db.execute(RECEIPTS, {
        "id": campaign.id, "hour": hour, "receipt": counts.RECEIPT})}
    return Report(
        ended=status.status(ctx, campaign), left=counts.left(ctx, campaign.id, before=hour),
        bounced=received.get("bounced", 0), complained=received.get("complained", 0), counted_until=hour,
        settled=campaign.finished_at is not None and now - campaign.finished_at >= SETTLES_AFTER)
