"""`mailer dkim`: the keys that sign our mail, and the record to publish for each."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import click

from mailer.cli.output import as_json, show
from mailer.cli.powers import OPERATOR, services
from mailer.context import Context
from mailer.core.mail_signing import Algorithm
from mailer.organisation import dkim as keys
from mailer.organisation.dkim import Published
from mailer.services import Services, unit_of_work

RECORD = """\
Publish this record where the DNS of {domain} is kept:

  Name   {name}
  Type   TXT
  Value  {value}

The same as a line of a zone file:

{zone}
"""

LATER = """\
It does not sign yet. Once the record can be looked up (`dig +short TXT {name}`),
put it to use with `mailer dkim rotate --domain {domain}`."""

STATES = {"active": "signs", "new": "waits until `mailer dkim rotate`", "retired": "retired"}

in_domain = click.option("--domain", required=True, help="What stands after the @ of the sender's address.")


@click.group()
def dkim() -> None:
    """The keys that sign our mail (DKIM)."""


@dkim.command()
@in_domain
@click.option("--algorithm", type=click.Choice([str(each) for each in Algorithm]), default=str(Algorithm.RSA),
              show_default=True, help="Every receiver reads rsa; with a key of each kind mail is signed twice.")
@click.option("--selector", default="", help="The key's name in the DNS; one with today's date without it.")
@as_json
def new(domain: str, algorithm: str, selector: str, as_json: bool) -> None:
    """Make a key. A domain's first one of its kind signs at once, a later one when `rotate` says so."""
    powers = services()
    with _unit(powers) as ctx:
        made = keys.make(ctx, domain, Algorithm(algorithm), selector)
        first = keys.is_first(ctx, made)
    _say([made], "active" if first else "new", as_json)
    if first:
        _put_to_use(powers, [made])


@dkim.command(name="list")
@as_json
def list_keys(as_json: bool) -> None:
    """Show all keys with their records."""
    with _unit(services()) as ctx:
        found = keys.listed(ctx)
    lines = "\n".join(_line(each) for each in found) or "There are no keys yet; make one with `mailer dkim new`."
    show({"keys": [_facts(each) for each in found]}, as_json, lines)


@dkim.command()
@in_domain
@click.option("--now", "at_once", is_flag=True, help="Use a key made by this command at once, without waiting.")
@as_json
def rotate(domain: str, at_once: bool, as_json: bool) -> None:
    """Put the key that waits to use and retire the one before it; make a key to wait where there is none."""
    powers = services()
    with _unit(powers) as ctx:
        ready = keys.waiting(ctx, domain)
        made = [] if ready else keys.make_successors(ctx, domain)
    use = ready or (made if at_once else [])
    _say(use or made, "active" if use else "new", as_json)
    _put_to_use(powers, use)
    if use and not as_json:
        days = keys.KEEP_PUBLISHED.days
        click.echo(f"Leave the record of the key before it published for {days} days; `mailer dkim list` tells when.")


def _put_to_use(powers: Services, shown: Iterable[Published]) -> None:
    """Only after its record was printed: a key never signs that nobody could publish."""
    with _unit(powers) as ctx:
        for each in shown:
            keys.activate(ctx, each.id)


def _say(shown: list[Published], state: str, json_wanted: bool) -> None:
    words = LATER if state == "new" else "It signs from now on, so the record has to be there before mail goes out."
    text = "\n".join(
        RECORD.format(domain=each.domain, name=each.record.name, value=each.record.value, zone=_zone(each))
        + "\n" + words.format(name=each.record.name, domain=each.domain) for each in shown)
    facts = [_facts(replace(each, state=state)) for each in shown]
    show(facts[0] if len(facts) == 1 else {"keys": facts}, json_wanted, text)


def _facts(key: Published) -> Mapping[str, object]:
    return {
        "domain": key.domain, "selector": key.selector, "algorithm": key.algorithm, "state": key.state,
        "record": {"name": key.record.name, "type": "TXT", "value": key.record.value, "strings": key.record.strings},
        "created_at": key.created_at, "activated_at": key.activated_at, "retired_at": key.retired_at,
        "keep_published_until": key.keep_until}


def _line(key: Published) -> str:
    state = STATES[key.state]
    if key.keep_until:
        state += f"; keep its record published until {key.keep_until:%Y-%m-%d}"
    return f"{key.domain} {key.selector} ({key.algorithm}): {state}\n  {key.record.name} TXT {key.record.value}"


def _zone(key: Published) -> str:
    strings = " ".join(f'"{each}"' for each in key.record.strings)
    return f"{key.record.name}. IN TXT ( {strings} )"


@contextmanager
def _unit(powers: Services) -> Iterator[Context]:
    with unit_of_work(powers, actor=OPERATOR) as ctx:
        yield ctx
