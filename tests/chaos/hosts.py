"""Hosts of one installation: data folders, mail servers and networks of their own, one PostgreSQL and one Redis."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mailer.embedded.postgres import PrivatePostgres
from mailer.embedded.redis import PrivateRedis
from tests.chaos.mail_server import MailServer, serving
from tests.instance import PROJECT, command, free_port

RELAY_PORT = 2525
"""The same on each host that has a network of its own."""

CONNECTIONS = 5


@dataclass(frozen=True)
class Shared:
    """What the hosts of one installation have in common; the servers are reached by unix sockets."""

    folder: Path
    database_url: str
    redis_url: str
    port: int
    """Where the one web server would listen; links lead there."""


@contextmanager
def shared_servers(folder: Path) -> Iterator[Shared]:
    """One PostgreSQL and one Redis that stand on no host of ours."""
    database, queue = PrivatePostgres(folder / "servers"), PrivateRedis(folder / "servers")
    try:
        yield Shared(folder, database.start(), queue.start(), free_port())
    finally:
        queue.stop()
        database.stop()


class Host:
    """A machine that sends: its own data folder, a copy of the key file, and its processes."""

    def __init__(self, shared: Shared, name: str, relay: MailServer, prefix: tuple[str, ...] = ()) -> None:
        self.name = name
        self.relay = relay
        self.data_dir = shared.folder / name / "var"
        self._prefix = prefix
        self._processes: list[subprocess.Popen[bytes]] = []
        key = shared.folder / name / "mailer.key"
        key.parent.mkdir(parents=True, exist_ok=True)
        plain = {word: value for word, value in os.environ.items() if not word.startswith(("MAILER_", "SMTP_"))}
        self.env = plain | {
            "MAILER_DATA_DIR": str(self.data_dir), "MAILER_KEY_FILE": str(key), "MAILER_MODE": "live",
            "DATABASE_URL": shared.database_url, "REDIS_URL": shared.redis_url, "SMTP_URL": f"{relay.url}?name={name}",
            "SMTP_CONNECTIONS": str(CONNECTIONS), "MAIL_FROM": "news@example.org",
            "PUBLIC_URL": f"http://localhost:{shared.port}"}

    @property
    def key_file(self) -> Path:
        return Path(self.env["MAILER_KEY_FILE"])

    @property
    def exits_file(self) -> Path:
        """Who left on this host, and the newest head of the ledger that it saw."""
        return self.data_dir / "exits" / ((self.data_dir / "host").read_text().strip() + ".jsonl")

    def command(self, *words: str, given: str = "", check: bool = True) -> dict[str, Any]:
        """Run `mailer … --json` on this host."""
        return command(self.env, *words, given=given, check=check, prefix=self._prefix)

    def start(self, *parts: str) -> None:
        """Start `mailer worker`, `mailer tick` or both."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        for part in parts:
            with (self.data_dir / f"{part}.log").open("ab") as log:
                self._processes.append(subprocess.Popen(
                    [*self._prefix, sys.executable, "-m", "mailer.cli", part], cwd=PROJECT, env=self.env,
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True))

    def end(self, number: signal.Signals = signal.SIGTERM) -> list[int]:
        """Signal every process of the host at once and wait; their exit statuses."""
        for each in self._processes:
            # A process group: `ip netns exec` and what it started.
            with_suppressed_group_kill(each.pid, number)
        statuses = [each.wait(timeout=30) for each in self._processes]
        self._processes.clear()
        return statuses

    def is_lost(self) -> None:
        """The power goes: processes, mail server and data folder at once."""
        self.end(signal.SIGKILL)
        self.relay.kill()
        self.data_dir.rename(self.data_dir.with_name("away"))

    def turns_up(self) -> None:
        """Its disk is found again; nothing runs on it yet."""
        self.data_dir.with_name("away").rename(self.data_dir)
        self.relay.start()


def with_suppressed_group_kill(leader: int, number: signal.Signals) -> None:
    """Signal a process group that may have ended."""
    try:
        os.killpg(leader, number)
    except ProcessLookupError:
        return


@contextmanager
def two_hosts(shared: Shared, people: int, *faults: str, networks: bool = False) -> Iterator[tuple[Host, Host]]:
    """Two hosts on a database with so many people on the list `seed`; nothing runs on them yet.

    With `networks` each has a network namespace of its own, in which only its own loopback and mail server can be
    reached.
    """
    with ExitStack() as stack:
        hosts = []
        for name in ("north", "south"):
            prefix = stack.enter_context(network(f"mailer-{os.getpid()}-{name}")) if networks else ()
            out = shared.folder / f"{name}.tsv"
            relay = stack.enter_context(serving(out, *faults, port=RELAY_PORT if networks else 0, prefix=prefix))
            hosts.append(Host(shared, name, relay, prefix))
            stack.callback(hosts[-1].end, signal.SIGKILL)
        north, south = hosts
        north.command("migrate")
        north.command("seed", "--people", str(people))
        shutil.copy2(north.key_file, south.key_file)
        yield north, south


@contextmanager
def network(name: str) -> Iterator[tuple[str, ...]]:
    """A network namespace with a loopback of its own; the words that run a command in it. Skips where none is to be
    had."""
    if shutil.which("ip") is None:
        pytest.skip("no network of its own for a host: the program ip (iproute2) is not there")
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no network of its own for a host: {made.stderr.strip()}")
    try:
        prefix = ("ip", "netns", "exec", name)
        up = subprocess.run([*prefix, "ip", "link", "set", "lo", "up"], capture_output=True, text=True, check=False)
        if up.returncode:
            pytest.skip(f"no network of its own for a host: {up.stderr.strip()}")
        yield prefix
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)
