"""A campaign that people call spam pauses itself (decision 31)."""

from sqlalchemy import text

from mailer.campaigns import control
from mailer.context import Context

WHY = "complaints"

LEAST = 5
SHARE = 0.003
"""Of those who got it; mailbox providers begin to turn mail away at about this rate."""

# A campaign that a person let go on is judged by what came after that.
COMPLAINED = text("""
    SELECT c.id FROM campaign c CROSS JOIN LATERAL (
        SELECT count(*) AS n FROM receipt r
        WHERE r.campaign_id = c.id AND r.kind = 'complained' AND r.at > c.changed_at) AS complained
    WHERE c.state = 'sending' AND complained.n >= :least AND complained.n > :share * (
        SELECT coalesce(sum(k.n), 0) FROM campaign_count k WHERE k.campaign_id = c.id AND k.state = 'accepted')
    ORDER BY c.id""")


def pause_where_many(ctx: Context) -> None:
    """Pause what at least 5 people, and more than 0.3 % of those who got it, called spam since it began or went on."""
    for campaign_id in list(ctx.db.scalars(COMPLAINED, {"least": LEAST, "share": SHARE})):
        control.pause_by_itself(ctx, campaign_id, WHY)
