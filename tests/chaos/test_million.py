"""What `make prove` measures with a million people, here with a hundredth: what comes of it, never how long it took."""

import json
import subprocess
import sys

import pytest

from tests.instance import PROJECT

PEOPLE, ASKED = 10_000, 20


@pytest.mark.chaos
@pytest.mark.timeout(240)
def test_one_of_many_is_erased_forecast_and_asked_about() -> None:
    """M11 and M17: nobody else goes, rows of messages stay, forecast and "why" answer for everybody."""
    done = subprocess.run([sys.executable, "-m", "bench.people", str(PEOPLE)], cwd=PROJECT, capture_output=True,
                          text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    left = PEOPLE - ASKED
    assert found["erase"]["erased"] == ASKED
    assert found["erase"]["left"] == {
        "people": left, "keys": left, "standing": left, "singles": left, "message_rows": PEOPLE}
    assert (found["forecast"]["planned"], found["forecast"]["planned_after"]) == (PEOPLE, left)
    assert found["forecast"]["inside_after"] == left
    assert found["why"]["in"] == found["why_page"]["with_consent"] == found["messages_of_one"]["found"] == ASKED
    assert all(part["longest_seconds"] > 0 for part in found.values() if isinstance(part, dict))
