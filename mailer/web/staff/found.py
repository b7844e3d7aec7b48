"""A row by the number that stands in a path."""

from typing import TypeVar

from mailer.audience.queries import LARGEST_ID
from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.db import Model

Row = TypeVar("Row", bound=Model)


def row(ctx: Context, model: type[Row], number: int) -> Row:
    """The row. Raises: NotFound, also for a number too large for any row."""
    found = ctx.db.get(model, number) if number < LARGEST_ID else None
    if found is None:
        raise NotFound(what=model.__tablename__)
    return found
