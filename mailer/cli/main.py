"""The group of all commands."""

import click

from mailer.cli import (
    bench,
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
    bench.bench,
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Mailer: newsletters that keep their promises to people."""


for command in COMMANDS:
    main.add_command(command)
