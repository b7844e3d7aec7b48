"""T19. A way out that is not easily noticed holds a campaign back wherever Send is pressed, and once more at launch."""

from datetime import timedelta
from pathlib import Path

from mailer.campaigns import compose, launch, must_fix, preflight
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.channel import Grade
from mailer.core.messages import CampaignState
from mailer.lists.models import MailingList
from mailer.services import Services, unit_of_work
from mailer.subscriptions import seed

DECOY = "News.\n\n[Unsubscribe](https://shop.example.org/account)"


def a_draft(ctx: Context, markdown: str) -> Campaign:
    for _ in seed.seed(ctx, 1, "News"):
        pass
    return compose.create(ctx, list_id=ctx.db.query(MailingList).one().id, words=compose.Words("Big", markdown))


def test_check_and_send_and_the_command_line_name_the_fault(services: Services) -> None:
    """T19. Screen and `campaign send --yes` obey the same finding."""
    with unit_of_work(services) as ctx:
        campaign = a_draft(ctx, DECOY)
        assert must_fix.must_fix(ctx, campaign) == ["way_out (swapped)"]
        assert [(found.code, found.detail) for found in preflight.findings(ctx, campaign)
                if found.grade is Grade.MUST_FIX] == [("way_out", "swapped")]


def test_what_slipped_past_is_stopped_at_launch(services: Services, tmp_path: Path) -> None:
    """T19. A template or a footer may have changed between Send and the hour it was planned for."""
    with unit_of_work(services) as ctx:
        campaign = a_draft(ctx, DECOY)
        campaign.state, campaign.send_at = CampaignState.SCHEDULED, ctx.clock.now() - timedelta(minutes=1)
        ctx.db.flush()
        assert not launch.step(ctx, campaign.id, tmp_path)
        assert (campaign.state, campaign.why_not_started) == (
            CampaignState.COULD_NOT_START, "must_fix:way_out (swapped)")
