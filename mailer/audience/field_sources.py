"""Where each detail of a person came from: source, day, notice, and the collector where that was not us (M28, S8)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from mailer.audience.models import FieldSource
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.core.fields import REGISTRY, is_registered


@dataclass(frozen=True)
class Origin:
    """What is known of how a detail came here: `source` such as `form:news`, `import`, `preferences`, `staff`."""

    source: str
    notice_id: int | None = None
    collector: str = ""
    policy: str = ""
    at: datetime | None = None


def note(ctx: Context, person_id: int, fields: Iterable[str], origin: Origin) -> None:
    """Remember where these details came from; the newest word about a detail counts.

    Raises: InvalidInput for a detail that is not in the registry.
    """
    note_many(ctx, [person_id], fields, origin)


def note_many(ctx: Context, person_ids: Sequence[int], fields: Iterable[str], origin: Origin) -> None:
    """The same for several people whose details came the same way. Raises: InvalidInput."""
    names = sorted(set(fields))
    for name in names:
        if not is_registered(name):
            raise InvalidInput(field="fields", why="names a field that is not in the registry", name=name)
    said = {"source": origin.source, "notice_id": origin.notice_id, "collector": origin.collector,
            "policy": origin.policy, "at": origin.at or ctx.clock.now()}
    rows = [{"person_id": person_id, "field": name, **said} for person_id in person_ids for name in names]
    if rows:
        ctx.db.execute(insert(FieldSource).on_conflict_do_update(
            index_elements=["person_id", "field"], set_=said), rows)


def of(ctx: Context, person_id: int) -> list[FieldSource]:
    """What is known of each detail of a person, in the order of the registry."""
    order = {name: place for place, name in enumerate(REGISTRY)}
    found = ctx.db.scalars(select(FieldSource).where(FieldSource.person_id == person_id),
                           execution_options={"populate_existing": True})
    return sorted(found, key=lambda row: (order.get(row.field, len(order)), row.field))


def counts(ctx: Context) -> Mapping[str, int]:
    """How many people have each detail, for the report on what is held and why (promise M31)."""
    rows = ctx.db.execute(select(FieldSource.field, func.count()).group_by(FieldSource.field))
    return {field: people for field, people in rows}
