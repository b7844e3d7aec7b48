"""What holds a campaign back whoever presses Send, also from the command line (decision 28)."""

from mailer.campaigns import buildable, forecast
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.channel import Grade
from mailer.core.modes import Mode
from mailer.organisation import live
from mailer.organisation import profile as organisation
from mailer.outbox import assignment


def must_fix(ctx: Context, campaign: Campaign) -> list[str]:
    """Codes of what must be mended first, a size with its octets; empty when it may leave."""
    task = assignment.load(ctx, campaign.id)
    found = [f"{finding.code} ({finding.detail} octets)" if finding.code == "size" else finding.code
             for finding in ctx.channels[task.terms.channel].check(task.copy) if finding.grade is Grade.MUST_FIX]
    if buildable.finding(ctx, task).grade is Grade.MUST_FIX:
        found.append("cannot_build")
    if not forecast.of(ctx, campaign).inside:
        found.append("empty_audience")
    mode = organisation.current(ctx).mode
    if mode is Mode.LIVE:
        found.extend(live.lacking(ctx))
    elif mode is Mode.TRIAL and not ctx.fixed.mail_server:
        found.append(live.MAIL_SERVER)
    return found
