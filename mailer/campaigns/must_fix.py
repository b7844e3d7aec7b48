"""What holds a campaign back whoever presses Send, also from the command line (decision 28)."""

from mailer.campaigns import buildable, forecast
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.channel import Grade
from mailer.core.messages import ConsentModel
from mailer.core.modes import Mode
from mailer.organisation import live
from mailer.organisation import profile as organisation
from mailer.outbox import assignment
from mailer.outbox.assignment import Assignment

SAID = {"size": "size ({} octets)", "way_out": "way_out ({})"}
"""How a finding is written whose detail says what to mend."""


def of_content(ctx: Context, task: Assignment) -> list[str]:
    """Codes of what must be mended in the words and in the parts as they arrive; looked at again at launch."""
    held = [finding for finding in ctx.channels[task.terms.channel].check(task.copy)
            if finding.grade is Grade.MUST_FIX]
    return [SAID.get(finding.code, finding.code).format(finding.detail) for finding in held]


def must_fix(ctx: Context, campaign: Campaign) -> list[str]:
    """Codes of what must be mended first, a size with its octets; empty when it may leave."""
    task = assignment.load(ctx, campaign.id)
    found = of_content(ctx, task)
    if buildable.finding(ctx, task).grade is Grade.MUST_FIX:
        found.append("cannot_build")
    if task.terms.model is ConsentModel.FORBIDDEN:
        found.append("purpose_forbidden")
    if not forecast.of(ctx, campaign).inside:
        found.append("empty_audience")
    mode = organisation.current(ctx).mode
    if mode is Mode.LIVE:
        found.extend(live.lacking(ctx))
    elif mode is Mode.TRIAL and not ctx.fixed.mail_server:
        found.append(live.MAIL_SERVER)
    return found
