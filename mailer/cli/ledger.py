"""`mailer ledger verify`: checks the chain over the ledger of consent."""

import click

from mailer import wiring
from mailer.cli.output import as_json, show
from mailer.cli.powers import OPERATOR, services
from mailer.consent.verify import Verdict
from mailer.consent.verify import verify as verify_chain
from mailer.exits import fence
from mailer.services import unit_of_work


@click.group()
def ledger() -> None:
    """The ledger of consent."""


@ledger.command()
@as_json
def verify(as_json: bool) -> None:
    """Check that no row was changed, put in or taken out since it was sealed."""
    powers = services()
    with unit_of_work(powers, actor=OPERATOR) as ctx:
        verdict = verify_chain(ctx, fence.remembered_heads(ctx.db, wiring.exits_folder(powers.settings)))
    report(verdict, "The ledger", as_json)


def report(verdict: Verdict, name: str, as_json: bool) -> None:
    """Say what a walk along a chain found; ends with 1 when something is not as it was sealed."""
    facts = {"rows": verdict.rows, "ok": verdict.ok, "first_bad": verdict.first_bad}
    said = f"{verdict.rows} rows, all as they were written." if verdict.ok else (
        f"{name} was changed: row {verdict.first_bad} is not as it was sealed.")
    show(facts, as_json, said)
    if not verdict.ok:
        raise SystemExit(1)
