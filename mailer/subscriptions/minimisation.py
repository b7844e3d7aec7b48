"""The data minimisation report: every detail that is asked or held, what for, and what has no purpose (promise M31)."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select

from mailer.audience import field_sources
from mailer.context import Context
from mailer.core.fields import REGISTRY, is_registered
from mailer.lists import forms
from mailer.lists.models import Form


@dataclass(frozen=True)
class Line:
    """One detail: for how many people it is held, which forms ask it. Flagged: nobody has said what it is for."""

    name: str
    category: str
    purpose: str
    kept: str
    people: int
    forms: tuple[str, ...]

    @property
    def flagged(self) -> bool:
        return not is_registered(self.name)


def report(ctx: Context) -> list[Line]:
    """What has no purpose first, then the registry in its order."""
    held, asked = field_sources.counts(ctx), _asked(ctx)
    unknown = sorted((held.keys() | asked.keys()) - REGISTRY.keys())
    strangers = [Line(name, "", "", "", held.get(name, 0), tuple(asked.get(name, ()))) for name in unknown]
    return strangers + [Line(each.name, each.category, each.purpose, each.kept, held.get(each.name, 0),
                             tuple(asked.get(each.name, ()))) for each in REGISTRY.values()]


def _asked(ctx: Context) -> dict[str, list[str]]:
    """The forms in use that ask each detail."""
    found: dict[str, list[str]] = defaultdict(list)
    for form in ctx.db.scalars(select(Form).where(Form.archived.is_(False)).order_by(Form.id)):
        definition = forms.Definition.from_json(forms.current(ctx, form.slug)[1].definition)
        for name in definition.asked:
            found[name].append(form.name)
    return found
