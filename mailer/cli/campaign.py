"""`mailer campaign`: write, forecast, send, watch and stop a campaign."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from time import sleep

import click
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.exc import OperationalError

from mailer import wiring
from mailer.campaigns import compose, control, forecast, hindrance, must_fix, schedule
from mailer.campaigns import status as standing
from mailer.campaigns.models import Campaign
from mailer.cli.instance import wait_for_database
from mailer.cli.output import as_json, show
from mailer.cli.powers import OPERATOR, services, unit
from mailer.core.errors import BehindExits, CannotSend, InvalidInput
from mailer.core.messages import CampaignState
from mailer.exits import fence
from mailer.lists import catalogue
from mailer.services import Services, unit_of_work

LOOK_EVERY = 0.25


@click.group()
def campaign() -> None:
    """Campaigns."""


@campaign.command()
@click.option("--list", "list_name", required=True, help="Whom it is for.")
@click.option("--subject", required=True)
@click.option("--body", help="What it says, in Markdown.")
@click.option("--body-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--topic", help="One topic of the list; without it, all of them.")
@as_json
def create(list_name: str, subject: str, body: str | None, body_file: Path | None, topic: str | None, as_json: bool
           ) -> None:
    """Write a draft."""
    if (body is None) == (body_file is None):
        raise click.UsageError("Give either --body or --body-file.")
    words = compose.Words(subject, body if body is not None else Path(str(body_file)).read_text(encoding="utf-8"))
    with unit() as ctx:
        target = catalogue.by_name(ctx, list_name)
        found = [each for each in catalogue.topics_of(ctx, target.id) if each.name == topic]
        if topic and not found:
            raise InvalidInput(field="topic", why="is not one of the list's")
        made = compose.create(ctx, list_id=target.id, words=words, topic_id=found[0].id if found else None)
        _say(made, as_json, f"Campaign {made.id} is a draft.")


@campaign.command(name="forecast")
@click.argument("number", type=int)
@as_json
def foretell(number: int, as_json: bool) -> None:
    """Say who is in and who is out, and why, if it were sent now."""
    with unit() as ctx:
        seen = forecast.of(ctx, compose.find(ctx, number))
    reasons = {str(reason): n for reason, n in seen.reasons.items()}
    lines = [f"In {seen.inside:,}, out {seen.outside:,}.", *(f"  {reason}: {n:,}" for reason, n in reasons.items())]
    show({"in": seen.inside, "out": seen.outside, "reasons": reasons}, as_json, "\n".join(lines))


@campaign.command()
@click.argument("number", type=int)
@click.option("--yes", is_flag=True, required=True, help="Send without further questions.")
@click.option("--at", "local", metavar="TIME", help="Later: 2026-03-10T09:00 on the clocks of --zone.")
@click.option("--zone", help="A time zone such as America/New_York.")
@click.option("--wait", is_flag=True, help="Come back when it has ended.")
@as_json
def send(number: int, yes: bool, local: str | None, zone: str | None, wait: bool, as_json: bool) -> None:
    """Send it now, or at a time somewhere; only what must be fixed holds it back, and a database put back."""
    if bool(local) != bool(zone) or (local and wait):
        raise click.UsageError("--at and --zone go together, and without --wait.")
    powers = services()
    with unit_of_work(powers, actor=OPERATOR) as ctx:
        draft = compose.find(ctx, number)
        remembered = fence.check(ctx.db, wiring.exits_folder(powers.settings), ctx.host)
        if remembered.refuses:
            raise BehindExits(behind=remembered.behind)
        lacks = must_fix.must_fix(ctx, draft)
        if lacks:
            raise CannotSend(lacks=", ".join(lacks))
        inside = forecast.of(ctx, draft).inside
        if local and zone:
            sent = schedule.later(ctx, number, local=_wall_clock(local), zone_name=zone)
        else:
            sent = schedule.send(ctx, number, undo=False)
        state = str(sent.state)
    if wait:
        state = _watch(powers, number)
    show({"id": number, "state": state, "in": inside}, as_json, f"Campaign {number}: {state}, {inside:,} in.")


@campaign.command()
@click.argument("number", type=int)
@as_json
def status(number: int, as_json: bool) -> None:
    """Say how it stands."""
    powers = services()
    with unit_of_work(powers, actor=OPERATOR) as ctx:
        found = compose.find(ctx, number)
        facts, why = asdict(standing.status(ctx, found)), found.why_not_started or found.why_paused
        if found.state == CampaignState.SENDING:
            why = hindrance.of(ctx, found, wiring.exits_folder(powers.settings))
        facts["why"] = why or ""
    lines = [f"Campaign {number}: {facts['state']}{f' ({why})' if why else ''}"]
    lines += [f"  {name}: {facts[name]:,}" for name in
              ("planned", "accepted", "refused", "failed", "expired", "uncertain", "waiting")]
    if facts["uncertain"]:
        lines.append("  Uncertain: handed over, and the answer was lost. `mailer campaign send-uncertain` sends again.")
    show(facts, as_json, "\n".join(lines))


@campaign.command()
@click.argument("number", type=int)
@as_json
def pause(number: int, as_json: bool) -> None:
    """Stop handing over for now."""
    with unit() as ctx:
        _say(control.pause(ctx, number), as_json)


@campaign.command()
@click.argument("number", type=int)
@as_json
def resume(number: int, as_json: bool) -> None:
    """Go on from where it was."""
    with unit() as ctx:
        _say(control.resume(ctx, number), as_json)


@campaign.command()
@click.argument("number", type=int)
@as_json
def stop(number: int, as_json: bool) -> None:
    """Stop for good: what has not been handed over never will be."""
    with unit() as ctx:
        stopped = control.stop(ctx, number)
        _say(stopped, as_json, f"Campaign {number}: nothing more is handed over." if stopped.stopping else "")


@campaign.command(name="send-uncertain")
@click.argument("number", type=int)
@click.option("--yes", is_flag=True, required=True, help="They may have got it already; send it to them again.")
@as_json
def send_uncertain(number: int, yes: bool, as_json: bool) -> None:
    """Send again to those whose answer was lost; the campaign goes on and ends anew."""
    with unit() as ctx:
        count = control.send_uncertain(ctx, number)
        state = str(compose.find(ctx, number).state)
    show({"id": number, "state": state, "again": count}, as_json, f"Campaign {number}: again to {count:,}.")


def _wall_clock(raw: str) -> datetime:
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError as error:
        raise InvalidInput(field="--at", why="a time such as 2026-03-10T09:00") from error
    if moment.tzinfo is not None:
        raise InvalidInput(field="--at", why="a wall-clock time without zone; give that as --zone")
    return moment


def _watch(powers: Services, number: int) -> str:
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Sending", total=None)
        while True:
            try:
                with unit_of_work(powers, actor=OPERATOR) as ctx:
                    seen = standing.status(ctx, compose.find(ctx, number))
            except OperationalError:
                wait_for_database(powers.settings)
                continue
            bar.update(task, total=seen.planned or None, completed=seen.planned - seen.waiting)
            if seen.is_final:
                return str(seen.state)
            sleep(LOOK_EVERY)


def _say(which: Campaign, json_wanted: bool, text: str = "") -> None:
    facts: Mapping[str, object] = {"id": which.id, "state": str(which.state)}
    show(facts, json_wanted, text or f"Campaign {which.id}: {which.state}.")
