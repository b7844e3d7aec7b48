"""Taking what people give with an order, a survey or an entry: for that alone, with each further purpose asked apart.

What they refuse there is stored and outranks later silence and every import (promises T12 and T17); what they agree to
is asked of their mailbox first, as everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailer.audience import collected, contact_points
from mailer.audience.field_sources import Origin
from mailer.audience.models import ContactPoint
from mailer.consent import ledger, standing
from mailer.consent.ledger import Evidence
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.core.messages import Purpose
from mailer.lists import catalogue, wordings
from mailer.policy import notices, packs, partners
from mailer.subscriptions import age, imports, invitations, limits
from mailer.subscriptions.answers import name_fault
from mailer.subscriptions.invitations import Invited

PARTNERS = (Purpose.PARTNER_OFFERS, Purpose.SHARE)


@dataclass(frozen=True, repr=False)
class Given:
    """What came: `purpose` is what for, `said` the answers to further purposes (True, False; absent: none), `words`
    the exact text that asked for them, `list_id` the list they are about."""

    channel: str
    address: str
    purpose: str
    source: str
    first_name: str = ""
    age: str = ""
    list_id: int = 0
    said: Mapping[Purpose, bool] = field(default_factory=dict)
    words: str = ""


def collect(ctx: Context, given: Given) -> ContactPoint:
    """Keep what was given for its purpose, and each answer as it was said; declining holds nothing up (M12).

    Raises: UnderAge below that purpose's floor; InvalidInput; InvalidAddress; NotFound while no notice is published.
    """
    pack = packs.current(ctx)
    if why := age.fault(pack, given.age):
        raise InvalidInput(field="age", why=why)
    age.check(pack, given.age, given.purpose)
    if why := name_fault(given.first_name.strip()):
        raise InvalidInput(field="first_name", why=why)
    if given.said and not (given.list_id and given.words.strip()):
        raise InvalidInput(field="words", why="each answer belongs to a list and to the words that asked for it")
    if Purpose.SHARE in given.said and not pack.shares(given.channel):
        raise InvalidInput(field="share", why="is not allowed by your policy")
    address = contact_points.parse(ctx, given.channel, given.address)
    notice = notices.required(ctx)
    limits.alone(ctx, limits.bucket(ctx, address))
    point = collected.take(ctx, given.channel, address, given.purpose, Origin(given.source, notice.id),
                           first_name=given.first_name.strip())
    if given.said:
        _answers(ctx, given, point, notice.id)
    return point


def _answers(ctx: Context, given: Given, point: ContactPoint, notice_id: int) -> None:
    """A no is written now; a yes waits for the mailbox, and its partners' part is asked there by a form."""
    named = partners.current(ctx)
    evidence = Evidence(how=f"said_with_{given.purpose.partition(':')[0]}", source=given.source, notice_id=notice_id,
                        wording_id=wordings.keep(ctx, given.words.strip(), "en").id,
                        partner_list=named.version if named else None)
    topics = tuple(topic.id for topic in catalogue.topics_of(ctx, given.list_id))
    for purpose, said in given.said.items():
        if not said:
            for topic_id in (0,) if purpose in PARTNERS else topics:
                ledger.refuse(ctx, point, list_id=given.list_id, topic_id=topic_id, purpose=purpose,
                              evidence=evidence)
    if given.said.get(Purpose.OWN_OFFERS):
        _ask(ctx, given, point, topics)


def _ask(ctx: Context, given: Given, point: ContactPoint, topics: tuple[int, ...]) -> None:
    address = contact_points.parse(ctx, given.channel, given.address)
    live = {row.topic_id for row in standing.of(ctx, point.id)
            if row.list_id == given.list_id and row.state == "live" and row.purpose == Purpose.OWN_OFFERS}
    wanted = tuple(topic for topic in topics if topic not in live)
    if wanted and imports.barred(ctx, address, given.list_id, wanted) is None and not invitations.waits(
            ctx, given.channel, address, given.list_id):
        invitations.invite(ctx, Invited(given.channel, address, given.list_id, wanted, given.first_name.strip(),
                                        source=given.source), bucket=limits.bucket(ctx, address))
