"""A new master key while a campaign runs, with a stop list of a million (`make prove`) or ten thousand entries."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from mailer.core.reasons import Reason
from mailer.services import unit_of_work
from mailer.suppression import registry
from mailer.suppression.registry import Stop
from tests.chaos.live import live
from tests.chaos.mail_server import MailServer, serving
from tests.chaos.sending import Sending, database, powers, until
from tests.instance import PROJECT, Instance

pytestmark = [pytest.mark.chaos, pytest.mark.prove, pytest.mark.timeout(1200)]

FULL = bool(os.environ.get("PROVE"))
ENTRIES = 1_000_000 if FULL else 10_000
PEOPLE = 30_000 if FULL else 3_000
SUPPRESSED = PEOPLE // 3
SLOWLY = ("--fast", "--delay=0.1")
SILENT_SECONDS = 1.0 if FULL else 5.0
"""Longest time between two messages; in CI other tests want the processor as well."""

STRANGERS = """
    INSERT INTO suppression (channel, fingerprint, list_id, topic_id, reason, fingerprint_version, mode, day, sample)
    SELECT 'email', sha256(convert_to('stranger ' || n, 'UTF8')), 0, 0, 'unsubscribed', 1, 'live', '2026-01-05', false
    FROM generate_series(1, %s) AS n
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    with serving(tmp_path / "taken.tsv", *SLOWLY) as started:
        yield started


@pytest.fixture
def instance(tmp_path: Path, server: MailServer) -> Iterator[Instance]:
    with live(tmp_path, server) as started:
        started.command("seed", "--people", str(PEOPLE))
        yield started


def suppress(instance: Instance) -> set[int]:
    """Every third person, by the stop list alone: their consents stand, so that nothing else holds them back."""
    services = powers(instance)
    with services.engine.begin() as connection:
        connection.exec_driver_sql(STRANGERS, (ENTRIES - SUPPRESSED,))
        found = connection.exec_driver_sql(
            "SELECT id, fingerprint FROM contact_point ORDER BY fingerprint LIMIT %s", (SUPPRESSED,)).all()
    for start in range(0, len(found), 5000):
        with unit_of_work(services) as ctx:
            registry.suppress_many(ctx, [Stop("email", bytes(each.fingerprint), Reason.UNSUBSCRIBED)
                                         for each in found[start:start + 5000]])
    services.engine.dispose()
    return {each.id for each in found}


def rotate(instance: Instance) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-m", "mailer.cli", "keys", "rotate", "--json"], cwd=PROJECT,
                            env=instance.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def test_nobody_suppressed_is_written_to_while_keys_rotate_under_a_campaign(
        instance: Instance, server: MailServer) -> None:
    """Items 4 and 20, decision 17: also when the rotation is killed in the middle and begun again."""
    suppressed = suppress(instance)
    sending = Sending(instance, [server], "Under way")
    sending.reaches(100)
    began = time.monotonic()
    killed = rotate(instance)
    with psycopg.connect(database(instance), autocommit=True) as connection:
        until(lambda: connection.execute("SELECT key_required FROM instance").fetchone() == (2,), 60)
        until(lambda: bool(connection.execute(
            "SELECT 1 FROM suppression WHERE fingerprint_version = 2 LIMIT 1").fetchone()), 60)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    said, _ = rotate(instance).communicate(timeout=900)
    done = json.loads(said)
    ended = time.monotonic()
    seen = sending.look()
    assert (done["in_use"], done["settled"], done["waiting"], done["begun"]) == (2, 2, {}, False)
    print(f"\nrotated {ENTRIES:,} entries and {PEOPLE:,} people in {ended - began:.1f} s, the campaign is {seen}")
    assert seen is not None and seen[0] == "sending", "the campaign is to last longer than the rotation"

    reckoning = sending.the_end(seconds=600)
    arrived = sending.arrived()
    assert not suppressed & arrived.keys()
    assert reckoning.arrived == PEOPLE - SUPPRESSED
    reckoning.holds()
    times = sorted(each.at for each in server.taken())
    gaps = [(later - earlier) for earlier, later in zip(times, times[1:], strict=False)
            if began < later < ended + 1]
    print(f"longest silence {max(gaps):.2f} s")
    assert max(gaps) < SILENT_SECONDS

    again = Sending(instance, [server], "Once more", to="seed")
    again.reaches(50)
    assert not suppressed & again.arrived().keys()
