"""The registry of fields: nothing is asked that nobody has said the purpose of."""

import pytest
from sqlalchemy import text

from mailer.audience import field_sources
from mailer.audience.field_sources import Origin
from mailer.core.errors import InvalidInput
from mailer.core.fields import DEMOGRAPHIC, REGISTRY, Category, check_asked, check_required
from mailer.lists import forms
from mailer.lists.forms import Definition
from mailer.lists.models import FormVersion
from mailer.services import Services, unit_of_work
from mailer.subscriptions import minimisation
from tests.people.builders import a_list, join


def test_every_field_has_a_category_and_a_purpose_and_says_how_long() -> None:
    """S2, M31."""
    assert all(field.purpose and field.category in set(Category) and field.name == name
               for name, field in REGISTRY.items())
    assert [name for name, field in REGISTRY.items() if not field.kept] == ["age"]
    assert [name for name, field in REGISTRY.items() if field.required] == ["email"]


@pytest.mark.parametrize("name", ["shoe_size", "gender", "income", "", "postal_address"])
def test_a_form_that_names_a_field_outside_the_registry_cannot_be_saved(services: Services, name: str) -> None:
    """S2: 422, and no version is written."""
    with pytest.raises(InvalidInput) as refused, unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        forms.create_form(ctx, slug="news", list_id=made.id, name="News",
                          definition=Definition(title="Get news", topics=tuple(topics), fields=(name,)))
    assert refused.value.status == 422 and refused.value.context["field"] == "fields"
    with unit_of_work(services) as ctx:
        assert ctx.db.query(FormVersion).count() == 0


@pytest.mark.parametrize("name", [*sorted(DEMOGRAPHIC), "first_name", "topics", "partner_offers", "shoe_size"])
def test_no_form_can_require_anything_but_the_address(services: Services, name: str) -> None:
    """M3, T3: required=true on a demographic field, or any other, is 422."""
    with pytest.raises(InvalidInput) as refused, unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        forms.create_form(ctx, slug="news", list_id=made.id, name="News",
                          definition=Definition(title="Get news", topics=tuple(topics), required=("email", name)))
    assert refused.value.status == 422 and refused.value.context["field"] == "required"
    check_required(("email",))
    check_asked(("email", "first_name"))


def test_a_definition_is_read_as_it_was_written_also_by_an_older_release() -> None:
    written = Definition(title="Get news", topics=(1, 2), share=True, partner_offers=True)
    assert Definition.from_json(written.to_json()) == written
    older = {key: value for key, value in written.to_json().items() if key not in ("share", "fields", "required")}
    assert Definition.from_json(older) == Definition(title="Get news", topics=(1, 2), partner_offers=True)


def test_what_has_no_purpose_shows_in_the_report_and_nothing_new_gets_in(services: Services) -> None:
    """M31, M28: a detail that nobody registered cannot be noted; an old one is flagged."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        forms.create_form(ctx, slug="news", list_id=made.id, name="Website",
                          definition=Definition(title="Get news", topics=tuple(topics)))
        point = join(ctx, "dana@example.org", made.id, topics)
        with pytest.raises(InvalidInput):
            field_sources.note(ctx, point.person_id, ["shoe_size"], Origin("form:old"))
        field_sources.note(ctx, point.person_id, ["email", "first_name"], Origin("form:news"))
        assert not any(line.flagged for line in minimisation.report(ctx))
        ctx.db.execute(text("INSERT INTO field_source (person_id, field, source, at, collector, policy) "
                            "VALUES (:id, 'shoe_size', 'import: old shop', now(), '', '')"), {"id": point.person_id})
        first, *others = minimisation.report(ctx)
        assert (first.name, first.flagged, first.people) == ("shoe_size", True, 1)
        by_name = {line.name: line for line in others}
        assert by_name["first_name"].forms == ("Website",) and by_name["email"].people == 1
