"""The group of all commands."""

import pkgutil
from typing import cast

import click

from mailer.cli import (
    audit,
    backup,
    campaign,
    clock,
    data_map,
    database,
    dkim,
    doctor,
    exits,
    explain,
    keys,
    lane,
    ledger,
    lists,
    proof,
    restore,
    run,
    seed,
    serve,
    staff,
    suppress,
    why,
)
from mailer.cli.output import Commands
from mailer.core.card_numbers import holds_card_number

COMMANDS: tuple[click.Command, ...] = (
    run.run,
    serve.web,
    serve.worker,
    serve.tick,
    database.migrate,
    staff.staff,
    seed.seed,
    lists.lists,
    lane.lane,
    suppress.suppress,
    campaign.campaign,
    why.why,
    exits.exits,
    backup.backup,
    restore.restore,
    ledger.ledger,
    proof.proof,
    audit.audit,
    keys.keys,
    dkim.dkim,
    clock.clock,
    doctor.doctor,
    data_map.data_map,
    explain.explain,
)
LATE = {"bench": "mailer.cli.bench:bench"}
"""Loaded when it is asked for: no other command needs what it measures with, and all start a tenth sooner."""


class _Main(Commands):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *LATE])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # The number itself must not be printed, so this comes before anything that quotes what was typed.
        if any(holds_card_number(each) for each in args):
            raise click.UsageError("This looks like a card number. None is taken (nothing was done).")
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = LATE.get(cmd_name)
        return super().get_command(ctx, cmd_name) if place is None else cast(click.Command, pkgutil.resolve_name(place))


@click.group(cls=_Main, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Mailer: newsletters that keep their promises to people."""


for command in COMMANDS:
    main.add_command(command)
