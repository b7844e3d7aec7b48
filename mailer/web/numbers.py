"""Numbers of rows in paths and queries: whole, and never larger than the database can compare."""

from werkzeug.datastructures import MultiDict
from werkzeug.routing import IntegerConverter, ValidationError

LARGEST_ID = (1 << 63) - 1


class RowNumber(IntegerConverter):
    """`<int:…>` in a path; one that no row can have is a page that is not there."""

    def to_python(self, value: str) -> int:
        if len(value) > len(str(LARGEST_ID)) or int(value) > LARGEST_ID:
            raise ValidationError
        return super().to_python(value)  # type: ignore[no-any-return] # Werkzeug's converters answer anything.


def place(args: MultiDict[str, str], name: str) -> int | None:
    """The number above or below which a page of a list ends; None where there is none."""
    given = args.get(name, type=int)
    return None if given is None else max(0, min(given, LARGEST_ID))
