"""`mailer list`: lists and how many people they have."""


import click
from sqlalchemy import select

from mailer.cli.output import as_json, show
from mailer.cli.powers import unit
from mailer.context import Context
from mailer.lists import catalogue, queries
from mailer.lists.models import MailingList


@click.group(name="list")
def lists() -> None:
    """Lists that people join."""


@lists.command()
@click.argument("name")
@click.option("--topic", "topics", multiple=True, help="A kind of announcement; may be given more than once.")
@as_json
def create(name: str, topics: tuple[str, ...], as_json: bool) -> None:
    """Make a list; without a topic it has one, called like the list."""
    with unit() as ctx:
        made = catalogue.create_list(ctx, name, topics)
        facts = _facts(ctx, made)
    show(facts, as_json, f"Made the list {name} (number {facts['id']}).")


@lists.command(name="show")
@click.argument("name", required=False)
@as_json
def show_lists(name: str | None, as_json: bool) -> None:
    """Show one list, or all of them."""
    with unit() as ctx:
        found = [catalogue.by_name(ctx, name)] if name else list(
            ctx.db.scalars(select(MailingList).order_by(MailingList.name)))
        rows = [_facts(ctx, each) for each in found]
    if name:
        show(rows[0], as_json, _line(rows[0]))
    else:
        show({"lists": rows}, as_json, "\n".join(_line(row) for row in rows) or "There are no lists yet.")


def _facts(ctx: Context, each: MailingList) -> dict[str, object]:
    counts = queries.counts(ctx).get(each.id, queries.Counts())
    return {"id": each.id, "name": each.name, "topics": [topic.name for topic in catalogue.topics_of(ctx, each.id)],
            "confirmed": counts.confirmed, "waiting": counts.waiting, "paused": counts.paused}


def _line(row: dict[str, object]) -> str:
    return f"{row['name']}: {row['confirmed']} confirmed, {row['waiting']} waiting, {row['paused']} paused"


