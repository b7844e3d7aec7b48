"""`mailer audit verify`: checks the chain over the audit trail."""

import click

from mailer import wiring
from mailer.audit import seal
from mailer.cli.ledger import report
from mailer.cli.output import as_json
from mailer.cli.powers import OPERATOR, services
from mailer.core.exits import ExitKind
from mailer.exits import fence
from mailer.services import unit_of_work


@click.group()
def audit() -> None:
    """The trail of who on the staff did what."""


@audit.command()
@as_json
def verify(as_json: bool) -> None:
    """Check that no entry was changed, put in or taken out since it was sealed."""
    powers = services()
    with unit_of_work(powers, actor=OPERATOR) as ctx:
        heads = fence.remembered_heads(ctx.db, wiring.exits_folder(powers.settings), ExitKind.AUDIT_HEAD)
        verdict = seal.verify(ctx, heads)
    report(verdict, "The audit trail", as_json)
