"""The forecast of one campaign, by the gate's own rules."""

from mailer.campaigns.models import Campaign
from mailer.content import versions
from mailer.context import Context
from mailer.core.messages import MessageClass, Purpose
from mailer.gate import forecast
from mailer.gate.forecast import Forecast, Why
from mailer.gate.terms import CampaignTerms
from mailer.organisation import profile as organisation
from mailer.outbox.assignment import topics_of
from mailer.outbox.partitions import ensure_month, month_of
from mailer.policy import packs


def terms(ctx: Context, campaign: Campaign) -> CampaignTerms:
    """What the campaign asks of the gate; for a draft, as if it were launched now."""
    month = campaign.month or month_of(ctx.clock.now())
    ensure_month(ctx, month)
    fields = versions.get(ctx, campaign.content_id).fields if campaign.content_id else []
    return CampaignTerms(
        campaign_id=campaign.id, month=month, list_id=campaign.list_id,
        topic_ids=topics_of(ctx, campaign.list_id, campaign.topic_id), purpose=Purpose.OWN_OFFERS,
        kind=MessageClass.CAMPAIGN, channel="email", mode=organisation.current(ctx).mode, fields=tuple(fields),
        model=packs.current(ctx).model("email", Purpose.OWN_OFFERS))


def of(ctx: Context, campaign: Campaign) -> Forecast:
    """Who is in, who is out, and why, if it were sent now."""
    return forecast.forecast(ctx, terms(ctx, campaign))


def why(ctx: Context, campaign: Campaign, raw_address: str) -> Why:
    """What the gate would say now of one address. Raises: InvalidAddress."""
    return forecast.why(ctx, terms(ctx, campaign), "email", raw_address)
