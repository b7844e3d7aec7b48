"""What a dispatcher must know of a campaign: whether it may go on, what is said, and to whom it was promised."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text

from mailer.context import Context
from mailer.core.channel import Copy, Mailbox
from mailer.core.errors import NotFound
from mailer.core.messages import MessageClass, Purpose
from mailer.core.modes import Mode
from mailer.gate.terms import CampaignTerms
from mailer.organisation import profile as organisation
from mailer.organisation import senders
from mailer.outbox.partitions import month_of
from mailer.policy import notices, packs

LOOK = """
    SELECT c.state, c.stopping, c.month, c.mode, c.list_id, c.topic_id, c.content_id, c.not_after, l.name,
           v.subject, v.preview_line, v.markdown, v.language, v.fields, s.name, s.address, c.version
    FROM campaign c JOIN mailing_list l ON l.id = c.list_id JOIN content_version v ON v.id = c.content_id
    LEFT JOIN sender s ON s.id = c.sender_id
    WHERE c.id = :id
"""


@dataclass(frozen=True)
class Assignment:
    """A campaign as the road sees it."""

    terms: CampaignTerms
    copy: Copy
    content_id: int
    domain: str
    public_url: str
    mode: Mode
    month: date | None
    not_after: datetime | None
    version: int
    """How often it was moved from state to state."""


def load(ctx: Context, campaign_id: int) -> Assignment:
    """Everything of a campaign that its messages need. Raises: NotFound."""
    row = ctx.db.execute(text(LOOK), {"id": campaign_id}).one_or_none()
    if row is None:
        raise NotFound(campaign=campaign_id)
    (_, _, month, mode, list_id, topic_id, content_id, not_after, list_name, subject, preview, markdown, language,
     fields, sender_name, sender_address, version) = row
    profile = organisation.current(ctx)
    notice = notices.in_force(ctx)
    sender = sender_of(ctx, profile, sender_name, sender_address)
    return Assignment(
        terms=CampaignTerms(
            campaign_id=campaign_id, month=month or month_of(ctx.clock.now()), list_id=list_id,
            topic_ids=topics_of(ctx, list_id, topic_id),
            purpose=Purpose.OWN_OFFERS, kind=MessageClass.CAMPAIGN, channel="email", mode=Mode(mode),
            fields=tuple(fields), model=packs.current(ctx).model("email", Purpose.OWN_OFFERS)),
        copy=Copy(
            subject=subject, preview_line=preview, markdown=markdown, language=language,
            brand=organisation.brand(profile, notice.version if notice else ""), sender=sender,
            list_name=list_name, list_label=f"l{list_id}.{profile.domain}"),
        content_id=content_id, domain=profile.domain, public_url=profile.public_url, mode=Mode(mode), month=month,
        not_after=not_after, version=version)


def topics_of(ctx: Context, list_id: int, topic_id: int | None) -> tuple[int, ...]:
    """The campaign's topic, or all of the list's where it names none (decision 1)."""
    if topic_id is not None:
        return (topic_id,)
    every = text("SELECT id FROM topic WHERE list_id = :id ORDER BY id")
    return tuple(ctx.db.execute(every, {"id": list_id}).scalars())


def sender_of(ctx: Context, profile: organisation.Profile, name: str | None, address: str | None) -> Mailbox:
    """The environment's MAIL_FROM first, then the campaign's sender, then the default one."""
    default = senders.default(ctx) or Mailbox(profile.name, f"news@{profile.domain}")
    if address and not ctx.fixed.mail_from:
        return Mailbox(name or profile.name, address)
    return Mailbox(default.name or name or profile.name, default.address)
