"""Ways in: one public form each, in versions that are never changed."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from mailer.audit import trail
from mailer.context import Context
from mailer.core import fields as registry
from mailer.core.errors import Conflict, InvalidInput, NotFound
from mailer.lists import catalogue, wordings
from mailer.lists.models import Form, FormVersion, Topic, Wording
from mailer.organisation import profile

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
FREQUENCIES = {0: "As it happens", 7: "At most once a week", 30: "At most once a month"}
LONGEST_LINE = 200
PARTNER_LEGEND = "Offers from other companies"
PARTNER_LABEL = "Send me partner offers."
SHARE_LEGEND = "Passing your address on"
SHARE_LABEL = "Give my email address to these companies."
SAY_NO = "No, and remember that."
AGE_LABEL = "How old are you?"
AGE_HINT = "In whole years. We look at it and keep it nowhere."


class Notice(Protocol):
    """What a form says of the privacy notice."""

    @property
    def version(self) -> str: ...

    @property
    def effective_at(self) -> datetime: ...


class Partners(Protocol):
    """The partners named beside a choice, in the version that is shown."""

    @property
    def version(self) -> int: ...

    @property
    def names(self) -> list[str]: ...


@dataclass(frozen=True)
class Definition:
    """What a form says and asks. Boxes are never ticked beforehand: there is no such option.

    `share` asks whether the address may be passed on. `fields` names further details by the registry, `required` what
    nobody can leave out. `partner_names` stand where no list of partners has been published.
    """

    title: str
    intro: str = "Pick what you like. We email you a link first. Nothing else happens until you press the button in it."
    topics: tuple[int, ...] = ()
    ask_first_name: bool = True
    ask_frequency: bool = True
    ask_format: bool = True
    partner_offers: bool = False
    partner_names: tuple[str, ...] = ()
    share: bool = False
    fields: tuple[str, ...] = ()
    required: tuple[str, ...] = ("email",)
    age_line: str = "For people aged 16 or over."
    thanks: str = "You are in. Change or stop any time with the link at the end of every message."
    language: str = "en"

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self) | {name: list(getattr(self, name)) for name in SEVERAL}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Definition":
        """As it was stored, also by an older release."""
        known = {each.name: stored[each.name] for each in fields(cls) if each.name in stored}
        return cls(**known | {name: tuple(known[name]) for name in SEVERAL if name in known})

    @property
    def asked(self) -> tuple[str, ...]:
        """Every detail that the form asks, by its name in the registry."""
        by_switch = {"first_name": self.ask_first_name, "frequency": self.ask_frequency, "format": self.ask_format,
                     "partner_offers": self.partner_offers, "share": self.share}
        return ("email", "topics", *(name for name, on in by_switch.items() if on), *self.fields)


SEVERAL = ("topics", "partner_names", "fields", "required")


def text_shown(definition: Definition, topics: Sequence[Topic], notice: Notice | None, *, asks_age: bool = False
               ) -> str:
    """The exact words of the form without its partner blocks, one line each, in the order of the page."""
    asked = [definition.title, definition.intro, "Email address"]
    if asks_age:
        asked += [AGE_LABEL, AGE_HINT]
    if definition.ask_first_name:
        asked.append("First name (optional). Only to say hello.")
    asked += ["What would you like?", *(_topic_line(topic) for topic in topics)]
    if definition.ask_frequency:
        asked += ["How often?", *FREQUENCIES.values()]
    if definition.ask_format:
        asked += ["Look", "Text and pictures", "Text only"]
    asked += ["We keep your email, your choices and when you made them.", definition.age_line]
    if notice is not None:
        day = notice.effective_at
        asked.append(f"How we use it: notice {notice.version}, {day.day} {day:%B %Y}.")
    return "\n".join(line for line in asked if line)


def partner_note(definition: Definition, brand_name: str, partners: Partners | None = None) -> str:
    """What stands below the partner box: who sends, and which partners there are now (promise M18)."""
    return (f"{brand_name} sends them. Partners never learn your address or anything about you."
            f"{named(partners, definition.partner_names)}")


def partner_text(definition: Definition, brand_name: str, partners: Partners | None = None) -> str:
    """The exact words of the partner block; empty where the form has none."""
    if not definition.partner_offers:
        return ""
    return "\n".join((PARTNER_LEGEND, PARTNER_LABEL, partner_note(definition, brand_name, partners), SAY_NO))


def share_note(brand_name: str, partners: Partners | None) -> str:
    """What stands below the box that passes an address on: who gets it, and what they then do (promise T15)."""
    return (f"{brand_name} gives it to them once you have confirmed. They write to you themselves, under their own "
            f"policies.{named(partners)}")


def share_text(definition: Definition, brand_name: str, partners: Partners | None) -> str:
    """The exact words of the block that asks to pass an address on; empty where it is not asked."""
    if not definition.share or partners is None or not partners.names:
        return ""
    return "\n".join((SHARE_LEGEND, SHARE_LABEL, share_note(brand_name, partners), SAY_NO))


def named(partners: Partners | None, names: Sequence[str] = ()) -> str:
    """Which partners there are now and in which version of their list; `names` where no list was published."""
    if partners is None:
        return f" At the moment: {', '.join(names)}." if names else ""
    return f" At the moment: {', '.join(partners.names) or 'nobody'}. Partner list {partners.version}."


def create_form(ctx: Context, *, slug: str, list_id: int, name: str, definition: Definition,
                notice: Notice | None = None, partners: Partners | None = None, may_share: bool = False) -> Form:
    """A form and its first version; `may_share` says that the policy lets forms ask to pass an address on.

    Raises: InvalidInput; Conflict when the web name is taken.
    """
    if not SLUG.fullmatch(slug):
        raise InvalidInput(field="slug", why="small letters, digits and dashes, at most 40")
    form = ctx.db.scalars(insert(Form).values(
        slug=slug, list_id=list_id, name=catalogue.one_line("name", name), archived=False
    ).on_conflict_do_nothing().returning(Form)).first()
    if form is None:
        raise Conflict(field="slug")
    new_version(ctx, form, definition, notice, partners, may_share=may_share)
    trail.record(ctx, "create_form", f"form:{form.id}", list=list_id)
    return form


def new_version(ctx: Context, form: Form, definition: Definition, notice: Notice | None = None,
                partners: Partners | None = None, *, may_share: bool = False) -> FormVersion:
    """The form with these words: version n+1, or the newest itself when nothing changed. Raises: InvalidInput."""
    # Two editors who save at once get two versions, one after the other.
    ctx.db.execute(select(Form.id).where(Form.id == form.id).with_for_update())
    topics = _checked(ctx, form, definition, may_share)
    last = _newest(ctx, form)
    if last is not None and Definition.from_json(last.definition) == definition:
        return last
    name, language = profile.current(ctx).name, definition.language
    partner, share = partner_text(definition, name, partners), share_text(definition, name, partners)
    version = FormVersion(
        form_id=form.id, version=last.version + 1 if last else 1, definition=definition.to_json(),
        wording_id=wordings.keep(ctx, text_shown(definition, topics, notice), language).id,
        partner_wording_id=wordings.keep(ctx, partner, language).id if partner else None,
        share_wording_id=wordings.keep(ctx, share, language).id if share else None,
        created_at=ctx.clock.now())
    ctx.db.add(version)
    ctx.db.flush()
    trail.record(ctx, "write_form_version", f"form:{form.id}", version=version.version)
    return version


def current(ctx: Context, slug: str) -> tuple[Form, FormVersion]:
    """A form in use and its newest version. Raises: NotFound."""
    form = ctx.db.scalars(select(Form).where(Form.slug == slug, Form.archived.is_(False))).first()
    version = _newest(ctx, form) if form else None
    if form is None or version is None:
        raise NotFound(form=slug)
    return form, version


def archive(ctx: Context, form: Form, archived: bool = True) -> None:
    """Take a form out of use, or back: never deleted, because proof of consent points to its versions."""
    form.archived = archived
    ctx.db.flush()
    trail.record(ctx, "archive" if archived else "unarchive", f"form:{form.id}")


def versions(ctx: Context, form_id: int) -> list[FormVersion]:
    """Every version of a form, newest first."""
    return list(ctx.db.scalars(select(FormVersion).where(FormVersion.form_id == form_id).order_by(
        FormVersion.version.desc())))


def as_seen(ctx: Context, version: FormVersion, notice: Notice | None, *, asks_age: bool = False) -> Wording:
    """The words that a visitor of this version sees under this notice, kept for the proof of consent."""
    definition = Definition.from_json(version.definition)
    said = text_shown(definition, topics_shown(ctx, definition), notice, asks_age=asks_age)
    return wordings.keep(ctx, said, definition.language)


def partner_as_seen(ctx: Context, version: FormVersion, partners: Partners | None = None) -> Wording | None:
    """The words of the partner block that a visitor of this version sees; None where it has none."""
    definition = Definition.from_json(version.definition)
    said = partner_text(definition, profile.current(ctx).name, partners)
    return wordings.keep(ctx, said, definition.language) if said else None


def share_as_seen(ctx: Context, version: FormVersion, partners: Partners | None) -> Wording | None:
    """The words of the block that asks to pass an address on, as a visitor sees them; None where there is none."""
    definition = Definition.from_json(version.definition)
    said = share_text(definition, profile.current(ctx).name, partners)
    return wordings.keep(ctx, said, definition.language) if said else None


def topics_shown(ctx: Context, definition: Definition) -> list[Topic]:
    """The topics a form offers, in its order, without those out of use since."""
    found = {topic.id: topic for topic in ctx.db.scalars(select(Topic).where(
        Topic.id.in_(definition.topics), Topic.archived.is_(False)))}
    return [found[topic_id] for topic_id in definition.topics if topic_id in found]


def _checked(ctx: Context, form: Form, definition: Definition, may_share: bool) -> list[Topic]:
    registry.check_asked(definition.asked)
    registry.check_required(definition.required)
    if definition.share and not may_share:
        raise InvalidInput(field="share", why="is not allowed by your policy")
    catalogue.one_line("title", definition.title, LONGEST_LINE)
    catalogue.one_line("age_line", definition.age_line, LONGEST_LINE)
    catalogue.text("intro", definition.intro)
    catalogue.text("thanks", definition.thanks)
    for partner in definition.partner_names:
        catalogue.one_line("partner_names", partner)
    topics = topics_shown(ctx, definition)
    if not topics or len(topics) != len(definition.topics) or any(topic.list_id != form.list_id for topic in topics):
        raise InvalidInput(field="topics", why="choose at least one topic of the list")
    return topics


def _newest(ctx: Context, form: Form) -> FormVersion | None:
    return ctx.db.scalars(select(FormVersion).where(FormVersion.form_id == form.id).order_by(
        FormVersion.version.desc()).limit(1)).first()


def _topic_line(topic: Topic) -> str:
    return f"{topic.name}: {topic.public_text}" if topic.public_text else topic.name
