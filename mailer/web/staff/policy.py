"""The policy that is followed, the partners that are named beside choices, and what each detail is held for."""

from typing import Any

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.core.messages import ConsentModel, Purpose
from mailer.policy import packs, partners
from mailer.policy.pack import CHANNELS, Pack
from mailer.staff import accounts
from mailer.staff.roles import Permission, Role
from mailer.subscriptions import minimisation
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.fields import Fields
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, unit

policy = blueprint("staff_policy", "/staff/policy")

MODELS = {
    ConsentModel.CONFIRMED_OPT_IN: "Only after a confirmed yes", ConsentModel.OPT_OUT: "Customers, until they say no",
    ConsentModel.FORBIDDEN: "Never",
}
PURPOSES = {
    Purpose.OWN_OFFERS: "News and offers of our own", Purpose.PARTNER_OFFERS: "Offers of partners, sent by us",
    Purpose.SHARE: "Passing an address on to partners",
}
OFFICER = "A privacy officer works here: they choose the policy and publish partners."
LONGEST_NAMES = 10_000


@policy.get("")
@staff_only("notice")
def page() -> Response:
    """The pack in force, the partners, and the report on fields."""
    return _page(200, {})


@policy.post("/pack")
@staff_only("notice")
def choose() -> Response:
    """Follow another pack."""
    try:
        with unit() as ctx:
            _only_the_officer(ctx, "pack")
            pack = packs.choose(ctx, Fields().raw("pack"))
    except InvalidInput as error:
        return _page(422, {str(error.context["field"]): str(error.context["why"])})
    flash(f"From now on: {pack.title}.", "good")
    return redirect(url_for("staff_policy.page"), 303)


@policy.post("/partners")
@staff_only("notice")
def publish() -> Response:
    """Publish the partners there are now; each consent points to the list that was shown."""
    typed = Fields().whole("names", LONGEST_NAMES)
    try:
        with unit() as ctx:
            _only_the_officer(ctx, "names")
            made = partners.publish(ctx, typed.split("\n"))
    except InvalidInput as error:
        return _page(422, {str(error.context["field"]): str(error.context["why"])}, typed)
    flash(f"List {made.version} is published. Every form names it now.", "good")
    return redirect(url_for("staff_policy.page"), 303)


def _page(status: int, errors: dict[str, str], typed: str | None = None) -> Response:
    with unit() as ctx:
        pack, named = packs.current(ctx), partners.current(ctx)
        values = {
            "pack": pack, "packs": [(each.name, each.title) for each in packs.PACKS.values()], "grid": _grid(pack),
            "partners": named, "versions": partners.versions(ctx), "lines": minimisation.report(ctx),
            "names": typed if typed is not None else "\n".join(named.names) if named else "",
            "may_change": _may_change(ctx)}
    return staff_page("staff/policy.html", status, errors=errors, why_not=OFFICER, **values)


def _grid(pack: Pack) -> list[list[Any]]:
    """A row a purpose, a cell a channel."""
    return [[words, *(MODELS[pack.model(channel, purpose)] for channel in CHANNELS)]
            for purpose, words in PURPOSES.items()]


def _may_change(ctx: Context) -> bool:
    """The privacy officer; an Admin as long as there is none."""
    return here().may(Permission.PRIVACY) or not accounts.holders(ctx, Role.PRIVACY_OFFICER)


def _only_the_officer(ctx: Context, field: str) -> None:
    if not _may_change(ctx):
        raise InvalidInput(field=field, why=OFFICER)
