"""What `mailer run --demo`, `--seed` and `--clock` prepare before the web server starts."""

from datetime import UTC, datetime

from sqlalchemy import text

from mailer import wiring
from mailer.core.clock import SystemClock
from mailer.core.errors import InvalidInput
from mailer.core.jobs import NoJobs
from mailer.organisation import profile as organisation
from mailer.sample import load
from mailer.services import Services, unit_of_work
from mailer.settings import Settings
from mailer.staff import accounts
from mailer.staff.roles import Role

BRAND = "Cadenza Music"
STAFF = (("Cem", "cem@example.org", Role.COMPOSER), ("Sue", "sue@example.org", Role.SENDER),
         ("Lou", "lou@example.org", Role.LIST_MANAGER), ("Pia", "pia@example.org", Role.PRIVACY_OFFICER))
"""No Admin: the start link makes one."""


def prepare(settings: Settings, *, demo: bool, seed: int | None, clock: str | None) -> None:
    """Shift the clock and load the sample, each where it was asked for. Raises: InvalidInput."""
    if not demo and clock is None:
        return
    engine = wiring.open_engine(settings)
    if clock is not None:
        _shift(wiring.build(settings, engine, NoJobs()), _moment(clock))
    if demo:
        _load(wiring.build(settings, engine, NoJobs()), seed if seed is not None else load.SEED)
    engine.dispose()


def _moment(raw: str) -> datetime:
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError as error:
        raise InvalidInput(field="--clock", why="a time such as 2026-03-02T15:00:00Z") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _shift(services: Services, start: datetime) -> None:
    with unit_of_work(services, actor="operator") as ctx:
        organisation.ensure_instance(ctx)
        seconds = round((start - SystemClock().now()).total_seconds())
        ctx.db.execute(text("UPDATE instance SET clock_shift_seconds = :seconds"), {"seconds": seconds})


def _load(services: Services, seed: int) -> None:
    with unit_of_work(services, actor="operator") as ctx:
        if ctx.db.scalar(text("SELECT EXISTS (SELECT FROM staff)")) or load.is_loaded(ctx):
            return
        organisation.ensure_row(ctx).name = BRAND
        ctx.db.flush()
        for name, email, role in STAFF:
            accounts.add(ctx, name=name, email=email, roles=[role])
        load.load(ctx, seed)
