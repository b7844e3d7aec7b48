"""A second person looks before a large campaign leaves: asked for, given, and void after any edit (section 2, 19)."""

from collections.abc import Sequence

from sqlalchemy import select

from mailer.audit import trail
from mailer.audit.models import AuditEntry
from mailer.campaigns import compose
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.errors import Conflict, NotAllowed
from mailer.core.messages import CampaignState

LARGE = 5_000
"""A campaign to more people than this needs a second person, where the team has one (ux 2.9)."""

CHANGED, ASKED, CREATED, APPROVED = "campaign_changed", "campaign_approval_asked", "campaign_created", \
    "campaign_approved"

ASKABLE = frozenset({CampaignState.DRAFT, CampaignState.COULD_NOT_START})


def needs_second(inside: int, senders: Sequence[int]) -> bool:
    """Whether two people must want this; `senders` are those of the team who may send (decision 28)."""
    return inside > LARGE and len(senders) > 1


def note_change(ctx: Context, campaign: Campaign) -> None:
    """Note who changed the campaign; one entry for a row of saves by the same hand."""
    last = ctx.db.execute(select(AuditEntry.actor, AuditEntry.act).where(
        AuditEntry.about == _about(campaign)).order_by(AuditEntry.seq.desc()).limit(1)).one_or_none()
    if last not in ((ctx.actor, CHANGED), (ctx.actor, CREATED)):
        trail.record(ctx, CHANGED, _about(campaign))


def ask(ctx: Context, campaign_id: int, *, version: int, inside: int) -> Campaign:
    """Ask for approval of this very version. Raises: Conflict when it changed meanwhile or is no draft."""
    campaign = compose.lock(ctx, campaign_id)
    if campaign.state not in ASKABLE or campaign.version != version:
        raise Conflict(campaign=campaign_id)
    campaign.expected_in = inside
    return compose.moved(ctx, campaign, CampaignState.NEEDS_APPROVAL, ASKED, inside=inside)


def barred(ctx: Context, campaign: Campaign) -> frozenset[str]:
    """Actors who may not approve: whoever wrote what it now says, and whoever asked (author is never approver)."""
    acts = ctx.db.execute(select(AuditEntry.actor, AuditEntry.act).where(
        AuditEntry.about == _about(campaign), AuditEntry.act.in_((CREATED, CHANGED, ASKED))
    ).order_by(AuditEntry.seq)).all()
    author = [actor for actor, act in acts if act != ASKED][-1:]
    asker = [actor for actor, act in acts if act == ASKED][-1:]
    return frozenset(author + asker)


def approve(ctx: Context, campaign_id: int, *, version: int, staff_id: int) -> Campaign:
    """Agree to this very version; it is then a draft that may be sent.

    Raises: Conflict when it changed meanwhile; NotAllowed for its author and for who asked.
    """
    campaign = compose.lock(ctx, campaign_id)
    if campaign.state != CampaignState.NEEDS_APPROVAL or campaign.version != version:
        raise Conflict(campaign=campaign_id)
    if ctx.actor in barred(ctx, campaign):
        raise NotAllowed(campaign=campaign_id)
    campaign.approved_by = staff_id
    return compose.moved(ctx, campaign, CampaignState.DRAFT, APPROVED)


def take_back(ctx: Context, campaign_id: int) -> Campaign:
    """Take the request back. Raises: Conflict when nothing was asked."""
    campaign = compose.lock(ctx, campaign_id)
    if campaign.state != CampaignState.NEEDS_APPROVAL:
        raise Conflict(campaign=campaign_id)
    return compose.moved(ctx, campaign, CampaignState.DRAFT, "campaign_approval_withdrawn")


def _about(campaign: Campaign) -> str:
    return f"campaign:{campaign.id}"
