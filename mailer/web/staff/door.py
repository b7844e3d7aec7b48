"""Who may enter: loads the session, asks for the permission, and notes every refusal."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import NotAllowed
from mailer.core.modes import Mode
from mailer.organisation import profile as organisation
from mailer.staff import sessions
from mailer.staff.roles import Permission
from mailer.staff.sessions import SignedIn
from mailer.web.staff.cookies import TOKEN, keep, refuse_other_sites
from mailer.web.support import is_fragment, unit

View = TypeVar("View", bound=Callable[..., Any])


def staff_only(permission: str, *, before_second_factor: bool = False) -> Callable[[View], View]:
    """Auth mark: a member of staff whose roles permit it; others get 404 and an audit entry (decision 30).

    `before_second_factor` marks the few pages on which the second factor itself is shown or set up.
    """
    wanted = Permission(permission)

    def mark(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            elsewhere = enter(wanted, before_second_factor=before_second_factor)
            return elsewhere if elsewhere is not None else view(*args, **kwargs)

        guarded.auth_mark = f"staff: {wanted}"  # type: ignore[attr-defined] # Read by the architecture test.
        return cast(View, guarded)

    return mark


def enter(wanted: Permission, *, before_second_factor: bool = False) -> Response | None:
    """Let the asker in, as `g.staff` and `g.actor`, or say where to go first. Raises: NotAllowed, CSRFError."""
    refuse_other_sites()
    with unit("system") as ctx:
        staff = sessions.find(ctx, session.get(TOKEN))
        step = _second_factor_step(ctx, staff) if staff is not None else ""
    if staff is None:
        return _sign_in_first()
    g.staff, g.actor = staff, f"staff:{staff.staff_id}"
    if step and not before_second_factor:
        return redirect(url_for(step), 303)
    if not staff.may(wanted):
        with unit() as ctx:
            trail.record(ctx, "refused", f"page:{request.endpoint}")
        raise NotAllowed(endpoint=request.endpoint)
    return None


def recognise() -> None:
    """On a page that is open to all: show the frame of whoever is signed in."""
    with unit("system") as ctx:
        g.staff = sessions.find(ctx, session.get(TOKEN))


def here() -> SignedIn:
    """Who is signed in; only behind `staff_only`."""
    return cast(SignedIn, g.staff)


def settle(token: str, *, by_link: bool = False) -> None:
    """Hand the browser its new session; the one it had before, anybody's, is ended."""
    before = session.get(TOKEN)
    if before:
        with unit() as ctx:
            staff = sessions.find(ctx, before)
            if staff is not None:
                sessions.end(ctx, staff.staff_id, staff.session_id)
    keep(token, by_link=by_link)


def browser() -> str:
    """The browser's own name for itself; kept coarsely only."""
    return request.headers.get("User-Agent", "")[:300]


def safe_next(path: str | None) -> str:
    """A page of ours to go on to, or Home: never another site's."""
    if path and path.startswith(("/staff", "/outbox")) and not set(path) & set("\\\r\n\t?#") and "//" not in path:
        return path
    return url_for("staff_home.page")


def _second_factor_step(ctx: Context, staff: SignedIn) -> str:
    """The page where the second factor is asked for, or set up where it is required (decision 28)."""
    if staff.has_second_factor:
        return "" if staff.passed_second_factor else "staff_sign_in.second_factor"
    profile = organisation.current(ctx)
    required = profile.mode is not Mode.PRACTICE and "mode" not in profile.fixed
    return "staff_account.second_factor" if required else ""


def _sign_in_first() -> Response:
    target = url_for("staff_sign_in.page", next=request.path if request.method in ("GET", "HEAD") else None)
    if is_fragment():
        return Response(status=401, headers={"HX-Redirect": target})
    return redirect(target, 303)
