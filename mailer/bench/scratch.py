"""An installation of our own in a temporary folder: made, measured, and removed whatever happens."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from mailer import wiring
from mailer.bench.errors import BenchFailed
from mailer.core.jobs import NoJobs
from mailer.embedded.folders import private_folder
from mailer.embedded.postgres import PrivatePostgres
from mailer.embedded.processes import private_log, wait_until
from mailer.embedded.redis import PrivateRedis
from mailer.services import Services
from mailer.settings import Settings, child_environment

KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")
"""Nothing else of our environment goes along, so that every setting is what a new installation has."""

READY_WITHIN = 60.0
END_WITHIN = 30.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Started:
    """A process of ours in a session of its own, so that Ctrl-C in a terminal reaches only us."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        with private_log(log) as words:
            self._process = subprocess.Popen(  # noqa: S603 (our own commands, no shell)
                list(argv), env=dict(env), stdin=subprocess.DEVNULL, stdout=words, stderr=words,
                start_new_session=True, umask=0o077)
        self.pid = self._process.pid

    @property
    def running(self) -> bool:
        """Whether it lives."""
        return self._process.poll() is None

    def end(self) -> None:
        """Ask it to end, which ends all it began; kill it and them where that takes longer than 30 seconds."""
        if self.running:
            self._process.terminate()
            wait_until(lambda: not self.running, END_WITHIN)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


class Scratch:
    """One data folder with servers of its own, the command line on it, and `mailer run` beside it."""

    def __init__(self, folder: Path, **changes: str) -> None:
        self.folder = folder
        self.data_dir = private_folder(folder / "var")
        self.port = free_port()
        self.postgres = PrivatePostgres(self.data_dir)
        self._redis = PrivateRedis(self.data_dir)
        ours = child_environment()
        self.env = {name: ours[name] for name in KEPT_VARIABLES if name in ours}
        self.env |= {"MAILER_DATA_DIR": str(self.data_dir), "PORT": str(self.port),
                     "PUBLIC_URL": f"http://localhost:{self.port}", **changes}
        self._begun: list[Started] = []

    @property
    def settings(self) -> Settings:
        """What the processes of this installation read."""
        return Settings.from_env(self.env)

    def start_servers(self) -> None:
        """Bring up PostgreSQL and Redis as a new installation has them, and the tables. Raises: ServerFailed."""
        self.env["DATABASE_URL"] = self.postgres.start()
        self.env["REDIS_URL"] = self._redis.start()
        self.command("migrate", machine_readable=False)

    def services(self) -> Services:
        """The powers of this installation, in this process, whose nudges go nowhere."""
        settings = self.settings
        return wiring.build(settings, wiring.open_engine(settings), NoJobs())

    def command(self, *words: str, machine_readable: bool = True) -> dict[str, Any]:
        """Run a command of ours to its end; the object it prints. Raises: BenchFailed with its last line."""
        argv = [*python("mailer.cli"), *words, *(["--json"] if machine_readable else [])]
        done = subprocess.run(argv, env=self.env, stdin=subprocess.DEVNULL, capture_output=True,  # noqa: S603 (ours)
                              text=True, check=False)
        if done.returncode != 0:
            raise BenchFailed(step=" ".join(words[:2]), why=(done.stderr.strip().splitlines() or [""])[-1])
        return json.loads(done.stdout) if machine_readable else {}

    def keep(self, name: str, *command: str) -> Started:
        """Start a process that is ended with everything else."""
        started = Started((*python(command[0]), *command[1:]), self.env,
                          private_folder(self.data_dir / "logs") / f"{name}.log")
        self._begun.append(started)
        return started

    def run(self) -> Started:
        """`mailer run`, ready: its link is printed and the web server answers. Raises: BenchFailed."""
        said = self.data_dir / "logs" / "bench-run.log"
        said.unlink(missing_ok=True)
        started = self.keep("bench-run", "mailer.cli", "run")
        wait_until(lambda: not started.running or "\nOpen " in said.read_text(), READY_WITHIN)
        if not started.running or "\nOpen " not in said.read_text():
            raise BenchFailed(step="mailer run", why=(said.read_text().strip().splitlines() or [""])[-1])
        return started

    def launch(self, number: int) -> None:
        """Send a campaign by the ordinary command, without waiting for the command to end."""
        self.keep("launch", "mailer.cli", "campaign", "send", str(number), "--yes")

    def close(self) -> None:
        """End everything and remove the folder."""
        for started in reversed(self._begun):
            started.end()
        self._redis.stop()
        self.postgres.stop()
        for note in (self.data_dir / "run").glob("*.folder"):
            shutil.rmtree(note.read_text().strip(), ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)


class _Ended(SystemExit):
    """A signal asked us to end."""


@contextmanager
def scratch(**changes: str) -> Iterator[Scratch]:
    """A scratch installation with these settings; Ctrl-C and errors end it as the end of the block does."""
    before = {number: signal.signal(number, _end) for number in SIGNALS}
    made = Scratch(Path(tempfile.mkdtemp(prefix="mailer-bench-")), **changes)
    try:
        yield made
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        made.close()
        for number, handler in before.items():
            signal.signal(number, handler)


def live(smtp_url: str, **changes: str | None) -> Mapping[str, str]:
    """The settings with which mail leaves for this server."""
    return {"MAILER_MODE": "live", "SMTP_URL": smtp_url, "MAIL_FROM": "Bench <news@example.org>",
            "POSTAL_ADDRESS": "1 Bench Street\\n12345 Nowhere",
            **{name: value for name, value in changes.items() if value is not None}}


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def python(module: str) -> tuple[str, ...]:
    """The command line of one of our modules."""
    return (sys.executable, "-P", "-m", module)


def _end(number: int, _frame: FrameType | None) -> None:
    raise _Ended(128 + number)
