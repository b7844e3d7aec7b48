"""Where each detail of a person came from, in words: for the person's own page and for staff (promises M28 and S8)."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from mailer.audience import field_sources
from mailer.audience.models import ContactPoint
from mailer.context import Context
from mailer.lists.models import Form
from mailer.policy.models import Notice
from mailer.subscriptions import words

FIELDS = {
    "email": "Email address", "first_name": "First name", "phone": "Phone number", "postal_address": "Postal address",
    "frequency": "How often", "format": "Text or pictures", "language": "Language",
}
PLACES = {
    "preferences": "Your preferences page", "fresh": "Your own page", "staff": "Our desk", "desk": "Our desk",
    "address_change": "Your own page, confirmed from that mailbox", "seed": "Made up for trying out",
}
IMPORT = "import: "


@dataclass(frozen=True)
class Told:
    """One detail: `place` is where it came from. `collector` took it where that was not us, under `policy` (a link)."""

    detail: str
    place: str
    on: date
    notice: str
    collector: str
    policy: str


def told(ctx: Context, point: ContactPoint) -> list[Told]:
    """What is known of the details of whose contact point this is."""
    forms = {f"form:{slug}": name for slug, name in ctx.db.execute(select(Form.slug, Form.name))}
    notices = {notice_id: version for notice_id, version in ctx.db.execute(select(Notice.id, Notice.version))}
    zone = words.zone(ctx)
    return [Told(FIELDS.get(row.field, row.field.replace("_", " ").capitalize()), _place(row.source, forms),
                 row.at.astimezone(zone).date(), notices.get(row.notice_id or 0, ""), row.collector,
                 row.policy if row.policy.startswith(("https://", "http://")) else "")
            for row in field_sources.of(ctx, point.person_id)]


def _place(source: str, forms: dict[str, str]) -> str:
    if source in forms:
        return f"Our form “{forms[source]}”"
    if source.startswith(IMPORT):
        return f"{source.removeprefix(IMPORT)}, brought here by us"
    return PLACES.get(source, source.replace("_", " ").capitalize())
