"""What is looked at before a campaign leaves, in three grades; only what must be fixed holds it back (decision 28)."""

from datetime import timedelta

from sqlalchemy import text

from mailer.campaigns import forecast
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.channel import Finding, Grade
from mailer.core.modes import Mode
from mailer.gate.forecast import Forecast
from mailer.gate.terms import CampaignTerms
from mailer.organisation import live, senders
from mailer.organisation import profile as organisation
from mailer.outbox import assignment

CHANNEL = "email"
AGAIN_AFTER = timedelta(days=7)

SAME_WORDS = text("""
    SELECT c.started_at FROM campaign c JOIN content_version v ON v.id = c.content_id
    WHERE c.id <> :id AND c.list_id = :list_id AND c.mode = :mode AND c.started_at > :since
      AND v.sha256 = (SELECT sha256 FROM content_version WHERE id = :content_id)
    ORDER BY c.started_at DESC LIMIT 1
""")
WITHOUT_NAME = text("""
    SELECT count(*) FROM contact_point p
    WHERE p.channel = :channel AND NOT p.has_name AND EXISTS (
        SELECT FROM standing s WHERE s.contact_point_id = p.id AND s.list_id = :list_id
          AND s.topic_id = ANY(:topic_ids) AND s.state = 'live')
""")


def findings(ctx: Context, campaign: Campaign, seen: Forecast | None = None) -> list[Finding]:
    """Every check with what it found, those that must be fixed first. `seen` spares a second forecast."""
    seen = seen or forecast.of(ctx, campaign)
    task = assignment.load(ctx, campaign.id)
    found = [
        _audience(seen),
        *ctx.channels[CHANNEL].check(task.copy),
        *_names(ctx, task.terms),
        _sender(ctx, campaign),
        *_live(ctx),
        _tested(campaign),
        _said_before(ctx, campaign),
    ]
    weight = list(Grade)
    return sorted(found, key=lambda finding: weight.index(finding.grade))


def must_fix(ctx: Context, campaign: Campaign, seen: Forecast | None = None) -> list[str]:
    """The codes of what holds the campaign back; empty when it may leave."""
    held = [finding.code for finding in findings(ctx, campaign, seen) if finding.grade is Grade.MUST_FIX]
    return list(dict.fromkeys(held))


def _audience(seen: Forecast) -> Finding:
    return Finding(Grade.FINE if seen.inside else Grade.MUST_FIX, "audience", "audience", str(seen.inside))


def _names(ctx: Context, terms: CampaignTerms) -> list[Finding]:
    """How many people will read the fallback, for the personal fields that the message names."""
    if not terms.fields:
        return []
    without = ctx.db.scalar(WITHOUT_NAME, {"channel": terms.channel, "list_id": terms.list_id,
                                           "topic_ids": list(terms.topic_ids)})
    return [Finding(Grade.FINE, "fallback_read", "markdown", str(without or 0))]


def _sender(ctx: Context, campaign: Campaign) -> Finding:
    there = campaign.sender_id is not None or senders.default(ctx) is not None
    return Finding(Grade.FINE if there else Grade.LOOK, "sender", "sender")


def _live(ctx: Context) -> list[Finding]:
    """What Live asks for; elsewhere nothing of it holds a campaign back (decision 29)."""
    if organisation.current(ctx).mode is not Mode.LIVE:
        return []
    return [Finding(Grade.MUST_FIX, "live", "settings", what) for what in live.lacking(ctx)] or [
        Finding(Grade.FINE, "live", "settings")]


def _tested(campaign: Campaign) -> Finding:
    tested = campaign.tested_content_id is not None and campaign.tested_content_id == campaign.content_id
    return Finding(Grade.FINE if tested else Grade.LOOK, "tested", "test")


def _said_before(ctx: Context, campaign: Campaign) -> Finding:
    before = ctx.db.scalar(SAME_WORDS, {
        "id": campaign.id, "list_id": campaign.list_id, "mode": campaign.mode, "content_id": campaign.content_id,
        "since": ctx.clock.now() - AGAIN_AFTER})
    return Finding(Grade.LOOK if before else Grade.FINE, "same_content", "markdown",
                   before.date().isoformat() if before else "")
