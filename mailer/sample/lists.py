"""The sample's three lists with five topics, and the form by which people join the first."""

from dataclasses import dataclass

from sqlalchemy import select

from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.lists import catalogue, forms
from mailer.lists.forms import Definition
from mailer.lists.models import Form, FormVersion, MailingList
from mailer.organisation import profile as organisation
from mailer.policy import notices

NEWS = ("News and events", ("New releases", "Events near you"))
SCORES = ("Sheet music", ("For piano", "For strings"))
MEMBERS = ("Members", ("Members' letter",))


@dataclass(frozen=True)
class SampleList:
    """One list of the sample."""

    id: int
    topic_ids: tuple[int, ...]
    form: FormVersion


@dataclass(frozen=True)
class Lists:
    """All three."""

    news: SampleList
    scores: SampleList
    members: SampleList


def add(ctx: Context) -> Lists:
    """Make the lists, their topics and a form each; the first form is the one that visitors find."""
    return Lists(_one(ctx, NEWS, "news", partners=True), _one(ctx, SCORES, "sheet-music"),
                 _one(ctx, MEMBERS, "members"))


def _one(ctx: Context, called: tuple[str, tuple[str, ...]], slug: str, *, partners: bool = False) -> SampleList:
    name, topics = called
    made = catalogue.create_list(ctx, _free(ctx, name), topics, sample=True)
    topic_ids = tuple(topic.id for topic in catalogue.topics_of(ctx, made.id))
    brand = organisation.current(ctx).name
    form = forms.create_form(
        ctx, slug=slug, list_id=made.id, name=f"Sign up for {name}", notice=notices.in_force(ctx),
        definition=Definition(title=f"Get {name.lower() if name != 'Members' else 'the members’ letter'} from {brand}",
                              topics=topic_ids, partner_offers=partners))
    return SampleList(made.id, topic_ids, forms.current(ctx, form.slug)[1])


def _free(ctx: Context, name: str) -> str:
    try:
        catalogue.by_name(ctx, name)
    except NotFound:
        return name
    return f"{name} (sample)"


def archive(ctx: Context, mailing_list: MailingList) -> None:
    """Take a sample list and its forms out of use; proof of consent may point to them, so nothing is deleted."""
    for form in ctx.db.scalars(select(Form).where(Form.list_id == mailing_list.id, Form.archived.is_(False))).all():
        forms.archive(ctx, form)
    catalogue.archive(ctx, mailing_list)
