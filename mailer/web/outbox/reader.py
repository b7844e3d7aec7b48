"""Who looks into the Outbox, and what of a message they may see."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from hmac import compare_digest
from typing import Any, TypeVar, cast

from flask import Response, g, jsonify, request

from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.core.modes import Mode
from mailer.organisation import profile as organisation
from mailer.practice import box
from mailer.practice.models import PracticeItem
from mailer.practice.read import Reading, read
from mailer.staff.roles import Permission
from mailer.web.numbers import place
from mailer.web.staff.door import enter, here
from mailer.web.support import opener, services, unit

View = TypeVar("View", bound=Callable[..., Any])

BEARER = "Bearer "


@dataclass(frozen=True)
class Reader:
    """`staff_only_of` is the member who looks, None for the key; `full` shows whole addresses (decision 32)."""

    staff_only_of: int | None
    full: bool

    def name(self, ctx: Context, item: PracticeItem, address: str) -> str:
        """The recipient as this reader sees it."""
        return address if self.full else ctx.channels[item.channel].mask(address)


@dataclass(frozen=True)
class Shown:
    """One message as its reader sees it."""

    item: PracticeItem
    to: str
    reading: Reading


def absent_in_live() -> None:
    """Live has no Outbox. Raises: NotFound."""
    with unit() as ctx:
        if organisation.current(ctx).mode is Mode.LIVE:
            raise NotFound(what="outbox")


def reader() -> Reader:
    """Who asks; only behind `staff_only` or `by_key_or_staff`. Who may look at one address may look at all here."""
    known = g.get("outbox_reader")
    return known if known is not None else Reader(here().staff_id, here().may(Permission.REVEAL))


def shown(ctx: Context, item: PracticeItem, by: Reader) -> Shown:
    """A message opened for its reader, without the address where they may not see it."""
    address = box.recipient(opener(), item)
    name = by.name(ctx, item, address)
    found = read(box.body(opener(), item))
    return Shown(item, name, found if by.full else found.masked(address, name))


def before() -> int | None:
    """The id that a page of the list ends above, from the address; None for the newest."""
    return place(request.args, "before")


def by_key_or_staff(view: View) -> View:
    """Auth mark: OUTBOX_KEY as a bearer token (RFC 6750 §2.1), or a member of staff; else 401."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        given = request.headers.get("Authorization", "")
        if given:
            if not _is_key(given):
                return _unauthorized()
            g.outbox_reader = Reader(None, full=True)
        elif enter(Permission.OUTBOX) is not None:
            return _unauthorized()
        return view(*args, **kwargs)

    guarded.auth_mark = "OUTBOX_KEY, or staff: outbox"  # type: ignore[attr-defined] # Read by the architecture test.
    return cast(View, guarded)


def _is_key(given: str) -> bool:
    key = services().settings.outbox_key
    return bool(key) and given.startswith(BEARER) and compare_digest(given.removeprefix(BEARER).encode(), key.encode())


def _unauthorized() -> Response:
    response = jsonify(error="unauthorized")
    response.status_code = 401
    response.headers["WWW-Authenticate"] = BEARER.strip()
    return response
