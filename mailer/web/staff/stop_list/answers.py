"""What the stop list says of one address, in words, and what of it the privacy officer may lift."""

from dataclasses import dataclass
from datetime import date

from flask import request
from sqlalchemy import select
from werkzeug.wrappers import Response

from mailer.audience import contact_points
from mailer.audit import trail
from mailer.context import Context
from mailer.core.channel import Address
from mailer.core.errors import InvalidAddress
from mailer.core.reasons import Reason
from mailer.lists.models import MailingList, Topic
from mailer.staff.roles import Permission
from mailer.subscriptions import by_staff
from mailer.suppression import domains, registry
from mailer.suppression.models import DomainRule, Suppression
from mailer.web.staff.campaigns.words import reason
from mailer.web.staff.door import here
from mailer.web.staff.frame import staff_page
from mailer.web.support import unit

CHANNEL = "email"
"""The only channel whose addresses can be asked for so far."""
CHANNELS = {"email": "Email", "sms": "Text", "postal": "Post"}
EVERYTHING = {"email": "Everything by email", "sms": "Everything by text", "postal": "Everything by post"}
LONGEST = 400


@dataclass(frozen=True)
class Line:
    """One entry in words. `lifts` says what lifting takes: `why`, `written`, or nothing; `key` names the entry."""

    reason: str
    scope: str
    day: date
    until: date | None
    lifts: str = ""
    key: tuple[tuple[str, str], ...] = ()


def asked() -> Response | None:
    """The answer to the question that was posted, noted without the address; None where no address was typed."""
    typed = request.form.get("email", "")[:LONGEST].strip()
    with unit() as ctx:
        address = read(ctx, typed)
        lines = lines_of(ctx, address) if address is not None else []
        if address is not None:
            trail.record(ctx, "stop_list_asked", "stop_list", answer="yes" if lines else "no")
    return page(lines) if address is not None else None


def page(lines: list[Line], status: int = 200, *, errors: dict[str, str] | None = None,
         chosen: dict[str, str] | None = None) -> Response:
    """The page that says so; it does not repeat the address."""
    return staff_page("staff/stop_list/answer.html", status, entries=lines, errors=errors or {}, chosen=chosen or {},
                      because=list(by_staff.LIFTED_BECAUSE.items()), written=list(by_staff.WRITTEN.items()))


def lines_of(ctx: Context, address: Address) -> list[Line]:
    """What holds today for an address, and for its domain."""
    prints = ctx.sealer.fingerprints(CHANNEL, address.identity)
    lines = [line_of(ctx, each) for each in registry.entries(ctx, CHANNEL, prints)]
    rule = ctx.db.get(DomainRule, ctx.sealer.domain_hash(address.domain))
    if rule is not None:
        lines.append(Line(reason(Reason.DOMAIN_RULE), "Everybody at this domain", rule.day, None))
    return lines


def line_of(ctx: Context, entry: Suppression) -> Line:
    """One entry in words."""
    why = Reason(entry.reason)
    lifts = ""
    if here().may(Permission.PRIVACY):
        lifts = "why" if why in by_staff.OFFICER_LIFTS else "written" if why in by_staff.WRITING_LIFTS else ""
    return Line(reason(why), scope_of(ctx, entry), entry.day, entry.until, lifts, tuple({
        "channel": entry.channel, "fingerprint": entry.fingerprint.hex(), "reason": entry.reason,
        "list_id": str(entry.list_id), "topic_id": str(entry.topic_id)}.items()))


def scope_of(ctx: Context, entry: Suppression) -> str:
    """What an entry is for: everything, a list, or a topic of it."""
    if not entry.list_id:
        return EVERYTHING[entry.channel]
    name = ctx.db.scalar(select(MailingList.name).where(MailingList.id == entry.list_id)) or "A list that is gone"
    topic = ctx.db.scalar(select(Topic.name).where(Topic.id == entry.topic_id)) if entry.topic_id else ""
    return f"{name}: {topic}" if topic else name


def read(ctx: Context, typed: str) -> Address | None:
    """The address that was typed; None where it is none."""
    try:
        return contact_points.parse(ctx, CHANNEL, typed)
    except InvalidAddress:
        return None


def rules(ctx: Context) -> list[tuple[str, date]]:
    """The domains with a rule, each with its day."""
    return [(rule.name, rule.day) for rule in domains.listed(ctx)]
