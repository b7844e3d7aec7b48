"""Whose address may be passed on to a partner: who said yes, under words that named that sharing and that partner."""

from collections.abc import Iterator

from sqlalchemy import select

from mailer.audience.models import ContactPoint
from mailer.consent import history
from mailer.consent.models import Standing
from mailer.context import Context
from mailer.core.errors import InvalidInput, NotFound
from mailer.core.messages import Purpose
from mailer.core.modes import Mode
from mailer.core.vault import Opener
from mailer.lists.forms import SHARE_LABEL
from mailer.lists.models import Wording
from mailer.organisation import profile
from mailer.policy import packs, partners
from mailer.suppression import registry


def agreed(ctx: Context, opener: Opener, partner: str) -> list[int]:
    """The contact points that may be named to this partner (promise T15); nobody who is on the stop list.

    A yes counts where its words asked for the sharing and its list of partners named this one. Raises: InvalidInput
    where the policy shares nothing; KeyProblem.
    """
    if not packs.current(ctx).shares():
        raise InvalidInput(field="partner", why="the policy passes no address on")
    return [point.id for point, row in _yes(ctx) if _named(ctx, opener, point, row, partner)]


def _yes(ctx: Context) -> Iterator[tuple[ContactPoint, Standing]]:
    live = profile.mode(ctx) is Mode.LIVE
    for point, row in ctx.db.execute(select(ContactPoint, Standing).join(
            Standing, Standing.contact_point_id == ContactPoint.id).where(
                Standing.purpose == Purpose.SHARE, Standing.state == "live").order_by(ContactPoint.id)):
        stopped = registry.entries(ctx, point.channel, [point.fingerprint])
        if not stopped and (row.mode == Mode.LIVE or not live):
            yield point, row


def _named(ctx: Context, opener: Opener, point: ContactPoint, row: Standing, partner: str) -> bool:
    try:
        moments = history.timeline(ctx, opener, point)
    except NotFound:
        return False
    said = next((each.evidence for each in moments if each.seq == row.seq), {})
    words = ctx.db.get(Wording, said.get("wording") or 0)
    named = partners.of_version(ctx, said.get("partner_list"))
    return words is not None and SHARE_LABEL in words.text and named is not None and partner in named.names \
        and partner in words.text
