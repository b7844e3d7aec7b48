"""`mailer exits`: whether the database is behind the exits that its hosts remember, and mending it."""

import click

from mailer import wiring
from mailer.cli.output import as_json, show
from mailer.cli.powers import OPERATOR, services
from mailer.exits import fence
from mailer.services import unit_of_work
from mailer.subscriptions.reapply import apply_exits


@click.group()
def exits() -> None:
    """Goodbyes that are remembered outside the database."""


@exits.command()
@as_json
def status(as_json: bool) -> None:
    """Say whether the database was put back to an earlier state, in which case nothing is sent."""
    powers = services()
    with unit_of_work(powers, actor=OPERATOR) as ctx:
        state = fence.check(ctx.db, wiring.exits_folder(powers.settings), ctx.host)
    facts = {"behind": state.behind, "missing_hosts": list(state.missing_hosts), "refuses": state.refuses,
             "unreadable": state.unreadable}
    said = ["The database knows every exit." if not state.behind else
            f"The database is behind by {state.behind} lines and sends nothing; run `mailer exits apply`."]
    if state.missing_hosts:
        said.append(f"Files of other hosts that do not lie here: {', '.join(state.missing_hosts)}.")
    if state.unreadable:
        said.append(f"Lines that cannot be read: {state.unreadable}.")
    show(facts, as_json, "\n".join(said))


@exits.command()
@as_json
def apply(as_json: bool) -> None:
    """Stop again everybody who had left, so that sending may go on."""
    powers = services()
    with unit_of_work(powers, actor=OPERATOR) as ctx:
        applied = apply_exits(ctx, wiring.exits_folder(powers.settings))
    show({"applied": applied}, as_json, f"Applied {applied} lines.")
