"""`mailer staff`: inviting colleagues, and a way in for those who have an account."""

import click

from mailer.cli.output import as_json, show
from mailer.cli.powers import unit
from mailer.core.errors import NotFound
from mailer.organisation import profile as organisation
from mailer.staff import accounts, links, team
from mailer.staff.roles import Role


class UnknownStaff(NotFound):
    """Nobody who works here has this address."""

    code = "unknown_staff"


@click.group()
def staff() -> None:
    """Invite colleagues, and let them in."""


@staff.command()
@click.argument("email")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice([str(role) for role in Role]),
              help="A role to give; may be given several times.")
@as_json
def invite(email: str, roles: tuple[str, ...], as_json: bool) -> None:
    """Invite EMAIL and print the link, which works once, for seven days."""
    with unit() as ctx:
        found = team.invite(ctx, email=accounts.check_email(ctx, email),
                            roles=frozenset(Role(role) for role in roles))
    show({"link": found}, as_json, found)


@staff.command()
@click.argument("email")
@as_json
def link(email: str, as_json: bool) -> None:
    """Print a link that signs EMAIL in once, within 15 minutes."""
    with unit() as ctx:
        member = accounts.find(ctx, accounts.check_email(ctx, email))
        if member is None or member.state != "active":
            raise UnknownStaff()
        token = links.issue(ctx, "sign_in", member.id)
        found = f"{organisation.current(ctx).public_url}/staff/link/{token}"
    show({"link": found}, as_json, found)
