"""What `mailer run` takes while nothing happens, and how soon its second start is ready."""

import time

from mailer.bench import processes
from mailer.bench.scratch import Started, scratch

CALM_DOWN_SECONDS = 10
WATCHED_SECONDS = 20


def idle(watched_seconds: float = WATCHED_SECONDS, calm_down_seconds: float = CALM_DOWN_SECONDS) -> dict[str, object]:
    """Start, end, start again and watch. Raises: BenchFailed."""
    with scratch() as made:
        made.run().end()
        began = time.monotonic()
        running = made.run()
        ready = time.monotonic() - began
        time.sleep(calm_down_seconds)
        busy = _cpu(running)
        time.sleep(watched_seconds)
        percent = (_cpu(running) - busy) / watched_seconds * 100
        every = processes.tree(running.pid)
        return {"idle_mb": processes.proportional_mb(every), "idle_cpu_percent": round(percent, 2),
                "ready_seconds": round(ready, 2), "processes": len(every)}


def _cpu(running: Started) -> float:
    return processes.cpu_seconds(processes.tree(running.pid), ended_children=True)
