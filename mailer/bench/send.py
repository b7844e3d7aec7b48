"""From launch to the last message recorded, beside the plain sender in the same run and to the same server."""

from dataclasses import dataclass

from mailer.bench import newsletter, plain, processes, target, watch
from mailer.bench.scratch import Scratch, live, scratch

PATIENCE = 90.0
PLAIN_AT_MOST = 50_000
WORKER = "workers.main"


@dataclass(frozen=True)
class Load:
    """CPU seconds of the workers and of the database so far."""

    workers: float
    database: float


def send(people: int, smtp_url: str | None, worker_processes: int | None = None, dkim: str | None = None
         ) -> dict[str, object]:
    """Measure a campaign of so many people. Raises: NotThisMachine, BenchFailed, ServerFailed."""
    if smtp_url is not None:
        target.must_be_here(smtp_url)
    count = None if worker_processes is None else str(worker_processes)
    with scratch() as made:
        aim = target.target(made, smtp_url)
        made.env |= live(aim.url, WORKER_PROCESSES=count)
        made.start_servers()
        if dkim is not None:
            made.command("dkim", "new", "--domain", newsletter.DOMAIN, "--algorithm", dkim)
        number, message = newsletter.prepare(made, people)
        figures = _campaign(made, number, message, aim.url, people)
        return figures | _counted(aim) | {"dkim": dkim}


def _campaign(made: Scratch, number: int, message: bytes, url: str, people: int) -> dict[str, object]:
    running = made.run()
    engine = made.services().engine
    watch.workers_ready(engine, made.settings.worker_processes, PATIENCE)
    many = min(people, PLAIN_AT_MOST)
    raw = plain.rate(url, message, many)
    before = _load(made, running.pid)
    made.launch(number)
    course = watch.follow(engine, number, PATIENCE)
    after = _load(made, running.pid)
    peak = processes.peak_mb(_workers(running.pid))
    raw = max(raw, plain.rate(url, message, many))
    engine.dispose()
    speed = course.accepted / (course.last_recorded - course.first_claim)
    return {
        "people": people, "processes": made.settings.worker_processes,
        "messages_per_second": round(speed), "raw_per_second": round(raw), "ratio_to_raw": round(speed / raw, 3),
        "message_bytes": len(message), "raw_connections": plain.CONNECTIONS, "accepted": course.accepted,
        "worker_cpu_seconds_per_1000": round((after.workers - before.workers) * 1000 / people, 4),
        "database_cpu_seconds_per_1000": round((after.database - before.database) * 1000 / people, 4),
        "worker_peak_mb": peak,
        "first_message_seconds": round(course.first_accepted - course.launched, 2),
        "planned_per_second": round(course.planned / (course.planned_by - course.started)),
    }


def _load(made: Scratch, running: int) -> Load:
    return Load(processes.cpu_seconds(_workers(running)), processes.server_cpu_seconds(made.postgres.pid))


def _workers(running: int) -> list[int]:
    return processes.running(WORKER, processes.tree(running))


def _counted(aim: target.Target) -> dict[str, object]:
    """What our own server saw of the engine, a plain count and the mean size."""
    seen = {sender: each for sender, each in aim.counted().items() if sender != plain.SENDER}
    if not seen:
        return {}
    messages, octets = (sum(column) for column in zip(*seen.values(), strict=True))
    return {"sink_accepted": messages, "sink_message_bytes": round(octets / messages)}
