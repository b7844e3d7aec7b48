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
from mailer.core.errors import Conflict, InvalidInput, NotFound
from mailer.lists import catalogue, wordings
from mailer.lists.models import Form, FormVersion, Topic, Wording
from mailer.organisation import profile

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
FREQUENCIES = {0: "As it happens", 7: "At most once a week", 30: "At most once a month"}
LONGEST_LINE = 200
PARTNER_LEGEND = "Offers from other companies"
PARTNER_LABEL = "Send me partner offers."


class Notice(Protocol):
    """What a form says of the privacy notice."""

    @property
    def version(self) -> str: ...

    @property
    def effective_at(self) -> datetime: ...


@dataclass(frozen=True)
class Definition:
    """What a form says and asks. Boxes are never ticked beforehand: there is no such option."""

    title: str
    intro: str = "Pick what you like. We email you a link first. Nothing else happens until you press the button in it."
    topics: tuple[int, ...] = ()
    ask_first_name: bool = True
    ask_frequency: bool = True
    ask_format: bool = True
    partner_offers: bool = False
    partner_names: tuple[str, ...] = ()
    age_line: str = "For people aged 16 or over."
    thanks: str = "You are in. Change or stop any time with the link at the end of every message."
    language: str = "en"

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self) | {"topics": list(self.topics), "partner_names": list(self.partner_names)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Definition":
        """As it was stored, also by an older release."""
        known = {each.name: stored[each.name] for each in fields(cls) if each.name in stored}
        return cls(**known | {name: tuple(known.get(name, ())) for name in ("topics", "partner_names")})


def text_shown(definition: Definition, topics: Sequence[Topic], notice: Notice | None) -> str:
    """The exact words of the form without its partner block, one line each, in the order of the page."""
    asked = [definition.title, definition.intro, "Email address"]
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


def partner_note(definition: Definition, brand_name: str) -> str:
    """What stands below the partner box: who sends, and which partners there are now (promise M18)."""
    names = f" At the moment: {', '.join(definition.partner_names)}." if definition.partner_names else ""
    return f"{brand_name} sends them. Partners never learn your address or anything about you.{names}"


def partner_text(definition: Definition, brand_name: str) -> str:
    """The exact words of the partner block; empty where the form has none."""
    if not definition.partner_offers:
        return ""
    return "\n".join((PARTNER_LEGEND, PARTNER_LABEL, partner_note(definition, brand_name)))


def create_form(ctx: Context, *, slug: str, list_id: int, name: str, definition: Definition,
                notice: Notice | None = None) -> Form:
    """A form and its first version. Raises: InvalidInput; Conflict when the web name is taken."""
    if not SLUG.fullmatch(slug):
        raise InvalidInput(field="slug", why="small letters, digits and dashes, at most 40")
    form = ctx.db.scalars(insert(Form).values(
        slug=slug, list_id=list_id, name=catalogue.one_line("name", name), archived=False
    ).on_conflict_do_nothing().returning(Form)).first()
    if form is None:
        raise Conflict(field="slug")
    new_version(ctx, form, definition, notice)
    trail.record(ctx, "create_form", f"form:{form.id}", list=list_id)
    return form


def new_version(ctx: Context, form: Form, definition: Definition, notice: Notice | None = None) -> FormVersion:
    """The form with these words: version n+1, or the newest itself when nothing changed. Raises: InvalidInput."""
    # Two editors who save at once get two versions, one after the other.
    ctx.db.execute(select(Form.id).where(Form.id == form.id).with_for_update())
    topics = _checked(ctx, form, definition)
    last = _newest(ctx, form)
    if last is not None and Definition.from_json(last.definition) == definition:
        return last
    partner = partner_text(definition, profile.current(ctx).name)
    version = FormVersion(
        form_id=form.id, version=last.version + 1 if last else 1, definition=definition.to_json(),
        wording_id=wordings.keep(ctx, text_shown(definition, topics, notice), definition.language).id,
        partner_wording_id=wordings.keep(ctx, partner, definition.language).id if partner else None,
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


def as_seen(ctx: Context, version: FormVersion, notice: Notice | None) -> Wording:
    """The words that a visitor of this version sees under this notice, kept for the proof of consent."""
    definition = Definition.from_json(version.definition)
    return wordings.keep(ctx, text_shown(definition, topics_shown(ctx, definition), notice), definition.language)


def partner_as_seen(ctx: Context, version: FormVersion) -> Wording | None:
    """The words of the partner block that a visitor of this version sees; None where it has none."""
    definition = Definition.from_json(version.definition)
    said = partner_text(definition, profile.current(ctx).name)
    return wordings.keep(ctx, said, definition.language) if said else None


def topics_shown(ctx: Context, definition: Definition) -> list[Topic]:
    """The topics a form offers, in its order, without those out of use since."""
    found = {topic.id: topic for topic in ctx.db.scalars(select(Topic).where(
        Topic.id.in_(definition.topics), Topic.archived.is_(False)))}
    return [found[topic_id] for topic_id in definition.topics if topic_id in found]


def _checked(ctx: Context, form: Form, definition: Definition) -> list[Topic]:
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
