"""Help, in the same place on every page."""

from werkzeug.wrappers import Response

from mailer.staff.roles import CARDS
from mailer.web.staff.door import recognise
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, open_to_all

help_page = blueprint("staff_help", "/staff/help")


@help_page.get("")
@open_to_all
def page() -> Response:
    """What the words mean, who may do what, which keys work."""
    recognise()
    return staff_page("staff/help.html", cards=CARDS)
