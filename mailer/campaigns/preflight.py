"""What is looked at before a campaign leaves, in three grades; only what must be fixed holds it back (decision 28)."""

from collections.abc import Callable, Hashable
from datetime import timedelta

from sqlalchemy import text

from mailer.campaigns import buildable, forecast
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.channel import Finding, Grade
from mailer.core.messages import ConsentModel
from mailer.core.modes import Mode
from mailer.gate.forecast import Forecast
from mailer.gate.terms import CampaignTerms
from mailer.organisation import live, senders
from mailer.organisation import profile as organisation
from mailer.outbox import assignment, lanes

CHANNEL = "email"
AGAIN_AFTER = timedelta(days=7)

Keep = Callable[[Hashable, Callable[[], int]], int]
"""Counts by a name, or says what was counted under it a moment ago."""

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


def at_once(_name: Hashable, count: Callable[[], int]) -> int:
    """Count now."""
    return count()


def findings(ctx: Context, campaign: Campaign, seen: Forecast | None = None, *, keep: Keep = at_once
             ) -> list[Finding]:
    """Every check with what it found, those that must be fixed first.

    `seen` spares a second forecast; `keep` may answer with what it counted a moment ago.
    """
    seen = seen or forecast.of(ctx, campaign)
    task = assignment.load(ctx, campaign.id)
    found = [
        _audience(seen),
        _policy(task.terms),
        *ctx.channels[CHANNEL].check(task.copy),
        buildable.finding(ctx, task),
        *_names(ctx, task.terms, keep),
        _sender(ctx, campaign),
        *_live(ctx),
        *_mail_server(ctx),
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


def _policy(terms: CampaignTerms) -> Finding:
    """Whether the policy in force lets a campaign of this purpose be at all."""
    forbidden = terms.model is ConsentModel.FORBIDDEN
    return Finding(Grade.MUST_FIX if forbidden else Grade.FINE, "policy", "audience")


def _names(ctx: Context, terms: CampaignTerms, keep: Keep) -> list[Finding]:
    """How many people will read the fallback, for the personal fields that the message names."""
    if not terms.fields:
        return []
    asked = {"channel": terms.channel, "list_id": terms.list_id, "topic_ids": list(terms.topic_ids)}
    without = keep(("without_name", terms.list_id, terms.topic_ids),
                   lambda: int(ctx.db.scalar(WITHOUT_NAME, asked) or 0))
    return [Finding(Grade.FINE, "fallback_read", "markdown", str(without))]


def _sender(ctx: Context, campaign: Campaign) -> Finding:
    there = campaign.sender_id is not None or senders.default(ctx) is not None
    return Finding(Grade.FINE if there else Grade.LOOK, "sender", "sender")


def _live(ctx: Context) -> list[Finding]:
    """What Live asks for; elsewhere nothing of it holds a campaign back (decision 29)."""
    if organisation.current(ctx).mode is not Mode.LIVE:
        return []
    return [Finding(Grade.MUST_FIX, "live", "settings", what) for what in live.lacking(ctx)] or [
        Finding(Grade.FINE, "live", "settings")]


def _mail_server(ctx: Context) -> list[Finding]:
    """Whether a mail server can be used at the moment; nothing is lost where none can, so it holds nothing back."""
    states = lanes.server_states(ctx) if organisation.current(ctx).mode is not Mode.PRACTICE else []
    resting = [f"{each.name} {each.hold.why}" for each in states if each.hold]
    if not states:
        return []
    away = len(resting) == len(states)
    return [Finding(Grade.LOOK if away else Grade.FINE, "mail_server", "settings", "; ".join(resting) if away else "")]


def _tested(campaign: Campaign) -> Finding:
    tested = campaign.tested_content_id is not None and campaign.tested_content_id == campaign.content_id
    return Finding(Grade.FINE if tested else Grade.LOOK, "tested", "test")


def _said_before(ctx: Context, campaign: Campaign) -> Finding:
    before = ctx.db.scalar(SAME_WORDS, {
        "id": campaign.id, "list_id": campaign.list_id, "mode": campaign.mode, "content_id": campaign.content_id,
        "since": ctx.clock.now() - AGAIN_AFTER})
    return Finding(Grade.LOOK if before else Grade.FINE, "same_content", "markdown",
                   before.date().isoformat() if before else "")
