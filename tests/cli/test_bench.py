"""`mailer bench`: small runs that tell what they promise to tell, and leave nothing behind."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from mailer.bench import target
from mailer.bench.errors import NotThisMachine
from tests.instance import PROJECT

PEOPLE = 300
MANY = 6_000
"""Enough that some leave before the last is written to."""

SEND = {"messages_per_second", "raw_per_second", "ratio_to_raw", "message_bytes", "raw_connections", "accepted",
        "worker_cpu_seconds_per_1000", "database_cpu_seconds_per_1000", "worker_peak_mb", "first_message_seconds",
        "planned_per_second"}
LEAVE = {"posts_per_second", "median_ms", "p99_ms", "worst_ms", "leavers", "accepted", "sent_after_leaving"}
PAGES = {"home", "people", "check", "progress", "report", "stop_list"}
ELSEWHERE = ["smtp://mail.example.org:25", "smtp://192.0.2.1", "smtps://127.0.0.1", "http://127.0.0.1:80", "127.0.0.1",
             "smtp://127.0.0.1:99999", "smtp://[::1"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the scratch installation is made: PostgreSQL, which may be another user, has to get in."""
    made = Path(tempfile.mkdtemp(prefix="b-", dir="/tmp"))
    made.chmod(0o711)
    return made


def bench(folder: Path, *words: str) -> dict[str, Any]:
    done = begin(folder, *words, "--json")
    said, told = done.communicate(timeout=110)
    assert done.returncode == 0, told
    return json.loads(said)


def begin(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Nothing of a server that tests may use reaches it."""
    return subprocess.Popen([sys.executable, "-m", "mailer.cli", "bench", *words], cwd=PROJECT, text=True,
                            env=os.environ | {"TMPDIR": str(folder)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def left(folder: Path) -> list[str]:
    """Files and processes that a measurement left behind; the folder goes with the question."""
    found = [path.name for path in folder.iterdir()]
    found += [" ".join(each.info["cmdline"]) for each in psutil.process_iter(["cmdline"])
              if str(folder) in " ".join(each.info["cmdline"] or [])]
    if not found:
        folder.rmdir()
    return found


def test_send_tells_the_engine_beside_a_plain_sender_of_the_same_size(folder: Path) -> None:
    found = bench(folder, "send", "--people", str(PEOPLE), "--processes", "1", "--dkim", "ed25519")
    assert set(found) >= SEND
    assert found["accepted"] == found["sink_accepted"] == PEOPLE and found["dkim"] == "ed25519"
    assert 9_500 <= found["message_bytes"] <= 10_500
    assert abs(found["sink_message_bytes"] / found["message_bytes"] - 1) <= 0.05
    assert found["raw_connections"] == 10 and found["raw_per_second"] > 0 and found["ratio_to_raw"] > 0
    assert left(folder) == []


def test_nobody_is_begun_after_leaving(folder: Path) -> None:
    """M17: the relay between workers and mail server sees no envelope after the answer."""
    found = bench(folder, "leave", "--people", str(MANY))
    assert set(found) >= LEAVE
    assert 0 < found["leavers"] <= 1000 and found["sent_after_leaving"] == 0
    assert MANY - found["leavers"] <= found["accepted"] <= MANY
    assert left(folder) == []


def test_rows_go_the_whole_road_without_a_network(folder: Path) -> None:
    found = bench(folder, "rows", "--people", str(PEOPLE))
    assert found["accepted"] == PEOPLE and found["rows_per_second"] > 0
    assert left(folder) == []


def test_plan_tells_rows_and_forecast(folder: Path) -> None:
    found = bench(folder, "plan", "--people", str(PEOPLE))
    assert found["in"] == PEOPLE and found["rows_per_second"] > 0 and found["forecast_seconds"] > 0
    assert left(folder) == []


def test_pages_are_opened_by_somebody_signed_in(folder: Path) -> None:
    found = bench(folder, "pages", "--people", str(PEOPLE))
    assert set(found["milliseconds"]) >= PAGES
    assert left(folder) == []


def test_idle_counts_everything_that_runs(folder: Path) -> None:
    found = bench(folder, "idle", "--watch", "1", "--calm", "0")
    assert set(found) >= {"idle_mb", "idle_cpu_percent", "ready_seconds"}
    assert found["idle_mb"] > 50 and found["processes"] > 5
    assert left(folder) == []


@pytest.mark.parametrize("url", ELSEWHERE)
def test_made_up_people_are_written_to_on_this_machine_alone(url: str) -> None:
    with pytest.raises(NotThisMachine):
        target.must_be_here(url)


@pytest.mark.parametrize("command", ["send", "leave"])
def test_a_server_elsewhere_is_refused_in_a_sentence_before_anything_is_made(folder: Path, command: str) -> None:
    done = begin(folder, command, "--people", "1", "--smtp", "smtp://192.0.2.1")
    _, told = done.communicate(timeout=60)
    assert done.returncode == 1
    assert told == "The bench sends only to this machine: smtp:// and a loopback address.\n"
    assert left(folder) == []


def test_nobody_at_all_is_a_mistake_of_whoever_asked(folder: Path) -> None:
    done = begin(folder, "rows", "--people", "0")
    _, told = done.communicate(timeout=60)
    assert done.returncode == 2 and "0 is not in the range" in told
    assert left(folder) == []


def test_other_commands_start_without_what_the_bench_needs() -> None:
    asked = "import sys, mailer.cli; print([name for name in sys.modules if name.startswith('mailer.bench')])"
    done = subprocess.run([sys.executable, "-c", asked], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_mail_server_that_is_not_there_is_named_in_a_sentence(folder: Path) -> None:
    done = begin(folder, "send", "--people", "1", "--smtp", "smtp://127.0.0.1:9")
    _, told = done.communicate(timeout=60)
    assert done.returncode == 1
    assert told == "The measurement ended early, at mail server: nothing listens at that address.\n"
    assert left(folder) == []


def test_a_measurement_cut_off_takes_everything_with_it(folder: Path) -> None:
    running = begin(folder, "send", "--people", "100000", "--json")
    ends = time.monotonic() + 60
    while not list(folder.glob("*/var/run/postgres/.s.PGSQL.*")) and time.monotonic() < ends:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=60)
    assert running.returncode != 0 and said == ""
    assert left(folder) == []
