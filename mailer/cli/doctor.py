"""`mailer doctor`: looks at everything that an instance stands on, and says what is wrong in plain words."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import click
import redis
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from mailer import keyfile, wiring
from mailer.cli import instance, listening
from mailer.cli.output import as_json, sentence, show
from mailer.context import Context
from mailer.core.errors import KeyProblem, MailerError
from mailer.core.jobs import NoJobs
from mailer.core.modes import Mode
from mailer.embedded.processes import wait_until
from mailer.exits import fence
from mailer.organisation import key_state, live
from mailer.organisation import profile as organisation
from mailer.outbox.seat import journal_folder
from mailer.services import Services, unit_of_work
from mailer.settings import Settings, resource_folder

OLDEST_SERVER = 15
FREE_OCTETS = 500_000_000
PATIENCE = 5.0
TICKER_PATIENCE = 8.0

ALIVE = text("SELECT count(*) FROM worker WHERE seen_at > clock_timestamp() - interval '30 seconds'")
NEWEST_UNSEALED = text("SELECT max(seq) FROM ledger_entry WHERE seq > COALESCE((SELECT max(seq) FROM ledger_seal), 0)")
IS_SEALED = text("SELECT EXISTS (SELECT FROM ledger_seal WHERE seq >= :seq)")
NOT_IN_ARCHIVE = text("""
    SELECT min(m.at) FROM exit_mark m JOIN instance i ON i.keys_archived_at IS NULL OR m.at > i.keys_archived_at
    WHERE m.kind = 'erasure'
""")
ERASED_FOR_GOOD_WITHIN = timedelta(hours=24)
BOUND = text("SELECT current_setting('listen_addresses'), host(inet_server_addr())")


@dataclass(frozen=True)
class Check:
    """What was looked at, whether it is well, and what there is to say."""

    name: str
    ok: bool
    says: str


@click.command()
@as_json
def doctor(as_json: bool) -> None:
    """Look at database, queue, keys, workers, disk and mode; ends with 1 when something is wrong."""
    checks = list(look(instance.find()))
    lines = [f"{'ok  ' if each.ok else 'BAD '} {each.name}: {each.says}" for each in checks]
    show({"checks": [asdict(each) for each in checks]}, as_json, "\n".join(lines))
    if not all(each.ok for each in checks):
        raise SystemExit(1)


def look(settings: Settings) -> Iterator[Check]:
    """Every check, in order; those that need the database are left out where it does not answer."""
    key = _key(settings)
    yield key
    yield _disk(settings)
    yield _journal(settings)
    yield _binding("web_binding", "The web server", listening.on_port(settings.port))
    yield from _queue(settings)
    engine = wiring.open_engine(settings)
    try:
        yield from _database(engine)
        schema = _schema(engine)
        yield schema
        if key.ok and schema.ok:
            yield from _instance(wiring.build(settings, engine, NoJobs()))
    except DBAPIError as error:
        yield Check("database", False, f"The database does not answer ({type(error.orig).__name__}).")
    finally:
        engine.dispose()


def _key(settings: Settings) -> Check:
    try:
        keyfile.load(settings.key_file)
    except KeyProblem as error:
        return Check("key_file", False, str(error.context.get("why")) + ".")
    return Check("key_file", True, "The key file is readable by its owner alone.")


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(_nearest(settings.data_dir)).free
    return Check("disk", free >= FREE_OCTETS, f"{free / 1e9:,.1f} GB are free in the data folder.")


def _journal(settings: Settings) -> Check:
    folder = _nearest(journal_folder(settings.data_dir))
    writable = os.access(folder, os.W_OK | os.X_OK)
    return Check("journal", writable, "The journal of deliveries can be kept." if writable else
                 "The journal of deliveries cannot be kept: the folder is not writable for this user.")


def _queue(settings: Settings) -> Iterator[Check]:
    if not settings.redis_url:
        yield Check("redis", False, "REDIS_URL is not set.")
        return
    client = redis.Redis.from_url(settings.redis_url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE,
                                  decode_responses=True)
    try:
        client.ping()
        yield Check("redis", True, "Redis answers.")
        yield _queue_binding(client, settings.redis_url)
    except redis.RedisError as error:
        yield Check("redis", False, f"Redis does not answer ({type(error).__name__}).")
    finally:
        client.close()


def _queue_binding(client: "redis.Redis", url: str) -> Check:
    addresses = [urlsplit(url).hostname or ""]
    try:
        told = client.config_get("bind", "port")
    except redis.ResponseError:
        told = {}
    if told and str(told.get("port")) != "0":
        addresses += str(told.get("bind") or "*").split()
    return _binding("redis_binding", "Redis", addresses)


def _database(engine: Engine) -> Iterator[Check]:
    with engine.connect() as connection:
        version = int((connection.dialect.server_version_info or (0,))[0])
        yield Check("database", version >= OLDEST_SERVER,
                    f"PostgreSQL {version} answers; {OLDEST_SERVER} or newer is needed.")
        listening, connected = connection.execute(BOUND).one()
    yield _binding("database_binding", "The database", [*str(listening).split(","), str(connected or "")])


def _binding(name: str, server: str, addresses: list[str]) -> Check:
    public = [address.strip() for address in addresses if listening.bound_publicly(address)]
    return Check(name, not public, f"{server} can be reached from this machine or a private network only." if not public
                 else f"{server} listens on {', '.join(public)}: bind it to a private address.")


def _schema(engine: Engine) -> Check:
    config = Config()
    config.set_main_option("script_location", str(resource_folder("migrations")).replace("%", "%%"))
    head = ScriptDirectory.from_config(config).get_current_head()
    with engine.connect() as connection:
        there = connection.scalar(text("SELECT CAST(to_regclass('alembic_version') AS text)"))
        version = connection.scalar(text("SELECT version_num FROM alembic_version")) if there else None
    return Check("schema", version == head, f"The schema is at {version or 'nothing'}, the program's is {head}."
                 + ("" if version == head else " Run `mailer migrate`."))


def _instance(services: Services) -> Iterator[Check]:
    with services.engine.connect() as connection:
        alive = connection.scalar(ALIVE) or 0
    yield Check("workers", alive > 0, f"{alive} worker processes are alive.")
    yield _ticker(services.engine)
    try:
        with unit_of_work(services) as ctx:
            state = fence.check(ctx.db, wiring.exits_folder(services.settings), ctx.host)
            mode, lacks = organisation.current(ctx).mode, live.lacking(ctx)
            misfit, archive = key_state.misfit(ctx), key_archive(ctx)
    except MailerError as error:
        yield Check("mode", False, sentence(error))
        return
    yield Check("exits", not state.refuses, "The database knows every exit." if not state.refuses else
                f"The database is behind by {state.behind} exits and sends nothing; see `mailer exits status`.")
    yield Check("keys", not misfit, f"Nothing is sent; it lacks {misfit}." if misfit else
                "The key file holds the keys that the database lies under.")
    yield archive
    yield Check("mode", mode is not Mode.LIVE or not lacks,
                f"The mode is {mode}. " + (f"Live lacks {', '.join(lacks)}." if lacks else "Live lacks nothing."))


def key_archive(ctx: Context) -> Check:
    """An erased person's key must go from the backup too, within a day (decision 16)."""
    since = ctx.db.scalar(NOT_IN_ARCHIVE)
    late = since is not None and ctx.clock.now() - since > ERASED_FOR_GOOD_WITHIN
    return Check("key_archive", not late, "No erasure waits for a new archive of keys." if since is None else
                 f"An erasure of {since:%Y-%m-%d %H:%M} UTC is not in the archive of keys yet: run `mailer backup`, or "
                 "set MAILER_BACKUP_DIR and MAILER_BACKUP_RECIPIENT.")


def _ticker(engine: Engine) -> Check:
    """The ticker seals the ledger every second: where it does not, nothing that waits for a time happens either."""
    with engine.connect() as connection:
        newest = connection.scalar(NEWEST_UNSEALED)
    waiting = newest is not None and not wait_until(lambda: _sealed(engine, newest), TICKER_PATIENCE, pause=0.5)
    return Check("ticker", not waiting, "Nothing waits for the ticker." if not waiting else
                 "The ledger is not being sealed: the ticker does not run.")


def _sealed(engine: Engine, seq: int) -> bool:
    with engine.connect() as connection:
        return bool(connection.scalar(IS_SEALED, {"seq": seq}))


def _nearest(folder: Path) -> Path:
    """The folder, or the one above it that is there."""
    return next(each for each in (folder, *folder.parents) if each.exists())
