"""`mailer restore`: an old generation plus the newest keys, into an empty database (decisions 16 and 19)."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

import click
import psycopg
import sqlalchemy
from sqlalchemy import Engine

from mailer import keyfile, wiring
from mailer.audit import trail
from mailer.backup import restore as putting_back
from mailer.backup import sealed
from mailer.backup.errors import BackupFailed
from mailer.cli.backup import FOLDER
from mailer.cli.database import bring_up_to_date
from mailer.cli.output import as_json, show
from mailer.cli.powers import OPERATOR
from mailer.core.errors import KeyProblem
from mailer.core.jobs import NoJobs
from mailer.embedded.folders import private_folder
from mailer.embedded.lock import only_run
from mailer.embedded.postgres import PrivatePostgres
from mailer.exits import fence
from mailer.rotation import rotate as rotation
from mailer.services import Services, unit_of_work
from mailer.settings import Settings


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
        given, without = _keys(engine, folder, whom)
        missing = _finish(settings, engine)
    facts = {"generation": name, "made_at": header["at"], "keys": given, "without_key": without,
             "missing_hosts": missing}
    show(facts, as_json, _told(name, given, without, missing))


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


def _finish(settings: Settings, engine: Engine) -> list[str]:
    """Say whose exits files must be brought, and bring fingerprints up to the key file; hosts that are missing."""
    powers: Services = wiring.build(settings, engine, NoJobs())
    unit = partial(unit_of_work, powers, actor=OPERATOR)
    with unit() as ctx:
        missing = fence.want(ctx.db, wiring.exits_folder(settings), ctx.clock.now())
        trail.record(ctx, "restored", missing_hosts=len(missing))
        begun = rotation.state(ctx, keyfile.load(settings.key_file)).begun
    if begun:
        rotation.run(unit, settings.key_file, powers.tokens, partial(click.echo, err=True))
    return missing


def _told(name: str, given: int, without: int, missing: list[str]) -> str:
    said = [f"Put back {name} with {given:,} keys."]
    if without:
        said.append(f"{without:,} people in it have no key any more: they were erased since, and open for nobody.")
    if missing:
        said.append("Nothing is sent until the exits files of these hosts lie in the data folder's exits/, as "
                    f"NAME.jsonl: {', '.join(missing)}. Of one that is lost the privacy officer decides: "
                    "mailer exits override NAME.")
    said.append("Start Mailer, then: mailer exits status, mailer exits apply, mailer ledger verify, mailer doctor.")
    return "\n".join(said)
