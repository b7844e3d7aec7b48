"""How fast rows are claimed, decided and recorded when the network costs nothing."""

import json
import subprocess

from mailer.bench import newsletter, processes
from mailer.bench.errors import BenchFailed
from mailer.bench.plan import NOBODY_LISTENS, planned
from mailer.bench.scratch import Scratch, live, python, scratch

WORKER = "workers.measured"


def rows(people: int) -> dict[str, object]:
    """Measure one process on so many planned rows. Raises: BenchFailed, ServerFailed."""
    with scratch(**live(NOBODY_LISTENS)) as made:
        made.start_servers()
        number, _ = newsletter.prepare(made, people)
        services = made.services()
        try:
            planned(made, services, number)
        finally:
            services.engine.dispose()
        before = processes.server_cpu_seconds(made.postgres.pid)
        figures = measured(made, number)
        database = processes.server_cpu_seconds(made.postgres.pid) - before
    return {"people": people, "processes": 1, **figures,
            "database_cpu_seconds_per_1000": round(database * 1000 / people, 4)}


def measured(made: Scratch, number: int) -> dict[str, object]:
    """Send a planned campaign by the way that accepts at once, in a process of its own. Raises: BenchFailed."""
    done = subprocess.run([*python(WORKER), str(number)], env=made.env, stdin=subprocess.DEVNULL,  # noqa: S603 (ours)
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchFailed(step="rows", why=(done.stderr.strip().splitlines() or [""])[-1])
    accepted, seconds, cpu = json.loads(done.stdout)
    return {"accepted": accepted, "rows_per_second": round(accepted / seconds),
            "worker_cpu_seconds_per_1000": round(cpu * 1000 / accepted, 4)}
