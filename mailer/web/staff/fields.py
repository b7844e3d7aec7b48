"""Reading posted fields: each is checked by the room it belongs to, and all that is wrong is said at once."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import request

from mailer.core.errors import InvalidInput

LONGEST = 20_000
"""Characters of one field that we look at; each check has a smaller limit of its own."""

Rest = ParamSpec("Rest")
Value = TypeVar("Value")


def whole_number(raw: str) -> int | None:
    """The id that a form posted; None for anything else, also for digits of other scripts and beyond 64 bits."""
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 19 else None


class Fields:
    """What was posted, and what is wrong with it: `errors` maps a field's id to a sentence."""

    def __init__(self) -> None:
        self.errors: dict[str, str] = {}

    def raw(self, name: str) -> str:
        """As typed, without NUL, which no text column holds, and with one kind of line end."""
        return request.form.get(name, "")[:LONGEST].replace("\x00", "").replace("\r\n", "\n")

    def whole(self, name: str, longest: int) -> str:
        """A text of many lines, up to one character more than the limit, so that its check can tell."""
        return request.form.get(name, "")[:longest + 1].replace("\x00", "").replace("\r\n", "\n")

    def many(self, name: str) -> list[str]:
        """All values of a group of boxes."""
        return request.form.getlist(name)[:100]

    def note(self, error: InvalidInput, name: str = "") -> None:
        """Remember what a check, or a verb, refused."""
        self.errors.setdefault(name or str(error.context["field"]), str(error.context["why"]))

    def checked(self, check: Callable[Rest, Value], *args: Rest.args, **kwargs: Rest.kwargs) -> Value | None:
        """What the check makes of it; None, and a sentence remembered, when it refuses."""
        try:
            return check(*args, **kwargs)
        except InvalidInput as error:
            self.note(error)
            return None
