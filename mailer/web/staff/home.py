"""Home: what needs you first, what is on its way, and what is still to do."""

from werkzeug.wrappers import Response

from mailer.core.modes import Mode
from mailer.organisation import profile as organisation
from mailer.staff import checklist
from mailer.staff.checklist import Item
from mailer.staff.roles import Permission
from mailer.web.staff import cards
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.frame import NAV, path_if, staff_page
from mailer.web.support import blueprint, unit

home = blueprint("staff_home", "/staff")


@home.get("")
@staff_only("signed_in")
def page() -> Response:
    """The cards; one that cannot be read says so and leaves the others."""
    with unit() as ctx:
        profile = organisation.current(ctx)
        found, failed = cards.read(ctx, here())
        steps = checklist.first_steps(ctx) if profile.mode is Mode.PRACTICE else []
        todo = checklist.go_live(ctx) if profile.mode is not Mode.LIVE else []
    acts = {name: path_if(path) for name, path in found.get("next_acts", {}).items()}
    if all(step.done for step in steps):
        steps = []
    return staff_page("staff/home.html", cards=found, failed=failed, acts=acts, steps=[_shown(each) for each in steps],
                      go_live=[_shown(each) for each in todo] if any(not each.done for each in todo) else [],
                      may_write=here().may(Permission.EDIT_CONTENT), path_if=path_if)


def _shown(item: Item) -> dict[str, str]:
    """A link only to a page that is there and that this person may use."""
    asked = next((place.permission for place in NAV if place.path == item.path), Permission.SIGNED_IN)
    return {"text": item.text, "href": path_if(item.path) if here().may(asked) else "", "note": item.note,
            "state": item.state, "name": item.name}
