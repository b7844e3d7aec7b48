"""Tell-a-friend of one list: its switches, the fixed message, its limits and sums (ux 2.15)."""

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from mailer.analytics import k_anonymity
from mailer.core.errors import InvalidInput
from mailer.friends import letter, totals
from mailer.friends import settings as offered
from mailer.friends.invite import A_DAY
from mailer.friends.words import LONGEST_WORDS
from mailer.lists.models import MailingList
from mailer.policy import packs
from mailer.web.staff.door import staff_only
from mailer.web.staff.fields import Fields
from mailer.web.staff.found import row
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, unit

friends = blueprint("staff_friends", "/staff/lists")


@friends.get("/<int:list_id>/friends")
@staff_only("see_lists")
def page(list_id: int) -> Response:
    """What the list offers now."""
    return _page(list_id)


@friends.post("/<int:list_id>/friends")
@staff_only("friends")
def change(list_id: int) -> Response:
    """Turn the switches."""
    fields = Fields()
    try:
        with unit() as ctx:
            row(ctx, MailingList, list_id)
            offered.change(ctx, list_id, shares=fields.raw("shares") == "yes", by_mail=fields.raw("by_mail") == "yes")
    except InvalidInput as error:
        fields.note(error)
        return _page(list_id, fields, 422)
    flash("Saved.", "good")
    return redirect(url_for("staff_friends.page", list_id=list_id), 303)


def _page(list_id: int, fields: Fields | None = None, status: int = 200) -> Response:
    with unit() as ctx:
        found = row(ctx, MailingList, list_id)
        setting = offered.of(ctx, list_id)
        sums = totals.of(ctx, list_id)
        shown = {
            "list": found, "allowed": offered.allowed_by_mail(ctx), "pack": packs.current(ctx),
            "offer": offered.offer_of(ctx, list_id), "preview": letter.preview(ctx, found.name), "a_day": A_DAY,
            "longest_words": LONGEST_WORDS,
            "totals": {name: k_anonymity.shown(getattr(sums, name)) for name in ("asked", "handed", "reported")}}
    values = {"shares": setting.shares, "by_mail": setting.by_mail} if fields is None else {
        name: fields.raw(name) == "yes" for name in ("shares", "by_mail")}
    return staff_page("staff/lists/friends.html", status, values=values, **shown,
                      errors=fields.errors if fields else {})
