"""How a campaign stands, as the command line, the screens and the API tell it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.messages import CampaignState, State
from mailer.outbox import counts

FINAL = frozenset({CampaignState.SENT, CampaignState.STOPPED, CampaignState.COULD_NOT_START})


@dataclass(frozen=True)
class Status:
    """The sums at this moment: planned = accepted + refused + failed + expired + uncertain + waiting."""

    id: int
    state: CampaignState
    planned: int
    accepted: int
    refused: int
    refused_by_reason: Mapping[str, int]
    failed: int
    failed_by_code: Mapping[str, int]
    expired: int
    uncertain: int
    waiting: int
    waiting_by_state: Mapping[str, int]
    per_second: float
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def inside(self) -> int:
        """Those who get it or will: progress counts against these (decision 3)."""
        return self.planned - self.refused

    @property
    def is_final(self) -> bool:
        return self.state in FINAL


def status(ctx: Context, campaign: Campaign) -> Status:
    """Read from the counters alone, whatever the campaign's size."""
    sums = counts.sums(ctx, campaign.id)
    waiting = {State.READY: sums.ready, State.CLAIMED: 0, State.HANDED: sums.handed, State.DEFERRED: sums.deferred}
    return Status(
        id=campaign.id, state=CampaignState(campaign.state), planned=sums.planned, accepted=sums.ended[State.ACCEPTED],
        refused=sums.ended[State.REFUSED], refused_by_reason=sums.reasons, failed=sums.ended[State.FAILED],
        failed_by_code=sums.codes, expired=sums.ended[State.EXPIRED], uncertain=sums.ended[State.UNCERTAIN],
        waiting=sums.waiting, waiting_by_state={str(state): n for state, n in waiting.items()},
        per_second=_per_second(ctx, campaign, sums), started_at=campaign.started_at, finished_at=campaign.finished_at)


def _per_second(ctx: Context, campaign: Campaign, sums: counts.Sums) -> float:
    if campaign.started_at is None:
        return 0.0
    end = campaign.finished_at or ctx.clock.now()
    seconds = max((end - campaign.started_at).total_seconds(), 0.001)
    return round(sums.ended[State.ACCEPTED] / seconds, 1)

