"""How fast rows are claimed, decided and recorded when the network costs nothing."""

import json
import subprocess
from contextlib import ExitStack

from mailer.bench import newsletter, processes
from mailer.bench.errors import BenchFailed
from mailer.bench.plan import NOBODY_LISTENS, planned
from mailer.bench.scratch import Scratch, live, python, scratch
from mailer.core.messages import State
from mailer.outbox import counts
from mailer.services import Services, unit_of_work

WORKER = "workers.measured"


def rows(people: int, worker_processes: int | None = None) -> dict[str, object]:
    """Measure so many planned rows, by as many processes as a new installation has workers unless said.

    Raises: BenchFailed, ServerFailed.
    """
    with scratch(**live(NOBODY_LISTENS)) as made:
        made.start_servers()
        number, _ = newsletter.prepare(made, people)
        many = worker_processes or made.settings.worker_processes
        services = made.services()
        try:
            planned(made, services, number)
            before = processes.server_cpu_seconds(made.postgres.pid)
            figures = measured(made, services, number, many)
            database = processes.server_cpu_seconds(made.postgres.pid) - before
        finally:
            services.engine.dispose()
        return {"people": people, "processes": many, **figures,
                "database_cpu_seconds_per_1000": round(database * 1000 / people, 4)}


def measured(made: Scratch, services: Services, number: int, many: int) -> dict[str, object]:
    """Send a planned campaign by the way that accepts at once, from the first process's start to the last one's end.

    Raises: BenchFailed.
    """
    with ExitStack() as started:
        road = [_Process(made, number, place, started) for place in range(1, many + 1)]
        for each in road:
            each.line()
        for each in road:
            each.go()
        found = [each.figures() for each in road]
    seconds = max(ended for _, ended, _ in found) - min(began for began, _, _ in found)
    with unit_of_work(services) as ctx:
        accepted = counts.sums(ctx, number).ended[State.ACCEPTED]
    if not accepted:
        raise BenchFailed(step="rows", why="nothing was accepted")
    return {"accepted": accepted, "rows_per_second": round(accepted / seconds),
            "worker_cpu_seconds_per_1000": round(sum(cpu for _, _, cpu in found) * 1000 / accepted, 4)}


class _Process:
    """One worker's road, which begins when it is told to."""

    def __init__(self, made: Scratch, number: int, place: int, started: ExitStack) -> None:
        self._log = started.enter_context((made.data_dir / "logs" / f"measured-{place}.log").open("w+"))
        self._process = subprocess.Popen(  # noqa: S603 (our own module, no shell)
            [*python(WORKER), str(number), f"measured-{place}"], env=made.env, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self._log, text=True)
        started.callback(self._end)

    def line(self) -> str:
        """The next line that it says. Raises: BenchFailed when it ended instead."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            self._log.seek(0)
            raise BenchFailed(step="rows", why=(self._log.read().strip().splitlines() or [""])[-1])
        return said

    def go(self) -> None:
        """Let it begin."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def figures(self) -> list[float]:
        """What it has measured, once it has ended. Raises: BenchFailed."""
        said = self.line()
        self._process.wait()
        found: list[float] = json.loads(said)
        return found

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()
