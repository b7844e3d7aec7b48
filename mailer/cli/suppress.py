"""`mailer suppress`: the stop list from standard input, so that no address stands in a command line or its history."""

import sys
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

import click

from mailer.audience import contact_points
from mailer.audit import trail
from mailer.cli.output import as_json, show
from mailer.cli.powers import OPERATOR, services, unit
from mailer.core.errors import InvalidInput
from mailer.core.reasons import SUPPRESSING, Reason
from mailer.lists import catalogue
from mailer.rights import disclosures
from mailer.services import unit_of_work
from mailer.subscriptions.stop_many import Added, stop_many
from mailer.suppression import files, registry
from mailer.suppression.files import BadLine, Means, Plain

NAMED = 100
"""Bad lines that are named one by one; of more the number is said."""
EXPORTED = ("address fingerprint", "reason and scope of a stop")

Command = TypeVar("Command", bound=Callable[..., Any])

channel_option = click.option("--channel", default="email", show_default=True, help="The channel of plain addresses.")


def of_plain(command: Command) -> Command:
    """What is said of plain addresses, which say nothing of themselves."""
    for option in (
            click.option("--topic", help="One topic of that list alone."),
            click.option("--list", "list_name", help="One list alone; without it, everything of the channel."),
            click.option("--reason", type=click.Choice([str(each) for each in SUPPRESSING]), show_default=True,
                         default=str(Reason.STAFF_STOP), help="Why, for plain addresses."),
            channel_option):
        command = option(command)
    return command


@click.group()
def suppress() -> None:
    """Who is never written to. Addresses are read on standard input, hashed at once and not kept."""


@suppress.command()
@channel_option
@as_json
def ask(channel: str, as_json: bool) -> None:
    """Read one address: whether it is on the stop list, why, for what and since when."""
    raw = sys.stdin.readline().strip()
    with unit() as ctx:
        address = contact_points.parse(ctx, channel, raw)
        found = registry.entries(ctx, channel, ctx.sealer.fingerprints(channel, address.identity))
        trail.record(ctx, "stop_list_asked", "stop_list", answer="yes" if found else "no")
    entries = [{"reason": each.reason, "list": each.list_id or None, "topic": each.topic_id or None,
                "day": each.day.isoformat(), "until": each.until.isoformat() if each.until else None}
               for each in found]
    said = "; ".join(f"{each['reason']} since {each['day']}" for each in entries)
    show({"on": bool(entries), "entries": entries}, as_json,
         f"On the stop list: {said}." if entries else "Not on the stop list.")


@suppress.command()
@of_plain
@as_json
def add(channel: str, reason: str, list_name: str | None, topic: str | None, as_json: bool) -> None:
    """Read addresses, one a line, and stop them."""
    _take_in(_plain(channel, reason, list_name, topic), as_json, only_plain=True)


@suppress.command(name="import")
@of_plain
@as_json
def take_in(channel: str, reason: str, list_name: str | None, topic: str | None, as_json: bool) -> None:
    """Read a file of fingerprints of this key (JSON lines or CSV, as `export` writes them), or plain addresses.

    It only adds: nobody is taken off the list. A line that does not read is named and loses nothing else.
    """
    _take_in(_plain(channel, reason, list_name, topic), as_json, only_plain=False)


@suppress.command()
@click.option("--format", "form", type=click.Choice(files.FORMATS), default="json", show_default=True)
@click.option("--to", "recipient", default="Our own records", show_default=True, help="Who gets it, for the register.")
@as_json
def export(form: str, recipient: str, as_json: bool) -> None:
    """Write every entry as a fingerprint to standard output; what was written is said on standard error.

    The file names nobody without the key, and only an installation with this key can read it in.
    """
    lines = 0
    with unit() as ctx:
        entry = disclosures.record(ctx, "export", reason="own_records", recipient=recipient, categories=EXPORTED,
                                   people=registry.count(ctx), by=OPERATOR)
        number, people = entry.id, entry.people
    with unit() as ctx:
        for line in files.written(ctx, form):
            click.echo(line)
            lines += 1
    entries = lines - (form == "csv")
    show({"entries": entries, "people": people, "disclosure": number}, as_json,
         f"Wrote {entries:,} entries. Entry {number} of the register.", err=True)


def _plain(channel: str, reason: str, list_name: str | None, topic: str | None) -> Plain:
    """Raises: NotFound for an unknown list; InvalidInput naming `topic`."""
    if topic and not list_name:
        raise click.UsageError("Name the list of the topic too.")
    list_id = topic_id = 0
    if list_name:
        with unit() as ctx:
            list_id = catalogue.by_name(ctx, list_name).id
            found = [each.id for each in catalogue.topics_of(ctx, list_id, archived=True) if each.name == topic]
        if topic and not found:
            raise InvalidInput(field="topic", why="is not one of the list's")
        topic_id = found[0] if found else 0
    return Plain(channel, Reason(reason), list_id, topic_id)


def _take_in(plain: Plain, as_json: bool, *, only_plain: bool) -> None:
    """A part a transaction: what was read stays, whatever comes after it."""
    powers, began = services(), monotonic()
    means = Means(powers.sealer, powers.channels, powers.clock.now().date())
    added, lines, bad, first_bad = Added(), 0, 0, list[BadLine]()
    for part in files.parts(sys.stdin.buffer, plain, means, only_plain=only_plain):
        lines, bad = lines + part.lines, bad + len(part.bad)
        first_bad += part.bad[:max(0, NAMED - len(first_bad))]
        with unit_of_work(powers, actor=OPERATOR) as ctx:
            added += stop_many(ctx, part.stops, how="stop_file")
        _progress(lines, began)
    with unit_of_work(powers, actor=OPERATOR) as ctx:
        trail.record(ctx, "stop_list_added", "stop_list", new=added.new, known=added.known, ended=added.ended, bad=bad)
    for each in first_bad:
        click.echo(f"Line {each.number:,} was left out: {each.why}.", err=True)
    if bad > len(first_bad):
        click.echo(f"{bad - len(first_bad):,} further lines were left out.", err=True)
    seconds = monotonic() - began
    show({"lines": lines, "new": added.new, "known": added.known, "ended": added.ended, "bad": bad,
          "bad_lines": [{"line": each.number, "why": each.why} for each in first_bad],
          "seconds": round(seconds, 2), "per_second": round(lines / max(seconds, 0.001))}, as_json,
         f"{added.new:,} new, {added.known:,} there already, {bad:,} lines left out; {added.ended:,} consents ended.")
    if bad:
        sys.exit(1)


def _progress(lines: int, began: float) -> None:
    if sys.stderr.isatty():
        seconds = monotonic() - began
        click.echo(f"\r{lines:,} lines, {lines / max(seconds, 0.001):,.0f} a second", err=True, nl=False)
