"""How fast an audience is planned, and how long its forecast takes."""

from time import monotonic

from mailer.bench import newsletter
from mailer.bench.scratch import Scratch, live, scratch
from mailer.campaigns import compose, forecast, launch
from mailer.services import Services, unit_of_work

NOBODY_LISTENS = "smtp://127.0.0.1:9"
"""Live mode wants a mail server; here nothing is sent."""


def plan(people: int) -> dict[str, object]:
    """Measure forecast and planning for so many people, with no worker running. Raises: BenchFailed, ServerFailed."""
    with scratch(**live(NOBODY_LISTENS)) as made:
        made.start_servers()
        number, _ = newsletter.prepare(made, people)
        services = made.services()
        try:
            seconds, inside = _forecast(services, number)
            rows = planned(made, services, number)
        finally:
            services.engine.dispose()
    return {"people": people, "in": inside, "rows_per_second": round(people / rows),
            "forecast_seconds": round(seconds, 3)}


def planned(made: Scratch, services: Services, number: int) -> float:
    """Launch a campaign and plan all of it, chunk by chunk as a worker does; the seconds it took."""
    made.command("campaign", "send", str(number), "--yes")
    began, more = monotonic(), True
    while more:
        with unit_of_work(services) as ctx:
            more = launch.step(ctx, number, services.settings.data_dir / "exits")
    return monotonic() - began


def _forecast(services: Services, number: int) -> tuple[float, int]:
    began = monotonic()
    with unit_of_work(services) as ctx:
        inside = forecast.of(ctx, compose.find(ctx, number)).inside
    return monotonic() - began, inside
