"""Leaving while a campaign runs at full speed: how long the answer takes, and whether anything begins after it.

Workers reach the mail server through a relay of ours that notes when each envelope comes past, by the clock that the
leavers read. It sees an envelope a moment after it was begun, so what it counts is at least what there was.
"""

from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlsplit

from sqlalchemy import Engine, text

from mailer.bench import newsletter, target, watch
from mailer.bench.errors import BenchFailed
from mailer.bench.leavers import AT_A_TIME, Leavers, after
from mailer.bench.scratch import Scratch, Started, live, scratch
from mailer.embedded.processes import wait_until
from mailer.subscriptions.seed import made_up

LEAVERS = 1_000
PATIENCE = 90.0
PLANNED = text("SELECT c.planning_done AND EXISTS (SELECT FROM campaign_count k WHERE k.campaign_id = c.id "
               "AND k.state = 'accepted' AND k.n > 0) FROM campaign c WHERE c.id = :id")
WRITTEN_TO = text("SELECT contact_point_id FROM message WHERE campaign_id = :id AND state = 'accepted' "
                  "AND contact_point_id = ANY(:ids)")


def leave(people: int, smtp_url: str | None, leavers: int = LEAVERS) -> dict[str, object]:
    """Measure at most so many leavers of so many people. Raises: NotThisMachine, BenchFailed, ServerFailed."""
    if smtp_url is not None:
        target.must_be_here(smtp_url)
    with scratch() as made:
        relay, url = _relay(made, target.target(made, smtp_url).url)
        made.env |= live(url)
        made.start_servers()
        number, _ = newsletter.prepare(made, people)
        made.run()
        services = made.services()
        try:
            watch.workers_ready(services.engine, made.settings.worker_processes, PATIENCE)
            gone = Leavers(services, number, leavers, made.port)
            course = _both(made, services.engine, number, people, gone)
            relay.end()
            begun = _begun(made.folder / "begun.tsv")
            _must_agree(services.engine, number, gone, begun)
        finally:
            services.engine.dispose()
        speed = course.accepted / (course.last_recorded - course.first_claim)
        return {"people": people, **_times(gone), "leavers": len(gone.answered), "accepted": course.accepted,
                "sent_after_leaving": after(gone.answered, _address, begun),
                "messages_per_second": round(speed), "at_a_time": AT_A_TIME}


def _both(made: Scratch, engine: Engine, number: int, people: int, gone: Leavers) -> watch.Course:
    made.launch(number)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not wait_until(lambda: bool(connection.scalar(PLANNED, {"id": number})), PATIENCE, pause=0.01):
            raise BenchFailed(step=f"campaign {number}", why="it did not begin")
    gone.start(people)
    course = watch.follow(engine, number, PATIENCE)
    gone.join()
    return course


def _times(gone: Leavers) -> dict[str, object]:
    if not gone.took:
        raise BenchFailed(step="one-click", why="the campaign was over before anybody could leave")
    took = [each / 1e6 for each in gone.took]
    seconds = (max(gone.answered.values()) - gone.began) / 1e9
    p99 = quantiles(took, n=100, method="inclusive")[98] if len(took) > 1 else took[0]
    return {"posts_per_second": round(len(took) / seconds, 1), "median_ms": round(median(took), 1),
            "p99_ms": round(p99, 1), "worst_ms": round(max(took), 1)}


def _relay(made: Scratch, url: str) -> tuple[Started, str]:
    parts = urlsplit(url)
    started = made.keep("relay", "mailer.bench.relay", str(made.folder), parts.hostname or "", str(parts.port or 25))
    port = made.folder / "relay.port"
    if not wait_until(port.exists, 20.0):
        raise BenchFailed(step="relay", why="it did not come up")
    return started, f"smtp://127.0.0.1:{port.read_text()}"


def _begun(file: Path) -> dict[str, int]:
    """Address to the moment of its last envelope."""
    found = {}
    for line in file.read_text().splitlines():
        moment, _, address = line.partition("\t")
        found[address] = int(moment)
    return found


def _must_agree(engine: Engine, number: int, gone: Leavers, begun: dict[str, int]) -> None:
    """The relay saw exactly those leavers whom the database says were written to: else the count means nothing."""
    with engine.connect() as connection:
        written = set(connection.scalars(WRITTEN_TO, {"id": number, "ids": list(gone.answered)}))
    if {person for person in gone.answered if _address(person) in begun} != written:
        raise BenchFailed(step="leave", why="relay and database disagree about who was written to")


def _address(contact_point_id: int) -> str:
    """People of a new installation are numbered from one, as they are made up."""
    return made_up(contact_point_id).address
