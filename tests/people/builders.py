"""Shortest ways to the facts that these tests are about, through the product's own verbs."""

from dataclasses import replace
from datetime import timedelta

from mailer.audience import contact_points, pending, people
from mailer.audience.models import ContactPoint, PendingRequest
from mailer.consent import ledger
from mailer.consent.ledger import Evidence
from mailer.context import Context
from mailer.core.messages import Purpose
from mailer.core.modes import Mode
from mailer.lists import catalogue
from mailer.lists.models import MailingList

EVIDENCE = Evidence(how="confirmed_by_link", source="test")


def a_list(ctx: Context, name: str = "News", topics: tuple[str, ...] = ()) -> tuple[MailingList, list[int]]:
    made = catalogue.create_list(ctx, name, topics)
    return made, [topic.id for topic in catalogue.topics_of(ctx, made.id)]


def ask(ctx: Context, address: str, list_id: int, topic_ids: list[int], **changes: object) -> PendingRequest:
    asked: dict[str, object] = {
        "form_version_id": None, "notice_id": None, "first_name": "Quillonwick", "partner_offers": None,
        "format": "html", "every_days": 0, "language": "en", "source": "form", "mode": Mode.PRACTICE,
        "expires_at": ctx.clock.now() + timedelta(days=7)}
    return pending.add(ctx, channel="email", address=contact_points.parse(ctx, "email", address), list_id=list_id,
                       topic_ids=topic_ids, **(asked | changes))


def join(ctx: Context, address: str, list_id: int, topic_ids: list[int], evidence: Evidence = EVIDENCE) -> ContactPoint:
    point = people.admit(ctx, ask(ctx, address, list_id, topic_ids))
    for topic_id in topic_ids:
        ledger.grant(ctx, point, list_id=list_id, topic_id=topic_id, purpose=Purpose.OWN_OFFERS,
                     evidence=replace(evidence))
    return point
