"""Whatever dies is started again, an end leaves nothing behind, and a folder has one run (decision 36)."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.embedded.children import Child
from mailer.embedded.errors import AlreadyRunning, PortTaken
from mailer.embedded.lock import is_held, only_run
from mailer.embedded.postgres import PrivatePostgres
from mailer.embedded.processes import runs, wait_until
from mailer.embedded.redis import PrivateRedis
from mailer.embedded.supervisor import Supervisor, must_be_free

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")
WITH_A_CHILD_OF_ITS_OWN = (sys.executable, "-c", (
    "import subprocess, sys, time; "
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
    "open(sys.argv[1], 'w').write(str(child.pid)); time.sleep(600)"))
RUN = """
import sys
from pathlib import Path
from mailer.embedded.children import Child
from mailer.embedded.lock import only_run
from mailer.embedded.postgres import PrivatePostgres
from mailer.embedded.redis import PrivateRedis
from mailer.embedded.supervisor import Supervisor

folder = Path(sys.argv[1])
with only_run(folder):
    supervisor = Supervisor(folder)
    with supervisor.taking_signals():
        supervisor.start_server(PrivatePostgres(folder, durable=False))
        supervisor.start_server(PrivateRedis(folder, durable=False))
        sleep = (sys.executable, "-c", "import time; time.sleep(600)")
        supervisor.keep([Child("web", sleep, {}), Child("worker", sleep, {})])
        (folder / "up").touch()
        supervisor.watch()
"""


@pytest.fixture
def run(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A supervisor in a process of its own with both servers and two children, ended whatever happens."""
    process = subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path)])
    assert wait_until((tmp_path / "up").exists, 60)
    yield process
    process.terminate()
    process.wait(30)
    for server in (PrivatePostgres(tmp_path), PrivateRedis(tmp_path)):
        server.stop()


def everyone(folder: Path) -> list[int]:
    children = json.loads((folder / "run" / "children").read_text())
    postmaster = int((folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    return [*children, postmaster, int((folder / "redis" / "redis.pid").read_text())]


def alive(pid: int) -> bool:
    return runs(pid, "") and Path(f"/proc/{pid}/cmdline").read_bytes() != b""


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    with supervisor.taking_signals():
        supervisor.keep([Child("web", SLEEP, {})])
        first = supervisor.pids()["web"]
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 10
        supervisor.watch(until=lambda: supervisor.pids()["web"] not in (0, first) or time.monotonic() > deadline)
        assert supervisor.pids()["web"] not in (0, first)


def test_a_child_that_dies_at_once_is_started_more_and_more_slowly(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    with supervisor.taking_signals():
        supervisor.keep([Child("web", (sys.executable, "-c", "print('begun')"), {})])
        deadline = time.monotonic() + 3
        supervisor.watch(until=lambda: time.monotonic() > deadline)
    assert 2 <= (tmp_path / "logs" / "web.log").read_text().count("begun") <= 5


def test_a_server_that_dies_is_started_again(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    with supervisor.taking_signals():
        database, queue = PrivatePostgres(tmp_path, durable=False), PrivateRedis(tmp_path, durable=False)
        urls = supervisor.start_server(database), supervisor.start_server(queue)
        dead = database.pid, queue.pid
        for pid in dead:
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        supervisor.watch(until=lambda: (database.pid not in (0, dead[0]) and queue.pid not in (0, dead[1]))
                         or time.monotonic() > deadline)
        assert database.running() and queue.running()
        assert (database.start(), queue.start()) == urls
    assert not database.running() and not queue.running()


def test_an_end_takes_the_children_of_children_along(tmp_path: Path) -> None:
    note = tmp_path / "grandchild"
    supervisor = Supervisor(tmp_path)
    with supervisor.taking_signals():
        supervisor.keep([Child("web", (*WITH_A_CHILD_OF_ITS_OWN, str(note)), {})])
        assert wait_until(lambda: note.exists() and note.read_text() != "", 20)
        grandchild = int(note.read_text())
        assert alive(grandchild)
    assert wait_until(lambda: not alive(grandchild), 5)


def test_a_signal_ends_everything_within_twenty_seconds(tmp_path: Path, run: "subprocess.Popen[bytes]") -> None:
    pids = everyone(tmp_path)
    assert wait_until(lambda: all(alive(pid) for pid in pids), 5)
    run.send_signal(signal.SIGTERM)
    assert run.wait(20) == 0
    assert [pid for pid in pids if alive(pid)] == []
    assert not is_held(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next run ends what is left")
def test_a_killed_run_leaves_no_child_and_its_servers_to_the_next(tmp_path: Path,
                                                                  run: "subprocess.Popen[bytes]") -> None:
    *children, postmaster, redis = everyone(tmp_path)
    run.kill()
    run.wait(5)
    assert wait_until(lambda: not any(alive(pid) for pid in children), 10)
    supervisor = Supervisor(tmp_path)
    with only_run(tmp_path), supervisor.taking_signals():
        database, queue = PrivatePostgres(tmp_path, durable=False), PrivateRedis(tmp_path, durable=False)
        supervisor.start_server(database)
        supervisor.start_server(queue)
        assert (database.pid, queue.pid) == (postmaster, redis)
    assert [pid for pid in (postmaster, redis) if alive(pid)] == []


def test_children_left_by_a_run_that_could_not_end_them_are_ended_by_the_next(tmp_path: Path) -> None:
    left = subprocess.Popen(SLEEP, start_new_session=True)
    assert wait_until(lambda: alive(left.pid), 5)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "children").write_text(json.dumps([left.pid, 0, os.getpid()]))
    with Supervisor(tmp_path).taking_signals():
        assert left.wait(5) == -signal.SIGTERM


def test_two_runs_of_one_folder_refuse(tmp_path: Path) -> None:
    with only_run(tmp_path):
        assert is_held(tmp_path)
        with pytest.raises(AlreadyRunning) as refused, only_run(tmp_path):
            pass
        assert refused.value.context["pid"] == os.getpid()
        with only_run(tmp_path / "another"):
            pass
    assert not is_held(tmp_path)


def test_a_taken_port_is_said_early() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortTaken) as refused:
            must_be_free(taken.getsockname()[1])
        assert refused.value.context == {"port": taken.getsockname()[1]}
