"""Whatever dies is started again, an end leaves nothing behind, and a folder has one run (decision 36)."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from mailer.embedded.children import Child
from mailer.embedded.errors import AlreadyRunning, PortTaken
from mailer.embedded.forks import OUR_MARK
from mailer.embedded.lock import is_held, only_run
from mailer.embedded.postgres import PrivatePostgres
from mailer.embedded.processes import runs, wait_until
from mailer.embedded.redis import PrivateRedis
from mailer.embedded.supervisor import Supervisor, must_be_free

RUN = """
import sys, time
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
        supervisor.keep([Child(name, "tests", lambda: time.sleep(600)) for name in ("web", "worker")])
        (folder / "up").touch()
        supervisor.watch()
"""


def sleep() -> None:
    time.sleep(600)


def begin_another_and_sleep(note: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    note.write_text(str(child.pid))
    sleep()


def watch_until(supervisor: Supervisor, holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    supervisor.watch(until=lambda: holds() or time.monotonic() > deadline)
    assert holds()


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


def test_a_child_that_dies_is_started_again_and_takes_no_other_along(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    with supervisor.taking_signals():
        supervisor.keep([Child("web", "tests", sleep), Child("ticker", "tests", sleep)])
        before = supervisor.pids()
        os.kill(before["web"], signal.SIGKILL)
        began = time.monotonic()
        watch_until(supervisor, lambda: supervisor.pids()["web"] not in (0, before["web"]))
        assert time.monotonic() - began < 5
        assert supervisor.pids()["ticker"] == before["ticker"]


def test_a_child_that_dies_at_once_is_started_more_and_more_slowly(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    with supervisor.taking_signals():
        supervisor.keep([Child("web", "tests", lambda: print("begun"))])
        deadline = time.monotonic() + 3
        supervisor.watch(until=lambda: time.monotonic() > deadline)
    assert 2 <= (tmp_path / "logs" / "web.log").read_text().count("begun") <= 5


def test_a_child_that_fails_says_where_in_its_own_log_without_the_words_of_the_error(tmp_path: Path) -> None:
    """An error's text may quote what a person typed."""
    def fail() -> None:
        raise ValueError("alda@example.org")

    log = tmp_path / "logs" / "web.log"
    supervisor = Supervisor(tmp_path)
    with supervisor.taking_signals():
        supervisor.keep([Child("web", "tests", fail)])
        watch_until(supervisor, lambda: log.exists() and "child_failed" in log.read_text())
    assert "ValueError" in log.read_text() and "alda" not in log.read_text()


def test_a_child_holds_nothing_of_ours_open_and_leads_a_session_of_its_own(tmp_path: Path) -> None:
    """A lock on the data folder that lived on in a child would keep the next run out."""
    def tell() -> None:
        print(sorted(int(each.name) for each in Path("/proc/self/fd").iterdir()
                     if each.is_symlink() and str(tmp_path) in str(each.readlink())), os.getsid(0) == os.getpid())
        print(Path("/proc/self/cmdline").read_bytes().split(b"\0")[0].decode(), Path("/proc/self/comm").read_text())
        sys.stdout.flush()
        sleep()

    log = tmp_path / "logs" / "web.log"
    with only_run(tmp_path):
        supervisor = Supervisor(tmp_path)
        with supervisor.taking_signals():
            supervisor.keep([Child("web", "a.module", tell)])
            watch_until(supervisor, lambda: log.exists() and "mailer" in log.read_text())
    first, second, *_ = log.read_text().splitlines()
    assert first == "[1, 2] True"
    assert second == "mailer: a.module (web) mailer web"


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
        supervisor.keep([Child("web", "tests", partial(begin_another_and_sleep, note))])
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
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", OUR_MARK], start_new_session=True)
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
