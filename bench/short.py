"""`make bench`: rows, plan, send and idle, small, as one JSON object; the sink is smtp-sink where there is one."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

PEOPLE = 20_000
SINK = shutil.which("smtp-sink", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
COMES_UP_WITHIN = 5.0


def main() -> None:
    """Measure one after the other and print."""
    people = ["--people", str(PEOPLE)]
    found: dict[str, object] = {"rows": measured("rows", *people), "plan": measured("plan", *people)}
    with sink() as url:
        found["send"] = {"mail_server": "smtp-sink" if url else "our own", **measured("send", *people, *url)}
    found["idle"] = measured("idle")
    print(json.dumps(found, indent=2))


def measured(*words: str) -> dict[str, object]:
    """What one `mailer bench` prints."""
    done = subprocess.run([sys.executable, "-m", "mailer.cli", "bench", *words, "--json"], stdout=subprocess.PIPE,
                          check=True)
    return json.loads(done.stdout)


@contextmanager
def sink() -> Iterator[list[str]]:
    """Options that name a fresh smtp-sink; none where this machine has no such program."""
    if SINK is None:
        yield []
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    running = subprocess.Popen([SINK, *user, f"127.0.0.1:{port}", "1000"])
    try:
        wait_for(port)
        yield ["--smtp", f"smtp://127.0.0.1:{port}"]
    finally:
        running.terminate()
        running.wait()


def wait_for(port: int) -> None:
    """Until somebody listens there."""
    ends = time.monotonic() + COMES_UP_WITHIN
    while time.monotonic() < ends:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)


if __name__ == "__main__":
    main()
