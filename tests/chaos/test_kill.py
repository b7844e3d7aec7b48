"""Killing everything at random moments of a campaign: nobody twice, nobody lost, the sum holds (T5, item 1 and 2)."""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.instance import PROJECT, Instance, free_port

PEOPLE = 3_000
CONNECTIONS = 10
PROCESSES = 2


@contextmanager
def counting_server(out: Path, *options: str) -> Iterator[int]:
    """A mail server in a process of its own, which no kill of ours reaches; its port."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "tests.fakes.smtp_server", "--port", str(port), "--out", str(out),
                               *options], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    server.stdout.readline()
    try:
        yield port
    finally:
        server.terminate()
        server.wait(timeout=10)
        server.stdout.close()


def taken(out: Path, since: int = 0) -> Counter[str]:
    """How often each recipient's message was taken at its final dot, from a line on."""
    return Counter(line.split("\t")[1] for line in out.read_text().splitlines()[since:])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Instance, Path]]:
    """One Live instance with people, and the file in which a mail server outside counts."""
    folder = tmp_path_factory.mktemp("kill")
    out = folder / "taken.tsv"
    out.touch()
    with counting_server(out) as smtp:
        instance = Instance(folder, MAILER_MODE="live", SMTP_URL=f"smtp://127.0.0.1:{smtp}",
                            MAIL_FROM="news@example.org", WORKER_PROCESSES=str(PROCESSES),
                            SMTP_CONNECTIONS=str(CONNECTIONS))
        instance.start()
        try:
            instance.command("seed", "--people", str(PEOPLE))
            yield instance, out
        finally:
            instance.stop()


@pytest.mark.chaos
@pytest.mark.timeout(200)
@pytest.mark.parametrize("seed", [1, 2, 3, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(4, 11))])
def test_kill_of_a_worker_and_of_everything_loses_nobody_and_writes_to_nobody_twice(
        seed: int, house: tuple[Instance, Path]) -> None:
    """Promises T5 and section 3 items 1 and 2: uncertain is at most one for each open connection and kill."""
    instance, out = house
    chance = random.Random(seed)
    before = sum(taken(out).values())
    draft = instance.command("campaign", "create", "--list", "seed", "--subject", f"Kill {seed}", "--body", "Words.")
    instance.command("campaign", "send", str(draft["id"]), "--yes")
    early, late = before + PEOPLE * chance.uniform(0.05, 0.4), before + PEOPLE * chance.uniform(0.4, 0.7)
    until(lambda: sum(taken(out).values()) > early)
    instance.kill("workers.main")
    until(lambda: sum(taken(out).values()) > late)
    instance.kill_everything()
    instance.start()
    status = instance.wait_for(int(draft["id"]), "sent", seconds=120)

    counted = taken(out, before)
    assert max(counted.values()) == 1
    assert status["planned"] == PEOPLE
    assert status["accepted"] + status["uncertain"] == PEOPLE
    assert status["uncertain"] <= CONNECTIONS * (1 + PROCESSES)
    assert PEOPLE - len(counted) <= status["uncertain"]
    assert status["planned"] == sum(
        status[state] for state in ("accepted", "refused", "failed", "expired", "uncertain", "waiting"))


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Look until it holds."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)
