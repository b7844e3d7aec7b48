"""`mailer restore`: an old generation plus the newest keys, into an empty database (decisions 16 and 19)."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

import click
import psycopg
import sqlalchemy
from sqlalchemy import Engine, select

from mailer import keyfile, wiring
from mailer.audit import trail
from mailer.backup import restore as putting_back
from mailer.backup import sealed
from mailer.backup.errors import BackupFailed
from mailer.campaigns import control, launch, schedule
from mailer.campaigns.models import Campaign
from mailer.cli.backup import FOLDER
from mailer.cli.database import bring_up_to_date
from mailer.cli.output import as_json, show
from mailer.cli.powers import OPERATOR
from mailer.context import Context
from mailer.core.errors import KeyProblem
from mailer.core.jobs import NoJobs
from mailer.core.messages import CampaignState
from mailer.embedded.folders import private_folder
from mailer.embedded.lock import only_run
from mailer.embedded.postgres import PrivatePostgres
from mailer.exits import fence
from mailer.rotation import rotate as rotation
from mailer.services import Services, unit_of_work
from mailer.settings import Settings


class Held(NamedTuple):
    """What nothing is sent for until somebody has looked: hosts without their files, and campaigns by number."""

    missing: list[str]
    paused: list[int]
    unscheduled: list[int]


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--identity", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path),
              help="The file with AGE-SECRET-KEY-1….")
@click.option("--generation", "wanted", metavar="NAME", default="", help="An older one than the newest.")
@as_json
def restore(folder: Path, identity: Path, wanted: str, as_json: bool) -> None:
    """Put a backup back, into a new data folder or an empty database; then `mailer exits status` goes on."""
    whom = sealed.identities(identity)
    name = putting_back.choose(folder, whom, wanted)
    settings = Settings.from_env()
    try:
        keyfile.load(settings.key_file)
    except KeyProblem as error:
        raise BackupFailed(why="the key file comes first: put it where MAILER_KEY_FILE says, or type it in with "
                               "`mailer keys restore`") from error
    with _database(settings) as settings:
        engine = sqlalchemy.create_engine(settings.database_url, hide_parameters=True, poolclass=sqlalchemy.NullPool)
        with engine.connect() as connection:
            putting_back.must_be_empty(connection)
        header = putting_back.generation(settings.database_url, folder / name, whom)
        bring_up_to_date(settings)
        powers = wiring.build(settings, engine, NoJobs())
        # Before the keys: without them nobody can be written to, wherever this is cut off.
        held = _hold(powers, putting_back.hosts(folder, whom))
        given, without = _keys(engine, folder, whom)
        _bring_up(powers)
    facts = {"generation": name, "made_at": header["at"], "keys": given, "without_key": without,
             "missing_hosts": held.missing, "paused": held.paused, "unscheduled": held.unscheduled}
    show(facts, as_json, _told(name, given, without, held))


@contextmanager
def _database(settings: Settings) -> Iterator[Settings]:
    """The database to put back into: the one that is named, else a private one of a folder where nothing runs."""
    if settings.database_url:
        yield settings
        return
    private_folder(settings.data_dir)
    with ExitStack() as stack:
        stack.enter_context(only_run(settings.data_dir))
        server = PrivatePostgres(settings.data_dir)
        stack.callback(server.stop)
        yield replace(settings, database_url=server.start())


def _keys(engine: Engine, folder: Path, whom: sealed.Identities) -> tuple[int, int]:
    with engine.begin() as connection:
        driver = cast("psycopg.Connection[tuple[object, ...]]", connection.connection.driver_connection)
        return putting_back.keys(driver, folder, whom)


def _hold(powers: Services, hosts: list[str]) -> Held:
    """Say whose exits files must be brought, and let no campaign go on or start by itself."""
    with unit_of_work(powers, actor=OPERATOR) as ctx:
        missing = fence.want(ctx.db, wiring.exits_folder(powers.settings), ctx.clock.now(), hosts)
        paused = _campaigns(ctx, CampaignState.SENDING)
        for campaign_id in paused:
            control.pause_by_itself(ctx, campaign_id, "restored")
        unscheduled = _campaigns(ctx, *launch.STARTING)
        for campaign_id in unscheduled:
            schedule.undo(ctx, campaign_id).approved_by = None
        trail.record(ctx, "restored", missing_hosts=len(missing), paused=len(paused), unscheduled=len(unscheduled))
    return Held(missing, paused, unscheduled)


def _campaigns(ctx: Context, *states: CampaignState) -> list[int]:
    return list(ctx.db.scalars(select(Campaign.id).where(Campaign.state.in_(states), ~Campaign.stopping)
                               .order_by(Campaign.id)))


def _bring_up(powers: Services) -> None:
    """Bring fingerprints up to the key file."""
    unit, path = partial(unit_of_work, powers, actor=OPERATOR), powers.settings.key_file
    with unit() as ctx:
        begun = rotation.state(ctx, keyfile.load(path)).begun
    if begun:
        rotation.run(unit, path, powers.tokens, partial(click.echo, err=True))


def _told(name: str, given: int, without: int, held: Held) -> str:
    said = [f"Put back {name} with {given:,} keys."]
    if without:
        said.append(f"{without:,} people in it have no key any more: they were erased since, and open for nobody.")
    if held.missing:
        said.append("Nothing is sent until the exits files of these hosts lie in the data folder's exits/, as "
                    f"NAME.jsonl: {', '.join(held.missing)}. Of one that is lost the privacy officer decides: "
                    "mailer exits override NAME.")
    if held.paused:
        said.append(f"Paused, as they were being sent when the backup was made: campaigns {_numbers(held.paused)}. "
                    "Whoever got one since the backup would get it again: resume none before you know who did.")
    if held.unscheduled:
        said.append(f"Drafts again, as they were scheduled: campaigns {_numbers(held.unscheduled)}. They may have gone "
                    "out since the backup.")
    said.append("Start Mailer, then: mailer exits status, mailer exits apply, mailer ledger verify, mailer doctor.")
    return "\n".join(said)


def _numbers(campaigns: list[int]) -> str:
    return ", ".join(str(number) for number in campaigns)
