"""Removing the sample data: what goes is named, then one press."""

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from mailer.core.errors import Conflict
from mailer.sample import load
from mailer.web.staff.door import staff_only
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, unit

sample_data = blueprint("staff_sample", "/staff/settings/sample")

UNDER_WAY = "A sample campaign is on its way. Let it end, or stop it for good, then remove the sample."


@sample_data.get("")
@staff_only("settings")
def page() -> Response:
    """What goes, and what stays."""
    return _page(200, {})


@sample_data.post("")
@staff_only("settings")
def remove() -> Response:
    """Remove it; pressing twice is pressing once."""
    try:
        with unit() as ctx:
            if load.is_loaded(ctx):
                load.remove(ctx)
    except Conflict:
        return _page(409, {"remove": UNDER_WAY})
    flash("The sample data is removed. Everything else is as it was.", "good")
    return redirect(url_for("staff_settings.page"), 303)


def _page(status: int, errors: dict[str, str]) -> Response:
    with unit() as ctx:
        loaded, goes = load.is_loaded(ctx), load.what_goes(ctx)
    return staff_page("staff/sample.html", status, loaded=loaded, goes=goes, errors=errors)
