"""What holds a campaign back as a whole: the restore fence, another mode, the policy, what Live lacks."""

from pathlib import Path

from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.messages import ConsentModel, Purpose
from mailer.core.modes import Mode
from mailer.exits import fence
from mailer.organisation import live
from mailer.organisation import profile as organisation
from mailer.policy import packs


def of(ctx: Context, campaign: Campaign, exits_folder: Path) -> str:
    """Why nothing of it may be handed over at this moment, as a reason code; empty when nothing is in the way."""
    if fence.check(ctx.db.connection(), exits_folder, ctx.host).refuses:
        return "behind_exits"
    mode = organisation.current(ctx).mode
    if campaign.mode != mode:
        return "mode_changed"
    if packs.current(ctx).model("email", Purpose.OWN_OFFERS) is ConsentModel.FORBIDDEN:
        return "purpose_forbidden"
    if mode is Mode.LIVE and (lacks := live.lacking(ctx)):
        return "live_lacks:" + ",".join(lacks)
    return ""
