"""The clock of an instance that was started with one of its own."""

import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from mailer import wiring
from mailer.core.jobs import NoJobs
from mailer.organisation import profile
from mailer.services import unit_of_work
from mailer.settings import Settings

SHIFT = timedelta(days=-200)


def test_a_thread_that_asks_while_another_reads_the_shift_first_gets_no_unshifted_time(settings: Settings) -> None:
    engine = wiring.open_engine(settings)
    with unit_of_work(wiring.build(settings, engine, NoJobs())) as ctx:
        profile.ensure_instance(ctx)
        ctx.db.execute(text("UPDATE instance SET clock_shift_seconds = :n"), {"n": int(SHIFT.total_seconds())})
    clock = wiring.InstanceClock(engine)
    told: list[datetime] = []
    threads = [threading.Thread(target=lambda: told.append(clock.now())) for _ in range(2)]
    with engine.begin() as holder:
        holder.execute(text("LOCK TABLE instance IN ACCESS EXCLUSIVE MODE"))
        for thread in threads:
            thread.start()
            thread.join(timeout=0.3)
    for thread in threads:
        thread.join(timeout=10)
    engine.dispose()
    assert len(told) == 2
    assert all(moment < datetime.now(UTC) - timedelta(days=199) for moment in told)
