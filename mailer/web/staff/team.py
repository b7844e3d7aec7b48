"""The Team screen: who works here, as what, and how safely."""

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from mailer.core.errors import Conflict, InvalidInput
from mailer.staff import accounts
from mailer.staff import team as verbs
from mailer.staff.roles import CARDS, Role
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.fields import Fields
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, opener, unit

team = blueprint("staff_team", "/staff/team")


@team.get("")
@staff_only("team")
def page() -> Response:
    """Everybody, and the form to invite somebody."""
    return _page(200, Fields())


@team.post("/invite")
@staff_only("team")
def invite() -> Response:
    """Invite a colleague; the link is shown once, to hand over by another way too."""
    fields = Fields()
    with unit() as ctx:
        email = fields.checked(accounts.check_email, ctx, fields.raw("email"))
    roles = fields.checked(accounts.check_roles, fields.many("roles"))
    if email is None or roles is None:
        return _page(422, fields)
    try:
        with unit() as ctx:
            link = verbs.invite(ctx, email=email, roles=roles)
    except Conflict:
        fields.errors["email"] = "This person works here already. Change their roles below."
        return _page(409, fields)
    return staff_page("staff/team_invited.html", link=link)


@team.get("/<int:staff_id>")
@staff_only("team")
def member(staff_id: int) -> Response:
    """One colleague: roles, second factor, removal."""
    return _member(200, staff_id, {})


@team.post("/<int:staff_id>/roles")
@staff_only("team")
def roles(staff_id: int) -> Response:
    """Give exactly the roles ticked."""
    fields = Fields()
    wanted = fields.checked(accounts.check_roles, fields.many("roles"))
    try:
        if wanted is not None:
            with unit() as ctx:
                verbs.change_roles(ctx, staff_id, wanted, by=here().staff_id)
    except InvalidInput as error:
        fields.note(error)
    if fields.errors:
        return _member(422, staff_id, fields.errors, fields.many("roles"))
    flash("The roles are changed.", "good")
    return redirect(url_for("staff_team.page"), 303)


@team.post("/<int:staff_id>/second-factor")
@staff_only("team")
def reset_second_factor(staff_id: int) -> Response:
    """For somebody who lost their device."""
    with unit() as ctx:
        verbs.reset_second_factor(ctx, staff_id)
    flash("The second factor is reset. They set up a new one at their next visit.", "good")
    return redirect(url_for("staff_team.page"), 303)


@team.post("/<int:staff_id>/remove")
@staff_only("team")
def remove(staff_id: int) -> Response:
    """End an account; every browser of theirs is signed out at once."""
    try:
        with unit() as ctx:
            accounts.remove(ctx, staff_id)
    except InvalidInput as error:
        return _member(422, staff_id, {"remove": str(error.context["why"])})
    flash("One account is removed. All its browsers are signed out.", "good")
    return redirect(url_for("staff_team.page"), 303)


def _page(status: int, fields: Fields) -> Response:
    with unit() as ctx:
        people = accounts.team(ctx, opener())
    return staff_page("staff/team.html", status, people=people, cards=CARDS, role_names=_names(),
                      errors=fields.errors, email=fields.raw("email"), chosen=fields.many("roles"))


def _member(status: int, staff_id: int, errors: dict[str, str], chosen: list[str] | None = None) -> Response:
    with unit() as ctx:
        member = accounts.look(ctx, opener(), staff_id)
    return staff_page("staff/team_member.html", status, member=member, cards=CARDS, errors=errors,
                      chosen=chosen if chosen is not None else sorted(member.roles), me=here().staff_id)


def _names() -> dict[Role, str]:
    return {card.role: card.name for card in CARDS}
