"""`mailer why`: would this address get that campaign, and why not."""

import sys

import click

from mailer.audit import trail
from mailer.campaigns import compose, forecast
from mailer.cli.output import as_json, show
from mailer.cli.powers import unit


@click.command()
@click.argument("campaign", type=int)
@as_json
def why(campaign: int, as_json: bool) -> None:
    """Read an address on standard input and say what the gate would say now."""
    address = sys.stdin.readline().strip()
    with unit() as ctx:
        answer = forecast.why(ctx, compose.find(ctx, campaign), address)
        trail.record(ctx, "asked_why", f"campaign:{campaign}", answer=answer.answer)
    reason = str(answer.reason) if answer.reason else None
    since = answer.since.isoformat() if answer.since else None
    show({"answer": answer.answer, "reason": reason, "since": since}, as_json,
         f"{answer.answer.capitalize()}{f': {reason}' if reason else ''}{f', since {since}' if since else ''}.")
