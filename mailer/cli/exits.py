"""`mailer exits`: whether the database is behind the exits that its hosts remember, and mending it."""

import click

from mailer import wiring
from mailer.cli.output import as_json, show
from mailer.cli.powers import OPERATOR, services
from mailer.core.errors import NotAllowed
from mailer.exits import fence
from mailer.exits.override import override
from mailer.rights.erase import erase_again
from mailer.services import unit_of_work
from mailer.staff import accounts
from mailer.staff.roles import Role
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


@exits.command("override")
@click.argument("host")
@click.option("--officer", metavar="EMAIL", required=True, help="The privacy officer who decides.")
@click.option("--reason", required=True, help="Why sending goes on without it, for the audit trail.")
@as_json
def go_on(host: str, officer: str, reason: str, as_json: bool) -> None:
    """Send although this host's file is behind or lost: the privacy officer's decision alone."""
    powers = services()
    with unit_of_work(powers, actor=OPERATOR) as ctx:
        member = accounts.find(ctx, officer)
        if member is None or member.state != "active" or Role.PRIVACY_OFFICER not in accounts.roles_of(ctx, member.id):
            raise NotAllowed(why="this is no active privacy officer")
        made = override(ctx, host, officer_id=member.id, reason=reason)
    show({"host": made.host, "at": made.at}, as_json,
         f"Sending goes on without what {made.host} has said until now; whoever left there may be written to.")


@exits.command()
@as_json
def apply(as_json: bool) -> None:
    """Stop again everybody who had left, so that sending may go on."""
    powers = services()
    with unit_of_work(powers, actor=OPERATOR) as ctx:
        applied = apply_exits(ctx, wiring.exits_folder(powers.settings), forget=erase_again)
    show({"applied": applied}, as_json, f"Applied {applied} lines.")
