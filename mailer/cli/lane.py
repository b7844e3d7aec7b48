"""`mailer lane`: how fast mail servers, senders and recipient domains are written to."""

from collections.abc import Sequence

import click

from mailer.cli.output import as_json, show
from mailer.cli.powers import unit
from mailer.outbox import lanes
from mailer.outbox.lanes import HeldLane, Lane, ServerState, Wish

DAYS_SHOWN = 60


@click.group()
def lane() -> None:
    """Speed limits, and what rests."""


@lane.command(name="list")
@as_json
def show_lanes(as_json: bool) -> None:
    """Show mail servers, limits with their warm-ups, and lanes left alone at the moment."""
    with unit() as ctx:
        states, limits, held = lanes.server_states(ctx), lanes.listed(ctx), lanes.held(ctx)
    facts = {"servers": [_server(each) for each in states], "limits": [_limit(each) for each in limits],
             "held": [{"name": each.name, "shared": each.shared, "code": each.code, "seconds": each.seconds}
                      for each in held]}
    show(facts, as_json, "\n".join(_said(states, limits, held)))


@lane.command(name="set")
@click.argument("scope", type=click.Choice(lanes.SCOPES))
@click.argument("name")
@click.option("--per-second", type=float, help="Messages a second; 0.1 is one every ten seconds.")
@click.option("--burst", type=int, help="How many may leave at once after a pause; a second's worth unless given.")
@click.option("--warm-up", type=int, help="Messages on the first day, today; 0 ends a warm-up.")
@click.option("--factor", type=float, help="How many times as many each further day; 2 unless given.")
@click.option("--none", "gone", is_flag=True, help="Take the limit away.")
@as_json
def set_lane(scope: str, name: str, per_second: float | None, burst: int | None, warm_up: int | None,
             factor: float | None, gone: bool, as_json: bool) -> None:
    """Set, change or take away the limit of a server, a sender's address or a recipient domain.

    What is not given stays as it was. A limit of a domain holds for campaigns planned from now on; a domain that
    has many people in a running campaign is slowed there too.
    """
    wish = Wish(per_second, burst, warm_up, factor)
    if gone == (wish != Wish()):
        raise click.UsageError("Give what to set, or --none alone.")
    kept = None
    with unit() as ctx:
        at = lanes.place(ctx, scope, name)
        if gone:
            lanes.remove(ctx, at)
        else:
            kept = lanes.set_limit(ctx, at, wish)
    if kept is None:
        show({"scope": at.scope, "name": at.name, "limit": None}, as_json, f"{at.name} has no limit now.")
    else:
        show(_limit(kept), as_json, "\n".join([f"{kept.name}: {lanes.described(kept)}", *_days(kept)]))


def _days(kept: Lane) -> list[str]:
    """The warm-up day by day, so that a factor or a first day mistyped is seen."""
    days = [f"  {day.isoformat()}  {allowed:,}" for day, allowed in lanes.ramp(kept, DAYS_SHOWN)]
    if days and kept.full_on is not None:
        days.append(f"  {kept.full_on.isoformat()}  no more than {kept.limit.per_second:,g} a second")
    return days


def _server(state: ServerState) -> dict[str, object]:
    hold = state.hold
    return {"name": state.name, "weight": state.weight, "state": "held" if hold else "up",
            "code": hold.code if hold else "", "seconds": hold.seconds if hold else 0,
            "since": hold.since if hold else None}


def _limit(each: Lane) -> dict[str, object]:
    limit = each.limit
    return {"scope": each.scope, "name": each.name, "per_second": limit.per_second, "burst": limit.burst,
            "warm_up": limit.ramp_per_day, "factor": limit.ramp_factor if limit.ramp_per_day else None,
            "from": limit.ramp_from, "today": each.today, "full_on": each.full_on}


def _said(states: Sequence[ServerState], limits: Sequence[Lane], held: Sequence[HeldLane]) -> list[str]:
    lines = []
    for state in states:
        share = f" (weight {state.weight})" if state.weight is not None else ""
        rest = f"{state.hold.why}; tried again in {state.hold.seconds} s" if state.hold else "up"
        lines.append(f"server {state.name}{share}: {rest}")
    lines += [f"limit of {each.scope} {each.name}: {lanes.described(each)}" for each in limits] or ["No limit is set."]
    for lane_held in held:
        name = lane_held.name or ("small domains together" if lane_held.shared else "one large domain")
        lines.append(f"left alone: {name}, which answered {lane_held.code}; tried again in {lane_held.seconds} s")
    return lines
