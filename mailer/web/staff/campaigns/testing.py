"""Tests of a campaign: to oneself with one press, or to a few colleagues."""

from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from mailer.campaigns import test_send
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.core.modes import Mode
from mailer.organisation import profile as organisation
from mailer.staff import accounts
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.fields import whole_number
from mailer.web.support import blueprint, opener, unit

testing = blueprint("testing")

WHERE = {
    Mode.PRACTICE: "It is in the Outbox.",
    Mode.TRIAL: "It goes to those whose mailbox is proven; for others it is in the Outbox.",
    Mode.LIVE: "It is on its way.",
}


@testing.post("/<int:number>/test")
@staff_only("edit_content")
def send(number: int) -> Response:
    """Send the chosen colleagues this test person's version of the campaign as it is saved."""
    chosen = [each for each in map(whole_number, request.form.getlist("to")[:50]) if each is not None]
    person = test_send.person(request.form.get("person", ""))
    _try(number, chosen, person, request.form.get("idempotency", "")[:64])
    return redirect(url_for("staff_campaigns.check.page", number=number, _anchor="test"), 303)


def send_me_one(number: int) -> None:
    """A test to whoever presses, as the person with everything."""
    _try(number, [here().staff_id], test_send.PEOPLE[0], request.form.get("idempotency", "")[:64])


def colleagues(ctx: Context) -> list[dict[str, Any]]:
    """Those at work, by name; oneself first and chosen."""
    own = here().staff_id
    found = [{"id": each.id, "name": each.name or f"Colleague {each.id}", "own": each.id == own}
             for each in accounts.team(ctx, opener()) if each.state == "active"]
    return sorted(found, key=lambda each: not each["own"])


def new_press(ctx: Context) -> str:
    """The name of one press of a button, so that pressing twice is pressing once."""
    return ctx.tokens.random_bytes(8).hex()


def _try(number: int, chosen: list[int], person: test_send.MadeUp, press: str) -> None:
    try:
        with unit() as ctx:
            made = test_send.send(ctx, number, staff_ids=chosen, as_person=person, press=press or new_press(ctx))
            mode = organisation.current(ctx).mode
    except InvalidInput as error:
        flash(str(error.context["why"]), "bad")
        return
    if made:
        flash(f"{'Test' if made == 1 else f'{made} tests'} sent as {person.label}. {WHERE[mode]}", "good")
