"""`mailer backup`: a generation without keys, and the archive of keys (decision 16)."""

from dataclasses import asdict
from pathlib import Path

import click

from mailer.audit import trail
from mailer.backup import make as backups
from mailer.backup import sealed
from mailer.cli.output import as_json, show
from mailer.cli.powers import OPERATOR, services
from mailer.core.errors import BadSettings
from mailer.services import unit_of_work

FOLDER = click.Path(file_okay=False, path_type=Path)


class _Backup(click.Group):
    """`mailer backup DIR` and `mailer backup verify DIR`; a folder of the name of a command is `./verify`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in (*self.commands, "-h", "--help"):
            args = ["make", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Backup, subcommand_metavar="[DIR | verify DIR] ...")
def backup() -> None:
    """Back up the database without keys, and the keys apart; `mailer backup make --help` says how."""


@backup.command("make")
@click.argument("folder", metavar="[DIR]", type=FOLDER, required=False)
@click.option("--recipient", help="age1… or a file that holds it; MAILER_BACKUP_RECIPIENT unless said.")
@as_json
def make(folder: Path | None, recipient: str | None, as_json: bool) -> None:
    """Write a new generation and replace the archive of keys, both encrypted; the key file is in neither."""
    powers = services()
    folder = folder or powers.settings.backup_dir
    recipient = recipient or powers.settings.backup_recipient
    if folder is None:
        raise BadSettings(setting="MAILER_BACKUP_DIR", why="set, or the folder named: mailer backup DIR")
    if not recipient:
        raise BadSettings(setting="MAILER_BACKUP_RECIPIENT", why="set, or named by --recipient age1…")
    at = powers.clock.now()
    made = backups.make(powers.engine, folder, sealed.recipients(recipient), now=at)
    with unit_of_work(powers, actor=OPERATOR) as ctx:
        backups.archived(ctx, at)
        trail.record(ctx, "backup_made", octets=made.generation_octets)
    show(asdict(made), as_json, f"Wrote {made.generation} and {backups.KEYS}. Keep the key file elsewhere "
         "(`mailer keys kit`), and the exits folder of every host with neither.")


@backup.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--identity", "identity", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path),
              help="The file with AGE-SECRET-KEY-1….")
@as_json
def verify(folder: Path, identity: Path, as_json: bool) -> None:
    """Read every generation and the archive of keys to their ends, and write nothing."""
    found = backups.verify(folder, sealed.identities(identity))
    show(found, as_json, f"{len(found['generations'])} generation(s), the newest of {found['newest']}, and "
         f"{found['keys']:,} keys of {found['keys_at']}: all whole.")
