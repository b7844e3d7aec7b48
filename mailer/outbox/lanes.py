"""Limits of lanes as people set and see them, and the lanes and servers that rest at the moment."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select, text

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import InvalidAddress, InvalidInput, NotFound
from mailer.core.lanes import OWN, lane_of
from mailer.organisation import senders
from mailer.outbox import servers
from mailer.outbox.buckets import DAY_SECONDS, Limit
from mailer.outbox.models import LaneLimit
from mailer.outbox.pace import limit_of
from mailer.outbox.servers import Hold

SCOPES: Final = ("server", "sender", "domain")
SLOWEST, FASTEST = 0.001, 100_000.0
LARGEST_BURST: Final = 1_000_000
LEAST_A_DAY: Final = 10
LOWEST_FACTOR, HIGHEST_FACTOR = 1.1, 10.0

HELD_LANES = text("""
    SELECT h.lane, h.code, ceil(extract(epoch FROM h.until - clock_timestamp()))::int, l.name
    FROM lane_hold h LEFT JOIN lane_limit l ON l.scope = 'domain' AND l.lane = h.lane
    WHERE h.until > clock_timestamp() ORDER BY h.lane""")


@dataclass(frozen=True)
class Place:
    """What a limit is for: `lane` is the number of a domain's own lane, 0 for the other scopes."""

    scope: str
    name: str
    lane: int = 0


@dataclass(frozen=True)
class Wish:
    """What a person asks for; what is None stays as it is, or is chosen where nothing was set."""

    per_second: float | None = None
    burst: int | None = None
    per_day: int | None = None
    """Messages on the first day of a warm-up; 0 ends one."""
    factor: float | None = None


@dataclass(frozen=True)
class Lane:
    """A limit in force: what its ramp allows today, and when nothing but the limit is left of it."""

    scope: str
    name: str
    limit: Limit
    today: int | None
    full_on: date | None


@dataclass(frozen=True)
class HeldLane:
    """A lane left alone after a transient answer; a shared one has no name (decision 12)."""

    name: str
    shared: bool
    code: str
    seconds: int


@dataclass(frozen=True)
class ServerState:
    """A mail server, its share of the mail, and the rest it takes, if any; no weight where SMTP_URL is not known."""

    name: str
    weight: int | None
    hold: Hold | None


def place(ctx: Context, scope: str, name: str) -> Place:
    """What a limit would be for. Raises: InvalidInput naming `scope` or `name`."""
    if scope not in SCOPES:
        raise InvalidInput(field="scope", why="Choose a mail server, a sender or a recipient domain.")
    if scope == "server":
        return Place(scope, _server(ctx, name.strip()))
    parse = ctx.channels["email"].parse_address
    try:
        if scope == "sender":
            return Place(scope, _sender(ctx, parse(name).normalised))
        domain = parse(f"x@{name.strip()}").domain
    except InvalidAddress as error:
        why = ("Type an address such as news@example.org." if scope == "sender"
               else "Type a domain such as example.org.")
        raise InvalidInput(field="name", why=why) from error
    return Place(scope, domain, lane_of(ctx.sealer.domain_hash(domain)))


def set_limit(ctx: Context, at: Place, wish: Wish) -> Lane:
    """Set or change a limit; a warm-up that is new or changed begins today.

    Raises: InvalidInput naming `per_second`, `burst`, `warm_up` or `factor`.
    """
    row = ctx.db.get(LaneLimit, (at.scope, at.name), with_for_update=True)
    limit = _wished(limit_of(row) if row else None, wish, ctx.clock.now().date())
    if row is None:
        row = LaneLimit(scope=at.scope, name=at.name, lane=at.lane)
        ctx.db.add(row)
    row.per_second, row.burst = limit.per_second, limit.burst
    row.ramp_per_day, row.ramp_factor, row.ramp_from = limit.ramp_per_day, limit.ramp_factor, limit.ramp_from
    row.updated_at = ctx.clock.now()
    trail.record(ctx, "speed_limit_set", _about(at), per_second=limit.per_second, burst=limit.burst,
                 ramp_per_day=limit.ramp_per_day, ramp_factor=limit.ramp_factor)
    ctx.db.flush()
    return _lane(row, ctx.clock.now().date())


def remove(ctx: Context, at: Place) -> None:
    """Take a limit away: nothing but the other side's answers slows this lane then. Raises: NotFound."""
    row = ctx.db.get(LaneLimit, (at.scope, at.name), with_for_update=True)
    if row is None:
        raise NotFound(what="limit")
    ctx.db.delete(row)
    trail.record(ctx, "speed_limit_removed", _about(at))


def listed(ctx: Context) -> list[Lane]:
    """Every limit: servers, senders, then domains, each by name."""
    rows = ctx.db.scalars(select(LaneLimit)).all()
    today = ctx.clock.now().date()
    return [_lane(row, today) for row in sorted(rows, key=lambda row: (SCOPES.index(row.scope), row.name))]


def held(ctx: Context) -> list[HeldLane]:
    """The lanes left alone at the moment, the answer that led to it, and seconds until the next try."""
    return [HeldLane(name or "", lane < OWN, code, seconds) for lane, code, seconds, name in ctx.db.execute(HELD_LANES)]


def server_states(ctx: Context) -> list[ServerState]:
    """The mail servers of SMTP_URL; where it is not set for this process, those that rest."""
    holds = {hold.server: hold for hold in servers.holds(ctx)}
    weights = dict(ctx.fixed.mail_servers)
    return [ServerState(name, weights.get(name), holds.get(name)) for name in weights or sorted(holds)]


def described(lane: Lane) -> str:
    """A limit in words."""
    limit = lane.limit
    said = f"At most {limit.per_second:,g} a second, {limit.burst:,} at once."
    if lane.today is None or lane.full_on is None:
        return said
    day = f"{lane.full_on.day} {lane.full_on:%B %Y}"
    return f"{said} Warm-up: {lane.today:,} today, each day {limit.ramp_factor:g} times as many, the whole from {day}."


def ramp(lane: Lane, days: int) -> Sequence[tuple[date, int]]:
    """The first days of a warm-up and what each allows, until it has ended."""
    first = lane.limit.ramp_from
    if first is None:
        return []
    found = [(day, lane.limit.allowance(day)) for day in (first + timedelta(days=number) for number in range(days))]
    return [(day, allowed) for day, allowed in found if allowed is not None]


def _wished(known: Limit | None, wish: Wish, today: date) -> Limit:
    per_second = wish.per_second if wish.per_second is not None else known.per_second if known else None
    if per_second is None or not SLOWEST <= per_second <= FASTEST:
        raise InvalidInput(field="per_second", why=f"Messages a second must be from {SLOWEST:g} to {FASTEST:,.0f}.")
    burst = wish.burst if wish.burst is not None else _burst(known, wish, per_second)
    if not 1 <= burst <= LARGEST_BURST:
        raise InvalidInput(field="burst", why=f"At once must be a whole number from 1 to {LARGEST_BURST:,}.")
    factor = wish.factor if wish.factor is not None else known.ramp_factor if known else 2.0
    if not LOWEST_FACTOR <= factor <= HIGHEST_FACTOR:
        raise InvalidInput(field="factor", why=f"Times a day must be from {LOWEST_FACTOR:g} to {HIGHEST_FACTOR:g}.")
    per_day = wish.per_day if wish.per_day is not None else known.ramp_per_day if known else None
    if not per_day:
        return Limit(per_second, burst, None, factor, None)
    # A ramp that the limit already outran is no ramp: it is dropped without a word unless it was asked for now.
    whole = math.ceil(per_second * DAY_SECONDS)
    if wish.per_day and not LEAST_A_DAY <= per_day < whole:
        raise InvalidInput(field="warm_up", why=f"The first day must be from {LEAST_A_DAY} to less than {whole:,}, "
                                                "a whole day at the limit itself.")
    same = known is not None and (known.ramp_per_day, known.ramp_factor) == (per_day, factor)
    return Limit(per_second, burst, per_day, factor, known.ramp_from if same and known else today)


def _burst(known: Limit | None, wish: Wish, per_second: float) -> int:
    """What was set before; a second's worth where nothing was, or where only the speed is set anew."""
    if known is not None and wish.per_second is None:
        return known.burst
    return max(1, min(LARGEST_BURST, math.ceil(per_second)))


def _server(ctx: Context, name: str) -> str:
    known = [each for each, _ in ctx.fixed.mail_servers]
    if not name or len(name) > 63 or not name.isascii() or not name.isprintable() or (known and name not in known):
        raise InvalidInput(field="name", why=f"Name one of SMTP_URL's servers: {', '.join(known)}." if known
                           else "Type the name of a mail server.")
    return name


def _sender(ctx: Context, address: str) -> str:
    """The address as it stands in our messages, where it is one of our senders'."""
    parse = ctx.channels["email"].parse_address
    default = senders.default(ctx)
    ours = [each.address for each in senders.listed(ctx)] + ([default.address] if default else [])
    return next((each for each in ours if parse(each).normalised == address), address).lower()


def _about(at: Place) -> str:
    """Addresses and domains stay out of the trail, which nobody can erase."""
    return {"server": f"server:{at.name}", "domain": f"lane:{at.lane}"}.get(at.scope, "sender")


def _lane(row: LaneLimit, today: date) -> Lane:
    limit = limit_of(row)
    allowed = limit.allowance(today)
    if allowed is None or limit.ramp_from is None:
        return Lane(row.scope, row.name, limit, None, None)
    return Lane(row.scope, row.name, limit, allowed, limit.ramp_from + timedelta(days=limit.days_of_ramp()))
