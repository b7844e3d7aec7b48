"""Says what we make of something typed. Needs no instance."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping

import click

from mailer import wiring
from mailer.cli.output import as_json, show
from mailer.core.channel import Channel, Explanation
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
    channel = _channel()
    if json_lines:
        _alone(value is None and not as_json)
        for line in lines(sys.stdin, lambda given: channel.explain(_text(given, "input"))):
            click.echo(line)
        return
    found = channel.explain(sys.stdin.read() if value is None else value)
    show({**found.fields, "why": found.why or None, "sentence": found.sentence}, as_json, found.sentence)


@explain.command()
@click.argument("value", required=False)
@click.option("--stage", default="any", show_default=True, metavar="STAGE",
              help="connect, ehlo, starttls, auth, mail, rcpt, data, data-end (after the last dot) or any.")
@as_json
@click.option("--json-lines", is_flag=True, help="Read one JSON object a line with `id`, `reply` and `stage`.")
def reply(value: str | None, stage: str, as_json: bool, json_lines: bool) -> None:
    """Say what we make of a mail server's reply, given here or on standard input."""
    channel = _channel()
    if json_lines:
        _alone(value is None and not as_json)
        for line in lines(sys.stdin, lambda given: channel.explain_reply(_text(given, "reply"),
                                                                         str(given.get("stage", stage)))):
            click.echo(line)
        return
    found = channel.explain_reply(sys.stdin.read() if value is None else value, stage)
    show({**found.fields, "sentence": found.sentence}, as_json, found.sentence)


def _channel() -> Channel:
    return wiring.load_channels(Settings.from_env().channels)[EMAIL]


def _alone(it_is: bool) -> None:
    if not it_is:
        raise click.UsageError("--json-lines reads standard input and goes with nothing else.")


def _text(given: Mapping[str, object], name: str) -> str:
    value = given[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def lines(typed: Iterable[str], explained: Callable[[Mapping[str, object]], Explanation]) -> Iterator[str]:
    """One JSON object for each that is read. Raises: InvalidInput naming the line that holds none."""
    for number, line in enumerate(typed, 1):
        if not line.strip():
            continue
        try:
            given = json.loads(line)
            found = explained(given)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(field=f"line {number}", why="a JSON object with a text to explain") from error
        yield json.dumps({"id": given.get("id"), **found.fields}, ensure_ascii=False)
