"""Lists and the topics inside them."""

import re
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import Conflict, InvalidInput, NotFound
from mailer.lists.models import MailingList, Topic

LONGEST_NAME = 80
LONGEST_TEXT = 500
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def create_list(ctx: Context, name: str, topics: Sequence[str] = (), public_text: str = "", sample: bool = False
                ) -> MailingList:
    """A list with its topics; with none named, one that is called like the list.

    Raises: InvalidInput for a name; Conflict when the name is taken.
    """
    name = one_line("name", name)
    topic_names = list(dict.fromkeys(one_line("topic", topic) for topic in topics)) or [name]
    made = ctx.db.scalars(insert(MailingList).values(
        name=name, public_text=text("public_text", public_text), archived=False, sample=sample,
        created_at=ctx.clock.now()).on_conflict_do_nothing().returning(MailingList)).first()
    if made is None:
        raise Conflict(field="name")
    for topic in topic_names:
        add_topic(ctx, made, topic)
    trail.record(ctx, "create_list", f"list:{made.id}", topics=len(topic_names))
    return made


def add_topic(ctx: Context, mailing_list: MailingList, name: str, public_text: str = "") -> Topic:
    """One more topic, after the others. Raises: InvalidInput; Conflict when the list has one of that name."""
    place = select(func.coalesce(func.max(Topic.position), -1) + 1).where(
        Topic.list_id == mailing_list.id).scalar_subquery()
    topic = ctx.db.scalars(insert(Topic).values(
        list_id=mailing_list.id, name=one_line("topic", name), public_text=text("public_text", public_text),
        position=place, archived=False).on_conflict_do_nothing().returning(Topic)).first()
    if topic is None:
        raise Conflict(field="topic")
    return topic


def rename(ctx: Context, mailing_list: MailingList, name: str, public_text: str) -> None:
    """Change what a list is called and says of itself. Raises: InvalidInput; Conflict when the name is taken."""
    name = one_line("name", name)
    taken = ctx.db.scalar(select(MailingList.id).where(MailingList.name == name, MailingList.id != mailing_list.id))
    if taken is not None:
        raise Conflict(field="name")
    mailing_list.name, mailing_list.public_text = name, text("public_text", public_text)
    ctx.db.flush()
    trail.record(ctx, "rename_list", f"list:{mailing_list.id}")


def rename_topic(ctx: Context, topic: Topic, name: str, public_text: str) -> None:
    """Change what a topic is called and says of itself. Raises: InvalidInput; Conflict when the name is taken."""
    name = one_line("topic", name)
    taken = ctx.db.scalar(select(Topic.id).where(
        Topic.list_id == topic.list_id, Topic.name == name, Topic.id != topic.id))
    if taken is not None:
        raise Conflict(field="topic")
    topic.name, topic.public_text = name, text("public_text", public_text)
    ctx.db.flush()
    trail.record(ctx, "rename_topic", f"topic:{topic.id}")


def archive(ctx: Context, thing: MailingList | Topic, archived: bool = True) -> None:
    """Take a list or topic out of use, or back: never deleted, because proof of consent points to it."""
    thing.archived = archived
    ctx.db.flush()
    about = "list" if isinstance(thing, MailingList) else "topic"
    trail.record(ctx, "archive" if archived else "unarchive", f"{about}:{thing.id}")


def by_name(ctx: Context, name: str) -> MailingList:
    """The list of that name. Raises: NotFound."""
    found = ctx.db.scalars(select(MailingList).where(MailingList.name == name)).first()
    if found is None:
        raise NotFound(list=name)
    return found


def topics_of(ctx: Context, list_id: int, *, archived: bool = False) -> list[Topic]:
    """A list's topics in their order; those out of use only when asked for."""
    asked = select(Topic).where(Topic.list_id == list_id).order_by(Topic.position, Topic.id)
    return list(ctx.db.scalars(asked if archived else asked.where(Topic.archived.is_(False))))


def one_line(field: str, value: str, longest: int = LONGEST_NAME) -> str:
    """A name as it may be kept. Raises: InvalidInput when it is empty, too long or holds control characters."""
    value = value.strip()
    if not value:
        raise InvalidInput(field=field, why="is empty")
    if len(value) > longest:
        raise InvalidInput(field=field, why=f"is longer than {longest} characters")
    if UNPRINTABLE.search(value):
        raise InvalidInput(field=field, why="holds a line break or a character that cannot be printed")
    return value


def text(field: str, value: str, longest: int = LONGEST_TEXT) -> str:
    """Words of some lines as they may be kept. Raises: InvalidInput."""
    value = value.strip().replace("\r\n", "\n")
    if len(value) > longest:
        raise InvalidInput(field=field, why=f"is longer than {longest} characters")
    if UNPRINTABLE.search(value.replace("\n", "").replace("\t", "")):
        raise InvalidInput(field=field, why="holds a character that cannot be printed")
    return value
