"""`mailer seed`: made-up people who have confirmed."""

from time import monotonic

import click
from rich.console import Console
from rich.progress import Progress

from mailer.cli.output import as_json, show
from mailer.cli.powers import unit
from mailer.subscriptions import seed as seeding


@click.command()
@click.option("--people", type=click.IntRange(1, 50_000_000), required=True, help="How many to add.")
@click.option("--list", "list_name", default="seed", show_default=True, help="The list they join.")
@as_json
def seed(people: int, list_name: str, as_json: bool) -> None:
    """Add made-up people who have confirmed, and whatever is missing around them."""
    started = monotonic()
    with Progress(console=Console(stderr=True), transient=True) as bar, unit() as ctx:
        task = bar.add_task("Adding people", total=people)
        for done in seeding.seed(ctx, people, list_name):
            bar.update(task, completed=done)
    seconds = round(monotonic() - started, 2)
    show({"people": people, "list": list_name, "seconds": seconds}, as_json,
         f"Added {people} people to the list {list_name} in {seconds} s.")
