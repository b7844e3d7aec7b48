"""A whole instance for tests: `mailer run` as a person would start it, and the command line beside it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
READY_WITHIN = 60.0


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Instance:
    """One data folder and the processes that `mailer run` keeps alive on it."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.data_dir = folder / "var"
        self.port = free_port()
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(("MAILER_", "DATABASE_URL"))}
        self.env |= {"MAILER_DATA_DIR": str(self.data_dir), "PORT": str(self.port),
                     "PUBLIC_URL": f"http://localhost:{self.port}", **env}
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self, *options: str) -> str:
        """Run until it prints its link; the link."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mailer.cli", "run", *options], cwd=PROJECT, env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if line.startswith("Open "):
                return line.split()[1]
        raise AssertionError("\n".join(self.lines))

    def stop(self) -> None:
        """SIGTERM, and wait until everything has ended."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()

    def command(self, *words: str, given: str = "", check: bool = True) -> dict[str, Any]:
        """Run `mailer …  --json`; the object it prints."""
        return command(self.env, *words, given=given, check=check)

    def wait_for(self, campaign: int, *states: str, seconds: float = 100) -> dict[str, Any]:
        """Look at a campaign until it is in one of these states; its status."""
        ends = time.monotonic() + seconds
        while True:
            status = self.command("campaign", "status", str(campaign))
            if status["state"] in states:
                return status
            assert time.monotonic() < ends, status
            time.sleep(0.3)


def command(env: Mapping[str, str], *words: str, given: str = "", check: bool = True,
            prefix: tuple[str, ...] = ()) -> dict[str, Any]:
    """Run `mailer …  --json` in this environment, `prefix` before it; the object it prints, or its complaint."""
    done = subprocess.run([*prefix, sys.executable, "-m", "mailer.cli", *words, "--json"], cwd=PROJECT, env=dict(env),
                          text=True, input=given, capture_output=True, timeout=110, check=False)
    assert not check or done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else {"error": done.stderr.strip()}


@contextmanager
def running(folder: Path, *options: str, **env: str) -> Iterator[Instance]:
    """An instance from its first line to its last."""
    instance = Instance(folder, **env)
    try:
        instance.start(*options)
        yield instance
    finally:
        instance.stop()
