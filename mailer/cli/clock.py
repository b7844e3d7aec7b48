"""`mailer clock`: moves the clock of an instance that was started with one of its own, for demonstrations and walks."""

import re
from datetime import UTC, timedelta

import click
from sqlalchemy import text

from mailer.audit import trail
from mailer.cli.output import as_json, show
from mailer.cli.powers import OPERATOR, services
from mailer.core.errors import MailerError
from mailer.services import unit_of_work

STEP = re.compile(r"\+?([1-9]\d{0,5})([smhdw])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
LONGEST = timedelta(days=3660)

MOVE = text("UPDATE instance SET clock_shift_seconds = clock_shift_seconds + :seconds "
            "WHERE clock_shift_seconds IS NOT NULL RETURNING clock_shift_seconds")


class ClockNotShifted(MailerError):
    """The instance goes by the machine's own clock, which nobody moves."""

    code = "clock_not_shifted"
    status = 409


@click.command()
@click.argument("step")
@as_json
def clock(step: str, as_json: bool) -> None:
    """Move the clock on by STEP, such as +30m, +2h or +8d; never back."""
    seconds = seconds_of(step)
    powers = services()
    with unit_of_work(powers, actor=OPERATOR) as ctx:
        if ctx.db.scalar(MOVE, {"seconds": seconds}) is None:
            raise ClockNotShifted()
        trail.record(ctx, "clock_moved", "instance", seconds=seconds)
    # Opened anew: the clock of these powers has read the shift before it was moved.
    now = services().clock.now().astimezone(UTC)
    show({"now": now.strftime("%Y-%m-%dT%H:%M:%SZ")}, as_json, f"It is now {now:%A %d %B %Y, %H:%M:%S} UTC.")


def seconds_of(step: str) -> int:
    """What a step comes to. Raises: click.BadParameter for one that is none, or of more than ten years."""
    found = STEP.fullmatch(step)
    seconds = int(found[1]) * SECONDS[found[2]] if found else 0
    if not 0 < seconds <= LONGEST.total_seconds():
        raise click.BadParameter("must be like +30m, +2h or +8d, and at most ten years", param_hint="STEP")
    return seconds
