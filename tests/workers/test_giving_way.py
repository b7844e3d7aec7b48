"""Pages, and people who leave, come before a campaign on the same machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.embedded.processes import wait_until
from mailer.embedded.redis import PrivateRedis
from mailer.settings import Settings
from workers.main import GIVES_WAY, GROUP


@pytest.fixture
def worker(tmp_path: Path, settings: Settings) -> Iterator[int]:
    """A worker process in a session of its own, as `mailer run` starts it."""
    server = PrivateRedis(tmp_path / "redis", durable=False)
    environment = {**os.environ, "REDIS_URL": server.start(), "DATABASE_URL": settings.database_url,
                   "MAILER_DATA_DIR": str(settings.data_dir), "MAILER_KEY_FILE": str(settings.key_file)}
    process = subprocess.Popen([sys.executable, "-m", "workers.main"], env=environment, start_new_session=True,
                               stderr=subprocess.DEVNULL)
    yield process.pid
    process.kill()
    process.wait()
    server.stop()


@pytest.mark.skipif(not GROUP.exists(), reason="this system does not share its processor out by session")
def test_a_worker_gives_way_with_its_whole_session(worker: int) -> None:
    """Niceness alone counts only within a session, and each part of the product has one of its own."""
    said = Path(f"/proc/{worker}/autogroup")

    assert wait_until(lambda: said.read_text().endswith(f" nice {GIVES_WAY}\n"), 20)
    assert os.getpriority(os.PRIO_PROCESS, worker) >= GIVES_WAY
