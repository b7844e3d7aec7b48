"""A person's own details, as they correct them; the change stands wherever the detail is used at once (promise S24)."""

from sqlalchemy import delete, update

from mailer.audience import field_sources
from mailer.audience.field_sources import Origin
from mailer.audience.models import ContactPoint, FieldSource, Person
from mailer.consent import ledger
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.subscriptions.answers import name_fault

FIRST_NAME = "first_name"


def set_first_name(ctx: Context, point: ContactPoint, raw: str, *, source: str) -> bool:
    """Change a person's first name, or remove it with an empty one; whether there is one now.

    Raises: InvalidInput naming `first_name` with a reason code; NotFound once erased.
    """
    name = raw.strip()
    if why := name_fault(name):
        raise InvalidInput(field=FIRST_NAME, why=why)
    key = ledger.holder_of(ctx, point).key
    person = ctx.db.get_one(Person, point.person_id, with_for_update=True, populate_existing=True)
    person.sealed_first_name = key.seal(name, table="person", row=person.id, field=FIRST_NAME) if name else None
    ctx.db.execute(update(ContactPoint).where(ContactPoint.person_id == person.id).values(has_name=bool(name)))
    if name:
        field_sources.note(ctx, person.id, [FIRST_NAME], Origin(source))
    else:
        ctx.db.execute(delete(FieldSource).where(FieldSource.person_id == person.id, FieldSource.field == FIRST_NAME))
    ctx.db.flush()
    return bool(name)
