"""The group of all commands."""

import pkgutil
from typing import cast

import click

from mailer.cli import (
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
    run,
    seed,
    serve,
    staff,
    why,
)
from mailer.cli.output import Commands

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
    campaign.campaign,
    why.why,
    exits.exits,
    ledger.ledger,
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

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = LATE.get(cmd_name)
        return super().get_command(ctx, cmd_name) if place is None else cast(click.Command, pkgutil.resolve_name(place))


@click.group(cls=_Main, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Mailer: newsletters that keep their promises to people."""


for command in COMMANDS:
    main.add_command(command)
