"""Writing a campaign: a draft, and a new content version whenever its words change."""

from dataclasses import dataclass

from sqlalchemy import select

from mailer.audit import trail
from mailer.campaigns.models import Campaign
from mailer.content import versions
from mailer.content.models import ContentVersion
from mailer.context import Context
from mailer.core.errors import Conflict, InvalidInput, NotFound
from mailer.core.messages import CampaignState
from mailer.lists.models import MailingList, Topic
from mailer.organisation import profile as organisation

FIRST_IMPOSSIBLE = 1 << 63
"""The database's numbers end before it."""

EDITABLE = frozenset({CampaignState.DRAFT, CampaignState.NEEDS_APPROVAL, CampaignState.COULD_NOT_START})


@dataclass(frozen=True)
class Words:
    """What a campaign says, as its author typed it."""

    subject: str
    markdown: str
    preview_line: str = ""
    language: str = "en"


def create(ctx: Context, *, list_id: int, words: Words, topic_id: int | None = None, sender_id: int | None = None,
           name: str = "", staff_id: int | None = None, sample: bool = False) -> Campaign:
    """A draft. Raises: InvalidInput for an unknown list or topic, or an empty subject."""
    _check_audience(ctx, list_id, topic_id)
    now = ctx.clock.now()
    campaign = Campaign(
        name=name or words.subject, state=CampaignState.DRAFT, mode=organisation.current(ctx).mode, list_id=list_id,
        topic_id=topic_id, sender_id=sender_id, content_id=_keep(ctx, words).id, created_by=staff_id, created_at=now,
        changed_at=now, sample=sample)
    ctx.db.add(campaign)
    ctx.db.flush()
    trail.record(ctx, "campaign_created", f"campaign:{campaign.id}")
    return campaign


def save(ctx: Context, campaign_id: int, *, version: int, words: Words, list_id: int, topic_id: int | None,
         sender_id: int | None) -> Campaign:
    """Change a draft; any change takes back an approval.

    Raises: Conflict when somebody else saved since `version`, or when it is no draft any more.
    """
    campaign = lock(ctx, campaign_id)
    if campaign.state not in EDITABLE or campaign.version != version:
        raise Conflict(campaign=campaign_id)
    _check_audience(ctx, list_id, topic_id)
    before = ctx.db.get_one(ContentVersion, campaign.content_id)
    if (before.subject, before.markdown, before.preview_line, before.language) != (
            words.subject, words.markdown, words.preview_line, words.language):
        campaign.content_id = _keep(ctx, words).id
    if campaign.name == before.subject:
        campaign.name = words.subject
    campaign.list_id, campaign.topic_id, campaign.sender_id = list_id, topic_id, sender_id
    campaign.state, campaign.approved_by, campaign.why_not_started = CampaignState.DRAFT, None, None
    campaign.version += 1
    campaign.changed_at = ctx.clock.now()
    campaign.mode = organisation.current(ctx).mode
    return campaign


def copy(ctx: Context, campaign_id: int, *, staff_id: int | None) -> Campaign:
    """A new draft that says the same."""
    source = find(ctx, campaign_id)
    said = ctx.db.get_one(ContentVersion, source.content_id)
    return create(ctx, list_id=source.list_id, topic_id=source.topic_id, sender_id=source.sender_id,
                  staff_id=staff_id, words=Words(said.subject, said.markdown, said.preview_line, said.language))


def find(ctx: Context, campaign_id: int) -> Campaign:
    """Raises: NotFound."""
    campaign = ctx.db.get(Campaign, campaign_id) if 0 < campaign_id < FIRST_IMPOSSIBLE else None
    if campaign is None:
        raise NotFound(campaign=campaign_id)
    return campaign


def lock(ctx: Context, campaign_id: int) -> Campaign:
    """The campaign, locked until the transaction ends. Raises: NotFound."""
    found = select(Campaign).filter_by(id=campaign_id).with_for_update(key_share=True)
    campaign = ctx.db.scalar(found.execution_options(populate_existing=True)) if 0 < campaign_id < FIRST_IMPOSSIBLE \
        else None
    if campaign is None:
        raise NotFound(campaign=campaign_id)
    return campaign


def moved(ctx: Context, campaign: Campaign, state: CampaignState, act: str, **detail: object) -> Campaign:
    """Put a campaign into a state and note who did it."""
    campaign.state = state
    campaign.changed_at = ctx.clock.now()
    campaign.version += 1
    trail.record(ctx, act, f"campaign:{campaign.id}", **detail)
    return campaign


def _keep(ctx: Context, words: Words) -> ContentVersion:
    fields = ctx.channels["email"].fields(words.subject, words.markdown, words.preview_line)
    return versions.write(ctx, subject=words.subject, preview_line=words.preview_line, markdown=words.markdown,
                          language=words.language, fields=fields)


def _check_audience(ctx: Context, list_id: int, topic_id: int | None) -> None:
    mailing_list = ctx.db.get(MailingList, list_id)
    if mailing_list is None or mailing_list.archived:
        raise InvalidInput(field="list", why="unknown")
    topic = ctx.db.get(Topic, topic_id) if topic_id is not None else None
    if topic_id is not None and (topic is None or topic.list_id != list_id):
        raise InvalidInput(field="topic", why="unknown")


