"""Says what we make of something typed. Needs no instance."""

import json
import sys
from collections.abc import Iterable, Iterator

import click

from mailer import wiring
from mailer.cli.output import as_json, show
from mailer.core.channel import Channel
from mailer.core.errors import InvalidInput
from mailer.settings import Settings

EMAIL = "email"


@click.group()
def explain() -> None:
    """Say what we make of something typed."""


@explain.command()
@click.argument("value", required=False)
@as_json
@click.option("--json-lines", is_flag=True, help="Read one JSON object a line with `id` and `input`; print one a line.")
def address(value: str | None, as_json: bool, json_lines: bool) -> None:
    """Say what we make of an e-mail address, given here or on standard input."""
    channel = wiring.load_channels(Settings.from_env().channels)[EMAIL]
    if json_lines:
        if value is not None or as_json:
            raise click.UsageError("--json-lines reads standard input and goes with nothing else.")
        for line in lines(channel, sys.stdin):
            click.echo(line)
        return
    found = channel.explain(sys.stdin.read() if value is None else value)
    show({**found.fields, "why": found.why or None, "sentence": found.sentence}, as_json, found.sentence)


def lines(channel: Channel, typed: Iterable[str]) -> Iterator[str]:
    """One JSON object for each that is read. Raises: InvalidInput naming the line that holds none."""
    for number, line in enumerate(typed, 1):
        if not line.strip():
            continue
        try:
            given = json.loads(line)
            raw = given["input"]
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInput(field=f"line {number}", why="a JSON object with `input`") from error
        if not isinstance(raw, str):
            raise InvalidInput(field=f"line {number}", why="a text as `input`")
        yield json.dumps({"id": given.get("id"), **channel.explain(raw).fields}, ensure_ascii=False)
