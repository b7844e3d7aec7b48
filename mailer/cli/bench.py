"""`mailer bench`: measures on a scratch installation of its own. Needs no instance."""

from collections.abc import Mapping

import click

from mailer.bench import idle as resting
from mailer.bench import leave as leaving
from mailer.bench import pages as screens
from mailer.bench import plan as planning
from mailer.bench import rows as bare_road
from mailer.bench import send as sending
from mailer.cli.output import as_json, show

people = click.option("--people", type=click.IntRange(1, 50_000_000), default=100_000, show_default=True,
                      help="How many made-up people.")
smtp = click.option("--smtp", "smtp_url", metavar="URL",
                    help="A mail server on this machine; without it, a counting one of our own.")
processes = click.option("--processes", type=click.IntRange(1, 64), help="Worker processes instead of the default.")


@click.group()
def bench() -> None:
    """Measure this machine and the product on it."""


@bench.command()
@people
@smtp
@processes
@click.option("--dkim", type=click.Choice(["rsa", "ed25519"]), help="Sign with a key of this kind.")
@as_json
def send(people: int, smtp_url: str | None, processes: int | None, dkim: str | None, as_json: bool) -> None:
    """A campaign, from the database to accepted and recorded, beside a plain sender."""
    _say(sending.send(people, smtp_url, processes, dkim), as_json)


@bench.command()
@people
@smtp
@as_json
def leave(people: int, smtp_url: str | None, as_json: bool) -> None:
    """A thousand people leave by one click while a campaign runs at full speed."""
    _say(leaving.leave(people, smtp_url), as_json)


@bench.command()
@people
@as_json
def pages(people: int, as_json: bool) -> None:
    """Milliseconds by staff page."""
    _say(screens.pages(people), as_json)


@bench.command()
@click.option("--watch", type=click.FloatRange(0.1), default=resting.WATCHED_SECONDS, show_default=True,
              help="For how many seconds its CPU time is watched.")
@click.option("--calm", type=click.FloatRange(0), default=resting.CALM_DOWN_SECONDS, show_default=True,
              help="How many seconds after its start that begins.")
@as_json
def idle(watch: float, calm: float, as_json: bool) -> None:
    """Memory and CPU of `mailer run` at rest, and its second start."""
    _say(resting.idle(watch, calm), as_json)


@bench.command()
@people
@as_json
def plan(people: int, as_json: bool) -> None:
    """Forecast and planning."""
    _say(planning.plan(people), as_json)


@bench.command()
@people
@processes
@as_json
def rows(people: int, processes: int | None, as_json: bool) -> None:
    """Claim, decide and record without a network."""
    _say(bare_road.rows(people, processes), as_json)


def _say(figures: Mapping[str, object], json_wanted: bool) -> None:
    flat: dict[str, object] = {}
    for name, value in figures.items():
        flat |= dict(value) if isinstance(value, dict) else {name: value}
    width = max(len(name) for name in flat)
    lines = [f"{name.replace('_', ' '):{width}}  {value:,}" if isinstance(value, int | float)
             else f"{name.replace('_', ' '):{width}}  {value}" for name, value in flat.items() if value is not None]
    show(figures, json_wanted, "\n".join(lines))
