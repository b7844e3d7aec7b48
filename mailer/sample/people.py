"""The sample's 320 people: 250 who may get the sample campaign, and 70 who may not, each for a reason."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from mailer.audience.models import ContactPoint
from mailer.consent import ledger
from mailer.consent.ledger import Evidence
from mailer.context import Context
from mailer.core.messages import Purpose
from mailer.core.reasons import Reason
from mailer.lists import forms
from mailer.lists.models import FormVersion
from mailer.policy import notices
from mailer.sample.lists import Lists, SampleList
from mailer.subscriptions import seed
from mailer.subscriptions.why import ASKED
from mailer.suppression import registry

INSIDE = 250
ELSEWHERE = 24
MONTHS = 14
AWAY: tuple[tuple[Reason, int], ...] = (
    (Reason.UNSUBSCRIBED, 16), (Reason.PAUSED, 12), (Reason.BOUNCED, 8), (Reason.COMPLAINED, 4),
    (Reason.STAFF_STOP, 3), (Reason.NO_CONSENT, 3),
)
"""Why the others of the first list are out, and how many; with those of the other lists they are 320."""

STRANGERS: tuple[Reason, ...] = (Reason.ERASED, Reason.NEVER, Reason.CHILD, Reason.LAW, Reason.STAFF_STOP,
                                 Reason.COMPLAINED)
"""Stop-list entries of addresses that belong to nobody here."""


@dataclass(frozen=True)
class Group:
    """People who are alike: how many, on which list, and the reason for which they are out."""

    count: int
    where: SampleList
    away: Reason | None = None


def groups(lists: Lists) -> list[Group]:
    """Everybody, in the order in which they joined a list."""
    return [Group(INSIDE, lists.news), *(Group(n, lists.news, reason) for reason, n in AWAY),
            Group(ELSEWHERE // 2, lists.scores), Group(ELSEWHERE // 2, lists.members)]


def add(ctx: Context, lists: Lists, chance: random.Random) -> None:
    """Add all of them, with the history they would have left."""
    number = 900_000_000
    for group in groups(lists):
        for start in range(group.count):
            number += 1
            _one(ctx, group, number, start / group.count, chance)
    for reason in STRANGERS:
        number += 1
        address = ctx.channels["email"].parse_address(seed.made_up(number).address)
        registry.suppress(ctx, channel="email", fingerprint=ctx.sealer.fingerprint("email", address.identity),
                          reason=reason, sample=True)


def _one(ctx: Context, group: Group, number: int, part: float, chance: random.Random) -> None:
    topics = chance.sample(group.where.topic_ids, chance.randint(1, len(group.where.topic_ids)))
    joined = _joined(ctx, part, chance)
    [point_id] = seed.add_people(
        ctx, [seed.made_up(number)], group.where.id, sorted(topics), at=joined, sample=True,
        evidence=_evidence(ctx, group.where.form, joined - timedelta(minutes=chance.randint(2, 600))))
    point = ctx.db.get_one(ContactPoint, point_id)
    _tastes(ctx, point, chance)
    if group.away is not None:
        _leave(ctx, point, group.away, group.where.id)


def _joined(ctx: Context, part: float, chance: random.Random) -> datetime:
    """Somewhere in the last 14 months, a little more often lately."""
    days = MONTHS * 30 * (1 - part) ** 1.3
    return ctx.clock.now() - timedelta(days=1 + days, hours=chance.uniform(0, 20))


def _evidence(ctx: Context, form: FormVersion, asked: datetime) -> Evidence:
    notice = notices.in_force(ctx)
    return Evidence(how="form_confirmed", form_version_id=form.id, wording_id=forms.as_seen(ctx, form, notice).id,
                    notice_id=notice.id if notice else None, source="sample",
                    note=f"{ASKED}{asked.isoformat(timespec='seconds')}")


def _tastes(ctx: Context, point: ContactPoint, chance: random.Random) -> None:
    ctx.db.execute(text("UPDATE preference SET format = :format WHERE contact_point_id = :id"),
                   {"id": point.id, "format": "text" if chance.random() < 0.12 else "html"})


def _leave(ctx: Context, point: ContactPoint, reason: Reason, list_id: int) -> None:
    if reason is Reason.PAUSED:
        ctx.db.execute(text("UPDATE preference SET paused_until = :until WHERE contact_point_id = :id"),
                       {"id": point.id, "until": ctx.clock.now() + timedelta(days=30)})
    elif reason is Reason.NO_CONSENT:
        for consent in ledger.end_all(ctx, point, list_id=list_id, evidence=Evidence(how="preferences")):
            ledger.refuse(ctx, point, list_id=consent.list_id, topic_id=consent.topic_id, purpose=Purpose.OWN_OFFERS,
                          evidence=Evidence(how="preferences"))
    else:
        if reason is Reason.UNSUBSCRIBED:
            ledger.end_all(ctx, point, evidence=Evidence(how="one_click"))
        registry.suppress(ctx, channel="email", fingerprint=point.fingerprint, reason=reason, sample=True)
