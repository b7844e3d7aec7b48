"""`python -m bench.people [PEOPLE]`: erasing one of a million, the forecast, and "why", each counted afresh.

Everybody was written to by a campaign that has ended, and has a single message behind them; none runs. Prints one JSON
object: the longest seconds of each act, to the end of its unit of work, and what came of it.
"""

import json
import sys
from collections.abc import Callable, Iterable
from functools import partial
from time import monotonic
from typing import TypeVar

from sqlalchemy import text

from mailer.audience import contact_points
from mailer.audience.models import ContactPoint
from mailer.bench import newsletter
from mailer.bench.plan import NOBODY_LISTENS, planned
from mailer.bench.rows import measured
from mailer.bench.scratch import Scratch, live, scratch
from mailer.campaigns import close, compose, forecast
from mailer.context import Context
from mailer.core.links import Link
from mailer.core.vault import Opener
from mailer.gate import history
from mailer.gate.forecast import Forecast
from mailer.rights.erase import erase
from mailer.services import Services, unit_of_work
from mailer.subscriptions import claims, why
from mailer.subscriptions.seed import made_up

PEOPLE = 1_000_000
ASKED = 20
"""People of whom each is asked about and then erased, from the first to the last."""
FORECASTS = 3

Result = TypeVar("Result")

SINGLES = text("""
    INSERT INTO single_message (class, subject, occasion, channel, contact_point_id, state, code, created_at, not_after)
    SELECT 'service_notice', 'contact_point:' || id, 'joined', 'email', id, 'refused', 'expired', now(), now()
    FROM contact_point
""")
LEFT = text("""
    SELECT (SELECT count(*) FROM person) AS people, (SELECT count(*) FROM vault.person_key) AS keys,
           (SELECT count(*) FROM standing) AS standing, (SELECT count(*) FROM single_message) AS singles,
           (SELECT count(*) FROM message WHERE campaign_id = :sent) AS message_rows
""")


def main() -> None:
    """Measure and print."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    with scratch(**live(NOBODY_LISTENS)) as made:
        made.start_servers()
        services = made.services()
        try:
            sent, draft = written_to(made, services, people)
            found = figures(services, people, sent, draft)
        finally:
            services.engine.dispose()
    print(json.dumps({"people": people, **found}, indent=2))


def written_to(made: Scratch, services: Services, people: int) -> tuple[int, int]:
    """A campaign to everybody that has ended, and the draft of another."""
    sent, _ = newsletter.prepare(made, people)
    planned(made, services, sent)
    measured(made, services, sent, made.settings.worker_processes)
    with unit_of_work(services) as ctx:
        if not close.close_if_done(ctx, sent):
            raise SystemExit("The campaign did not end.")
        ctx.db.execute(SINGLES)
    draft, _ = newsletter.another(made, services)
    newsletter.settle(services)
    return sent, draft


def figures(services: Services, people: int, sent: int, draft: int) -> dict[str, object]:
    """Every act on the same people, the forecast before and after they are erased."""
    numbers = [1 + place * (people - 1) // (ASKED - 1) for place in range(ASKED)]
    looks = [timed(services, partial(forecast_of, draft)) for _ in range(FORECASTS)]
    asked = [timed(services, partial(why_address, draft, number)) for number in numbers]
    opened = [timed(services, partial(why_page, services.opener, sent, number)) for number in numbers]
    told = [timed(services, partial(messages_of, number)) for number in numbers]
    erased = [timed(services, partial(erase_one, number)) for number in numbers]
    after = timed(services, partial(forecast_of, draft))
    with services.engine.connect() as connection:
        left = connection.execute(LEFT, {"sent": sent}).mappings().one()
    return {
        "erase": {"longest_seconds": longest(erased), "erased": len(erased), "left": dict(left)},
        "forecast": {"longest_seconds": longest([*looks, after]), "planned": looks[0][1].planned,
                     "planned_after": after[1].planned, "inside_after": after[1].inside},
        "why": {"longest_seconds": longest(asked), "in": sum(said == "in" for _, said in asked)},
        "why_page": {"longest_seconds": longest(opened), "with_consent": sum(found for _, found in opened)},
        "messages_of_one": {"longest_seconds": longest(told), "found": sum(found for _, found in told)},
    }


def forecast_of(draft: int, ctx: Context) -> Forecast:
    """What the page before sending says; nothing of it was kept from before."""
    return forecast.of(ctx, compose.find(ctx, draft))


def why_address(draft: int, number: int, ctx: Context) -> str:
    """Staff ask whether an address would get the campaign."""
    return forecast.why(ctx, compose.find(ctx, draft), made_up(number).address).answer


def why_page(opener: Opener, sent: int, number: int, ctx: Context) -> bool:
    """The person opens the link of their message: is there a consent to show?"""
    way = claims.read(ctx, ctx.signer.sign(Link.WHY, point_of(ctx, number).id, sent), Link.WHY)
    return way.point is not None and why.grounds(ctx, opener, way.point, way.origin) is not None


def messages_of(number: int, ctx: Context) -> int:
    """Every answer of the gate that their page shows."""
    return len(history.of(ctx, point_of(ctx, number).id))


def erase_one(number: int, ctx: Context) -> None:
    """By the person's own act."""
    erase(ctx, point_of(ctx, number).person_id, by="self")


def point_of(ctx: Context, number: int) -> ContactPoint:
    """A made-up person's contact point, found by the address."""
    found = contact_points.find(ctx, "email", contact_points.parse(ctx, "email", made_up(number).address))
    if found is None:
        raise SystemExit(f"Person {number} is not there.")
    return found


def timed(services: Services, act: Callable[[Context], Result]) -> tuple[float, Result]:
    """Seconds of an act with its commit and what follows it, and its result."""
    began = monotonic()
    with unit_of_work(services) as ctx:
        result = act(ctx)
    return monotonic() - began, result


def longest(found: Iterable[tuple[float, object]]) -> float:
    """The longest of them, in seconds."""
    return round(max(seconds for seconds, _ in found), 3)


if __name__ == "__main__":
    main()
